/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open: cookies, and both ends' part in the handshake (RFC 7413 4). */

#include "tcp/tcp_fastopen.h"

#include "tcp/tcp_in.h"
#include "tcp/tcp_path.h"
#include "tcp/tcp_rare.h"

#define LOSSES_ALLOWED 2u      /* in a row, before the option rests        */
#define REST_NS        SEC(60) /* shifted by the losses                    */
#define REST_SHIFT_MAX 6u
#define MSS_UNKNOWN    536u    /* RFC 9293 MUST-15                         */

/* ------------------------------------------------------------ keys, cookies -- */

/* Little-endian, as SipHash's reference and Linux have it. */
static uint64_t
get_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void
put_le64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

size_t
tcp_fastopen_get_keys(const struct tcp_fastopen_keys *k, uint8_t bytes[32])
{
	for (unsigned i = 0; i < k->n; i++) {
		put_le64(bytes + 16 * i, k->key[i].k0);
		put_le64(bytes + 16 * i + 8, k->key[i].k1);
	}
	return 16u * k->n;
}

bool
tcp_fastopen_set_keys(struct tcp_fastopen_keys *k, const uint8_t *bytes, size_t len)
{
	if (len != 16 && len != 32)
		return false;
	k->n = (uint8_t)(len / 16);
	for (unsigned i = 0; i < k->n; i++) {
		k->key[i].k0 = get_le64(bytes + 16 * i);
		k->key[i].k1 = get_le64(bytes + 16 * i + 8);
	}
	return true;
}

void
tcp_fastopen_draw_keys(struct tcp_fastopen_keys *k, const struct siphash_key *secret)
{
	k->n = 1;
	k->key[0].k0 = siphash24(secret, "fastopen 0", 10);
	k->key[0].k1 = siphash24(secret, "fastopen 1", 10);
}

void
tcp_fastopen_keys(struct tcp_fastopen_keys *k, const struct tcp_cfg *cfg,
                  const struct siphash_key *secret)
{
	if (!tcp_fastopen_set_keys(k, cfg->fastopen_key.key, cfg->fastopen_key.len))
		tcp_fastopen_draw_keys(k, secret);
}

/* SipHash-2-4 of client and server address; for IPv4 of four bytes each, so that
 * a Linux server with the same key makes the same cookies. */
void
tcp_fastopen_cookie(const struct tcp_fastopen_keys *k, unsigned i, const struct tcp_tuple *t,
                    uint8_t cookie[TCP_FASTOPEN_COOKIE])
{
	uint32_t skip = ip_addr_is_v4(&t->remote) ? 12 : 0, len = 16 - skip;
	uint8_t in[32];
	uint64_t h;

	memcpy(in, t->remote.b + skip, len);
	memcpy(in + len, t->local.b + skip, len);
	h = siphash24(&k->key[i], in, 2 * len);
	put_le64(cookie, h);
}

/* Which key made it, or -1.  All bytes are compared whatever differs first. */
static int
key_of(const struct tcp_fastopen_keys *k, const struct tcp_tuple *t, const struct tcp_seg *syn)
{
	int found = -1;

	if (syn->n_cookie != TCP_FASTOPEN_COOKIE)
		return -1;
	for (unsigned i = k->n; i-- > 0;) {
		uint8_t want[TCP_FASTOPEN_COOKIE], differ = 0;

		tcp_fastopen_cookie(k, i, t, want);
		for (unsigned b = 0; b < sizeof want; b++)
			differ |= (uint8_t)(want[b] ^ syn->cookie[b]);
		if (differ == 0)
			found = (int)i;
	}
	return found;
}

/* --------------------------------------------------------------- the server -- */

bool
tcp_fastopen_judge(const struct tcp_env *e, const struct tcp_tuple *t, const struct tcp_seg *syn,
                   bool *give)
{
	int key;

	*give = false;
	if (e->cfg->fastopen & FASTOPEN_SERVER_NO_COOKIE) /* but a plain SYN is a plain SYN */
		return syn->len > 0 || (syn->opts & TCP_OPT_FASTOPEN);
	if (!(syn->opts & TCP_OPT_FASTOPEN))
		return false;
	key = key_of(&e->fastopen, t, syn);
	/* None, a wrong one, or one of the old key: here is a good one (4.2.2). */
	*give = key != 0;
	return key >= 0;
}

