/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules are checked in the order a frame is read: link, network, segment, window. */

#include "test/sim/watch.h"

#include <stdio.h>

#include "io_engine/io_sum.h"
#include "test/sim/host.h"

#define DARK_MAX 45u /* frames that a connection may send into a dead link: back-off */

struct ip_addr
watch_silent_ip(bool v6)
{
	return v6 ? host_ip6(99) : host_ip(99);
}

struct ip_addr
watch_ghost_ip(bool v6)
{
	return v6 ? host_ip6(100) : host_ip(100);
}

void
watch_init(struct watch *w)
{
	w->dark_from = w->dark_to = TIME_NEVER;
	w->broken = NULL;
	w->n = 0;
}

static void
broken(struct watch *w, const char *why, const struct craft_way *way, const struct tcp_seg *s)
{
	if (w->broken)
		return;
	w->broken = why;
	(void)snprintf(
	    w->what, sizeof w->what, "%u:%u > %u:%u flags %02x seq %u ack %u len %u wnd %u",
	    ip_addr_v4_host(&way->src) & 255, s->sport, ip_addr_v4_host(&way->dst) & 255,
	    s->dport, s->flags, s->seq.v, s->ack.v, s->len, s->wnd);
}

static bool
addr_eq(const struct sock_addr *a, const struct sock_addr *b)
{
	return a->port == b->port && ip_addr_eq(&a->ip, &b->ip);
}

static struct watch_dir *
find(const struct watch *w, const struct sock_addr *from, const struct sock_addr *to)
{
	for (unsigned i = w->n; i-- > 0;)
		if (addr_eq(&w->dir[i].from, from) && addr_eq(&w->dir[i].to, to))
			return (struct watch_dir *)(uintptr_t)&w->dir[i];
	return NULL;
}

const struct watch_dir *
watch_find(const struct watch *w, const struct sock_addr *from, const struct sock_addr *to)
{
	return find(w, from, to);
}

static struct watch_dir *
find_or_add(struct watch *w, const struct sock_addr *from, const struct sock_addr *to)
{
	struct watch_dir *d = find(w, from, to);

	if (d || w->n == WATCH_MAX)
		return d;
	d = &w->dir[w->n++];
	*d = (struct watch_dir){ .from = *from, .to = *to, .mss = 536 };
	return d;
}

/* ------------------------------------------------------------- segments -- */

static void
take_syn(struct watch_dir *d, struct watch_dir *back, const struct tcp_seg *s)
{
	if (d->known && seq_eq(d->isn, s->seq))
		return; /* once more */
	if (d->known &&
	    !(s->flags & TCP_ACK)) /* a new connection: the other side's is old too */
		back->known = back->acked_any = false;
	*d = (struct watch_dir){
		.from = d->from,
		.to = d->to,
		.known = true,
		.isn = s->seq,
		.sent = seq_add(s->seq, seg_space(s)),
		.scale_offered = (s->opts & TCP_OPT_WSCALE) != 0,
		.scale = s->wscale,
		.mss = s->opts & TCP_OPT_MSS ? s->mss : 536,
	};
}

/* A SYN-ACK for a SYN that is not the other side's: an attacker's, over a TIME-WAIT, or one that was
 * given up; or for one whose connection goes on over there and has been reset here.  The two sides are
 * not of one mind from here on, until one of them opens again. */
