/* SPDX-License-Identifier: BSD-3-Clause */
/* What a cookie and a timestamp hold, and back. */

#include "tcp/tcp_cookie.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_isn.h"

#define DATA_BITS 5u
#define DATA_MASK ((1u << DATA_BITS) - 1)
#define HAS_TS    (1u << 4)

/* Rising; the first is the smallest that is ever used, those of Ethernet stand close. */
static const uint16_t mss_table[] = { 88, 256, 536, 1220, 1360, 1440, 1460, 8960 };

static_assert(array_len(mss_table) == 8, "three bits");

/* In the low bits of a timestamp, as coarse as that makes the clock. */
#define TS_BITS   6u
#define TS_MASK   ((1u << TS_BITS) - 1)
#define TS_SCALE  15u /* four bits of window scale; 15: none */
#define TS_SACK   (1u << 4)
#define TS_ECN    (1u << 5)

static_assert(TCP_WSCALE_MAX < TS_SCALE, "a shift leaves room for none");

/* The secret of a period, and under it what belongs together; `data` is in the low bits, and
 * `agreed` in the timestamp: a segment that echoes another one, of a connection that is over,
 * tells nothing. */
static uint32_t
cookie(const struct tcp_env *e, const struct tcp_tuple *t, seq_t irs, uint32_t period,
       uint32_t data, uint32_t agreed)
{
	struct siphash_key key;
	uint8_t in[42];

	put_be32(in, period);
	in[4] = '0';
	key.k0 = siphash24(&e->secret, in, 5);
	in[4] = '1';
	key.k1 = siphash24(&e->secret, in, 5);
	memcpy(in, t->local.b, 16);
	memcpy(in + 16, t->remote.b, 16);
	put_be16(in + 32, t->lport);
	put_be16(in + 34, t->rport);
	put_be32(in + 36, irs.v);
	in[40] = (uint8_t)data;
	in[41] = (uint8_t)agreed;
	return ((uint32_t)siphash24(&key, in, sizeof in) & ~DATA_MASK) | data;
}

static uint32_t
mss_index(uint32_t mss)
{
	uint32_t i = array_len(mss_table) - 1;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

/* The options that a timestamp has room for; without one there are none. */
static uint32_t
options(const struct tcp_req *r)
{
	uint32_t scale = r->opts & TCP_OPT_WSCALE ? r->snd_wscale : TS_SCALE;

	return scale | (r->opts & TCP_OPT_SACK_OK ? TS_SACK : 0) | (r->ecn ? TS_ECN : 0);
}

/* Our clock with the options in its low bits, and not ahead of what it will say next. */
static uint32_t
timestamp(const struct tcp_req *r, int64_t now)
{
	uint32_t clock = (uint32_t)(now / NS_PER_MS);
	uint32_t said = options(r) | (clock & ~TS_MASK);

	if ((int32_t)(said - clock) > 0)
		said -= 1u << TS_BITS;
	return said + r->ts_offset;
}

void
tcp_cookie_synack(struct tcp_env *e, const struct tcp_tuple *t, const struct tcp_seg *syn,
                  uint16_t local_mss, uint32_t rcvbuf, int64_t now, struct tcp_seg *s)
{
	uint32_t period = (uint32_t)(now / TCP_COOKIE_PERIOD_NS), data;
	struct tcp_req r;

	tcp_req_init(e, &r, t, syn, seq_of(0), local_mss, rcvbuf, now);
	if (!(r.opts & TCP_OPT_TS)) {
		r.opts &= (uint8_t)~(TCP_OPT_WSCALE | TCP_OPT_SACK_OK);
		r.ecn = false;
	}
	data = (period & 1) | mss_index(r.peer_mss) << 1 | (r.opts & TCP_OPT_TS ? HAS_TS : 0);
	r.iss = seq_of(cookie(e, t, syn->seq, period, data, options(&r)));
	(void)tcp_req_synack(e, &r, now, s);
	s->tsval = timestamp(&r, now);
}

/* The SYN as far as it can be told from what has come back. */
static struct tcp_seg
syn_of(const struct tcp_seg *ack, uint32_t data, uint32_t agreed)
{
	struct tcp_seg syn = {
		.seq = seq_add(ack->seq, UINT32_MAX),
		.flags = TCP_SYN,
		.wnd = ack->wnd,
		.opts = TCP_OPT_MSS,
		.mss = mss_table[data >> 1 & 7],
	};

	if (!(data & HAS_TS))
		return syn;
	syn.opts |= TCP_OPT_TS;
	syn.tsval = ack->tsval;
	syn.opts |= agreed & TS_SACK ? TCP_OPT_SACK_OK : 0;
	syn.flags |= agreed & TS_ECN ? TCP_ECE | TCP_CWR : 0;
	if ((agreed & TS_SCALE) != TS_SCALE) {
		syn.opts |= TCP_OPT_WSCALE;
		syn.wscale = (uint8_t)(agreed & TS_SCALE);
	}
	return syn;
}

bool
tcp_cookie_ack(struct tcp_env *e, const struct tcp_tuple *t, const struct tcp_seg *ack,
               uint16_t local_mss, uint32_t rcvbuf, int64_t now, struct tcp_req *r)
{
	seq_t iss = seq_add(ack->ack, UINT32_MAX), irs = seq_add(ack->seq, UINT32_MAX);
	uint32_t period = (uint32_t)(now / TCP_COOKIE_PERIOD_NS), data = iss.v & DATA_MASK;
	uint32_t agreed = TS_SCALE;
	struct tcp_seg syn;

	period -= (period ^ data) & 1; /* this one, or the one before */
	if ((data & HAS_TS) && !(ack->opts & TCP_OPT_TS))
		return false; /* what we agreed on cannot be told */
	if (data & HAS_TS)
		agreed = (ack->tsecr - tcp_ts_begin(e, t)) & TS_MASK;
	if (cookie(e, t, irs, period, data, agreed) != iss.v)
		return false;
	syn = syn_of(ack, data, agreed);
	tcp_req_init(e, r, t, &syn, iss, local_mss, rcvbuf, now);
	r->sent_at = now + 1;
	return true;
}