void
tcp_fastopen_accept(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *syn, int64_t now)
{
	struct tcp_seg text = *syn;

	text.seq = seq_add(syn->seq, 1);
	tcp_in_text(e, c, &text, now);
	c->ack_at = TIME_NEVER; /* the SYN-ACK says it */
	c->flags &= ~(uint32_t)TCPF_ACK_NOW;
	c->flags |= TCPF_SYN_DUE | TCPF_FASTOPEN;
}

void
tcp_fastopen_give(const struct tcp_env *e, const struct tcp_tuple *t, struct tcp_seg *s)
{
	s->opts |= TCP_OPT_FASTOPEN;
	s->n_cookie = TCP_FASTOPEN_COOKIE;
	tcp_fastopen_cookie(&e->fastopen, 0, t, s->cookie);
}

/* --------------------------------------------------------------- the client -- */

static bool
rests(const struct tcp_path *p, int64_t now)
{
	return p && p->fastopen_losses >= LOSSES_ALLOWED && now < p->fastopen_off_until;
}

/* The peer's MSS as it was with the cookie (RFC 7413 4.1.3), and what the path
 * takes; options count (RFC 6691). */
static uint32_t
room_in_syn(const struct tcp_path *p, uint16_t local_mss, uint32_t options, int64_t now)
{
	uint32_t mss = min(p && p->mss ? p->mss : MSS_UNKNOWN, (uint32_t)local_mss);

	if (p && tcp_path_pmtu(p, now))
		mss = min(mss, p->pmtu - wire_tcp_headers(&p->ip));
	return mss > options ? mss - options : 0;
}

uint32_t
tcp_fastopen_room(struct tcp_env *e, const struct ip_addr *peer, uint16_t local_mss, int64_t now)
{
	const struct tcp_path *p = tcp_path_find(&e->paths, peer, now);
	bool bare = e->cfg->fastopen & FASTOPEN_CLIENT_NO_COOKIE;

	if (!(e->cfg->fastopen & FASTOPEN_CLIENT) || rests(p, now) || (!bare && !(p && p->n_cookie)))
		return 0;
	return room_in_syn(p, local_mss, TCP_OPT_MAX, now);
}

static uint32_t
written(const struct tcp_conn *c)
{
	return atomic_load_explicit(&c->streams->snd_w.written, memory_order_acquire);
}

void
tcp_fastopen_syn(struct tcp_env *e, struct tcp_conn *c, struct tcp_seg *s, int64_t now)
{
	const struct tcp_path *p = tcp_path_find(&e->paths, &tcp_name(c)->remote, now);
	bool bare = e->cfg->fastopen & FASTOPEN_CLIENT_NO_COOKIE;

	if (!(e->cfg->fastopen & FASTOPEN_CLIENT) || rests(p, now) || !c->streams)
		return;
	if (!bare || (p && p->n_cookie)) {
		s->opts |= TCP_OPT_FASTOPEN;
		s->n_cookie = p ? p->n_cookie : 0;
		if (s->n_cookie)
			memcpy(s->cookie, p->cookie, s->n_cookie);
	}
	if (s->n_cookie || bare)
		s->len = min(written(c),
		             room_in_syn(p, c->adv_mss, wire_tcp_hdr_len(s) - TCP_HDR_LEN, now));
}

/* Two in a row may be a box on the way that drops such SYNs. */
static void
note_loss(struct tcp_path *p, int64_t now)
{
	p->fastopen_losses = (uint8_t)min(p->fastopen_losses + 1, 255);
	p->fastopen_off_until = now + (REST_NS << min((uint32_t)p->fastopen_losses, REST_SHIFT_MAX));
}

void
tcp_fastopen_synack(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	bool answered = (s->opts & TCP_OPT_FASTOPEN) && s->n_cookie;
	uint32_t text = seq_sub(s->ack, c->iss) - 1;
	struct tcp_path *p;

	c->snd_nxt = s->ack; /* the rest leaves as new text */
	if (!(c->flags & TCPF_FASTOPEN))
		return;
	c->flags &= ~(uint32_t)TCPF_FASTOPEN;
	p = answered || c->retries ? tcp_path_get(&e->paths, &tcp_name(c)->remote, now)
	                           : tcp_path_find(&e->paths, &tcp_name(c)->remote, now);
	if (!p)
		return;
	if (answered) {
		p->n_cookie = s->n_cookie;
		memcpy(p->cookie, s->cookie, s->n_cookie);
	}
	if (s->opts & TCP_OPT_MSS)
		p->mss = s->mss;
	if (c->retries && text == 0)
		note_loss(p, now);
	else if (!rests(p, now)) /* a plain SYN has shown nothing */
		p->fastopen_losses = 0;
}