static bool
answers_another(const struct watch_dir *d, const struct watch_dir *back, const struct tcp_seg *s)
{
	if ((s->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || !back->known)
		return false;
	if (seq_le(s->ack, back->isn) || seq_lt(back->sent, s->ack))
		return true;
	return d->known && !seq_eq(d->isn, s->seq) && seq_lt(seq_add(back->isn, 1), back->sent);
}

static unsigned
scale(const struct watch_dir *d, const struct watch_dir *back)
{
	return d->scale_offered && back->scale_offered ? d->scale : 0;
}

static bool
crosses_records(const struct watch_dir *d, const struct tcp_seg *s)
{
	uint32_t at = seq_sub(s->seq, d->isn) - 1;

	return s->len && at / d->record != (at + s->len - 1) / d->record;
}

void
watch_records(struct watch *w, const struct sock_addr *from, const struct sock_addr *to,
              uint32_t record)
{
	struct watch_dir *d = find_or_add(w, from, to);

	if (d)
		d->record = record;
}

static void
check_text(struct watch *w, struct watch_dir *d, const struct watch_dir *back,
           const struct craft_way *way, const struct tcp_seg *s)
{
	seq_t end = seq_add(s->seq, seg_space(s));

	if (back->known && s->len + wire_tcp_hdr_len(s) - TCP_HDR_LEN > max(back->mss, 88u))
		broken(w, "sent a segment larger than the peer's MSS", way, s);
	if (back->acked_any && seq_lt(back->offer, end))
		broken(w, "sent beyond the window it was ever given", way, s);
	if (d->record && crosses_records(d, s))
		broken(w, "sent a segment with text of two records", way, s);
	d->sent = seq_max(d->sent, end);
}

static void
check_ack(struct watch *w, struct watch_dir *d, const struct watch_dir *back,
          const struct craft_way *way, const struct tcp_seg *s)
{
	unsigned shift = s->flags & TCP_SYN ? 0 : scale(d, back);
	seq_t offer = seq_add(s->ack, s->wnd << shift);

	/* A SYN-ACK may still answer a SYN that its sender has given up. */
	if (back->known && !(s->flags & TCP_SYN) && seq_lt(back->sent, s->ack))
		broken(w, "acknowledged what was never sent", way, s);
	if (d->acked_any && seq_lt(s->ack, d->ack))
		broken(w, "took back an acknowledgment", way, s);
	/* A SYN-ACK that comes again cannot say more than 16 bits; and less than a unit may be lost
	 * in rounding (RFC 7323 2.4). */
	if (d->acked_any && !(s->flags & TCP_SYN) && (int32_t)seq_sub(d->offer, offer) >= 1 << shift)
		broken(w, "moved the offered edge to the left", way, s);
	d->ack = s->ack;
	d->offer = d->acked_any ? seq_max(d->offer, offer) : offer;
	d->acked_any = true;
}

static void
check_segment(struct watch *w, const struct craft_way *way, const struct tcp_seg *s,
              int64_t now)
{
	struct sock_addr from = { way->src, s->sport }, to = { way->dst, s->dport };
	struct watch_dir *d = find_or_add(w, &from, &to), *back = find_or_add(w, &to, &from);

	if (!d || !back)
		return;
	if (now >= w->dark_from && now < w->dark_to && d->dark++ == DARK_MAX)
		broken(w, "kept sending into a dead link", way, s);
	if (s->flags & TCP_RST) {
		/* Whoever it ends, an old ACK may bring a SYN cookie, and a connection, back. */
		d->acked_any = back->acked_any = false;
		return;
	}
	if (answers_another(d, back, s)) {
		d->known = d->acked_any = back->known = back->acked_any = false;
		return;
	}
	if (s->flags & TCP_SYN)
		take_syn(d, back, s);
	if (!d->known)
		return;
	if (seg_space(s) && !(s->flags & TCP_SYN))
		check_text(w, d, back, way, s);
	if (s->flags & TCP_ACK)
		check_ack(w, d, back, way, s);
}

/* --------------------------------------------------------------- frames -- */

/* Whose link address belongs to an address. */
static bool
right_mac(const struct ip_addr *ip, const struct mac_addr *mac)
{
	uint32_t host = ip_addr_v4_host(ip) - 0x0a000001u;
	struct mac_addr want;

	net_mac(host < 2 ? host : 2, want.b);
	return mac_eq(&want, mac);
}

/* A reset to a segment that belongs to nothing goes back where that came from, if its sender's
 * neighbour is not known (any more): an attacker may have borrowed the address. */
static bool
answers_a_stranger(const struct craft_way *way, const struct tcp_seg *s)
{
	struct mac_addr stranger;

	net_mac(2, stranger.b);
	return (s->flags & TCP_RST) && mac_eq(&way->dmac, &stranger);
}

void
watch_frame(struct watch *w, unsigned from, int64_t now, const uint8_t *frame, uint32_t len)
{
	uint16_t sums = io_sum_judge(frame, len);
	struct craft_way way = { 0 };
	struct tcp_seg s = { .flags = 0 };
	struct ip_addr silent, ghost;
	struct eth_hdr eth;
	struct mac_addr own;

	if (from >= 2)
		return;
	net_mac(from, own.b);
	if (!wire_eth_parse(frame, len, &eth) || !mac_eq(&eth.src, &own))
		broken(w, "sent from an address that is not its own", &way, &s);
	if (len > ETH_LEN + (uint32_t)w->mtu[from])
		broken(w, "sent a frame larger than the MTU", &way, &s);
	if (sums & (IO_RX_IP_BAD | IO_RX_L4_BAD))
		broken(w, "sent a wrong checksum", &way, &s);
	if (!craft_parse_tcp(frame, len, &way, &s))
		return;
	silent = watch_silent_ip(!ip_addr_is_v4(&way.dst));
	ghost = watch_ghost_ip(!ip_addr_is_v4(&way.dst));
	if (ip_addr_eq(&way.dst, &silent))
		broken(w, "answered a reset", &way, &s);
	if (!right_mac(&way.dst, &way.dmac) && !answers_a_stranger(&way, &s))
		broken(w, "sent to the wrong host", &way, &s);
	if (!ip_addr_eq(&way.dst, &ghost))
		check_segment(w, &way, &s, now);
}
