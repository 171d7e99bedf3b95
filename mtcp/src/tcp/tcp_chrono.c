/* SPDX-License-Identifier: BSD-3-Clause */
/* Times are kept in units of 16 us, and 32 bits of them: 19 hours. */
#include "tcp/tcp_chrono.h"

#include "tcp/tcp_rare.h"
#include "tcp/tcp_sack.h"

#define UNIT_NS (16 * NS_PER_US)

static uint32_t
clock_units(int64_t now)
{
	return (uint32_t)(now / UNIT_NS);
}

static bool
held_by_window(const struct tcp_conn *c, uint32_t unsent)
{
	uint32_t flight = tcp_flight(c), usable = c->snd_wnd > flight ? c->snd_wnd - flight : 0;

	return usable < min(unsent, (uint32_t)c->mss) && tcp_sack_pipe(c) < c->cwnd;
}

static enum tcp_chrono
kind_now(const struct tcp_conn *c, bool wants_room)
{
	uint32_t unsent = tcp_unsent(c);

	if (!tcp_synchronized(c->state) || (tcp_flight(c) == 0 && unsent == 0))
		return CHRONO_IDLE;
	if (unsent > 0)
		return held_by_window(c, unsent) ? CHRONO_RWND : CHRONO_BUSY;
	return wants_room && tcp_sack_pipe(c) < c->cwnd ? CHRONO_SNDBUF : CHRONO_BUSY;
}

static uint32_t *
held_time(struct tcp_rare *r, enum tcp_chrono kind)
{
	return kind == CHRONO_RWND ? &r->rwnd_time : &r->sndbuf_time;
}

/* While it is busy c->busy is when that would have begun had it never been interrupted. */
static void
leave(struct tcp_env *e, struct tcp_conn *c, uint32_t at)
{
	struct tcp_rare *r;

	if (c->chrono == CHRONO_BUSY) {
		c->busy = at - c->busy;
	} else if (c->chrono != CHRONO_IDLE) {
		r = tcp_rare_own(e, c);
		*held_time(r, c->chrono) += at - r->held_since;
	}
}

static void
enter(struct tcp_env *e, struct tcp_conn *c, enum tcp_chrono kind, uint32_t at)
{
	if (kind == CHRONO_BUSY)
		c->busy = at - c->busy;
	else if (kind != CHRONO_IDLE)
		tcp_rare_own(e, c)->held_since = at;
	c->chrono = (uint8_t)kind;
}

static __attribute__((noinline)) void
change(struct tcp_env *e, struct tcp_conn *c, enum tcp_chrono kind, uint32_t at)
{
	leave(e, c, at);
	enter(e, c, kind, at);
}

void
tcp_chrono_look(struct tcp_env *e, struct tcp_conn *c, bool wants_room, int64_t now)
{
	enum tcp_chrono kind = kind_now(c, wants_room);
	uint32_t at;

	static_assert(CHRONO_IDLE < 2 && CHRONO_BUSY < 2, "the two that most change between");
	if (likely(kind == c->chrono))
		return;
	at = clock_units(now);
	if (likely(kind < 2 && c->chrono < 2)) { /* one way as the other: leave(), enter() */
		c->busy = at - c->busy;
		c->chrono = (uint8_t)kind;
		return;
	}
	change(e, c, kind, at);
}

int64_t
tcp_chrono_ns(const struct tcp_conn *c, enum tcp_chrono kind, int64_t now)
{
	const struct tcp_rare *r = tcp_rare(c);
	uint32_t at = clock_units(now), held = at - r->held_since;
	uint32_t rwnd = r->rwnd_time + (c->chrono == CHRONO_RWND ? held : 0);
	uint32_t sndbuf = r->sndbuf_time + (c->chrono == CHRONO_SNDBUF ? held : 0);
	uint32_t busy = c->chrono == CHRONO_BUSY ? at - c->busy : c->busy;
	uint32_t sum = kind == CHRONO_RWND     ? rwnd
	               : kind == CHRONO_SNDBUF ? sndbuf
	                                       : busy + rwnd + sndbuf;

	return (int64_t)sum * UNIT_NS;
}
