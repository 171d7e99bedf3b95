/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A buffer of N bytes offers a window of N/2, since text comes in segments that
 * need not fill the memory they take (Linux's tcp_adv_win_scale of 1).
 */

#include "tcp/tcp_window.h"

#include "tcp/tcp_rtt.h"

uint8_t
tcp_window_shift(uint32_t bytes)
{
	uint32_t over = bytes >> 16;
	unsigned shift = over ? 32u - (unsigned)__builtin_clz(over) : 0;

	return (uint8_t)min(shift, (unsigned)TCP_WSCALE_MAX);
}

uint32_t
tcp_window_first(const struct tcp_conn *c)
{
	return min(c->rcv_space, (uint32_t)UINT16_MAX);
}

/* What the stream may hold: what was agreed, or a few segments when everybody's memory is
 * scarce.  What has been offered stays offered. */
static uint32_t
space(const struct tcp_env *e, const struct tcp_conn *c)
{
	if (tcp_mem_level(e) == TCP_MEM_SCARCE)
		return min(c->rcv_space, 4u * c->adv_mss);
	return c->rcv_space;
}

/* Bytes that may still come before the stream holds that much. */
static uint32_t
room(const struct tcp_env *e, const struct tcp_conn *c)
{
	uint32_t used, most = space(e, c);

	if (!c->streams)
		return most;
	used = stream_used(&c->streams->rcv_w, &c->streams->rcv_r);
	return used < most ? most - used : 0;
}

/* How far the right edge could move; at least half the buffer or a segment,
 * otherwise not at all. */
static uint32_t
edge_gain(const struct tcp_env *e, const struct tcp_conn *c)
{
	uint32_t wnd = tcp_rcv_wnd(c), least = min(c->rcv_space / 2, (uint32_t)c->adv_mss), most;

	if (wnd + least > c->rcv_space) /* not even when all has been read */
		return 0;
	most = room(e, c);
	return most >= wnd + least ? most - wnd : 0;
}

/* Whether the window may be rounded up to `wnd`.  Each time this gives away a
 * part of a unit, and a peer that sends bytes singly would in the end be given
 * all memory there is: half a buffer, or the unit, is what we let it have. */
static bool
may_round_up(const struct tcp_conn *c, uint32_t wnd)
{
	uint32_t used = c->streams ? stream_used(&c->streams->rcv_w, &c->streams->rcv_r) : 0;

	return (uint64_t)used + wnd <=
	       (uint64_t)c->rcv_space + max(c->rcv_space / 2, 1u << c->rcv_wscale);
}

bool
tcp_window_exact(const struct tcp_env *e, const struct tcp_conn *c)
{
	uint32_t unit = 1u << c->rcv_wscale, wnd = tcp_rcv_wnd(c) + edge_gain(e, c);

	return (wnd & ~(unit - 1)) >= tcp_rcv_wnd(c) || may_round_up(c, (wnd | (unit - 1)) + 1);
}

uint16_t
tcp_window_offer(const struct tcp_env *e, struct tcp_conn *c)
{
	uint32_t gain = edge_gain(e, c), wnd = tcp_rcv_wnd(c) + gain;
	uint32_t field = wnd >> c->rcv_wscale;

	/* Rounding down could take back what was offered: then round up; or let it
	 * look so, less than a unit, and accept it all the same (RFC 7323 2.4). */
	if (field << c->rcv_wscale < tcp_rcv_wnd(c) &&
	    may_round_up(c, (field + 1) << c->rcv_wscale))
		field++;
	field = min(field, (uint32_t)UINT16_MAX);
	if (field << c->rcv_wscale > tcp_rcv_wnd(c))
		c->rcv_adv = seq_add(c->rcv_nxt, field << c->rcv_wscale);
	return (uint16_t)field;
}

/* The buffer may be larger than what the field can say, when scaling was not agreed on. */
bool
tcp_window_update_due(const struct tcp_env *e, const struct tcp_conn *c)
{
	uint32_t most = min(c->rcv_space, (uint32_t)UINT16_MAX << c->rcv_wscale);
	uint32_t wnd = tcp_rcv_wnd(c), gain;

	if (likely(wnd >= most / 4 && c->rcv_space - wnd < most / 2))
		return false; /* it can gain no more than what it lacks */
	gain = min(edge_gain(e, c), most - min(most, wnd));
	return gain > 0 && (gain >= most / 2 || (wnd < most / 4 && gain >= wnd));
}

/* Six times what the application read in a round trip, as much as Linux gives to one that has
 * doubled: a sender in slow start doubles in the next one, has doubled already since what is
 * read now was sent, and loses something at its end, which is repaired for a round trip without
 * anything to read.  With less the window would limit it, then open in one lump and send it a
 * burst. */
static uint32_t
want_space(const struct tcp_conn *c, uint32_t read, uint32_t limit)
{
	uint32_t want = read > limit / 6 ? limit : 6 * read;

	return max(want, c->rcv_space);
}

void
tcp_window_grow_receive(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint32_t read, limit = min(e->cfg->rcvbuf_max / 2, tcp_opt_clamp(c->opts));
	uint32_t mark = tcp_window_mark(now);

	if (!c->streams || c->rcv_space >= limit || (c->opts->set & 1u << TCP_OPTION_RCVBUF))
		return;
	if ((int64_t)(mark - c->rcv_mark + 1) << WINDOW_MARK_SHIFT < max(tcp_srtt_ns(c), NS_PER_MS))
		return;
	read = atomic_load_explicit(&c->streams->rcv_r.read, memory_order_acquire);
	if (c->rcv_mark && tcp_mem_level(e) == TCP_MEM_EASE)
		c->rcv_space = want_space(c, read - c->rcv_read_mark, limit);
	c->rcv_read_mark = read;
	c->rcv_mark = mark;
}

void
tcp_window_grow_send(struct tcp_env *e, struct tcp_conn *c)
{
	/* What the peer holds beyond a hole takes room, but none of cwnd; and a writer is told of
	 * room when a third of all is free. */
	uint32_t held = c->xmit ? c->xmit->sacked : 0;
	uint32_t want = min(2 * (c->cwnd + c->mss) + held + held / 2, e->cfg->sndbuf_max);

	if (!(c->opts->set & 1u << TCP_OPTION_SNDBUF) && want > c->snd_limit &&
	    tcp_mem_level(e) == TCP_MEM_EASE)
		c->snd_limit = want;
}
