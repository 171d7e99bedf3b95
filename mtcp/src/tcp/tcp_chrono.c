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

static void
held_back(struct tcp_env *e, struct tcp_conn *c, enum tcp_chrono kind, uint32_t units)
{
	struct tcp_rare *r = tcp_rare_own(e, c);

	*(kind == CHRONO_RWND ? &r->rwnd_time : &r->sndbuf_time) += units;
}

void
tcp_chrono_look(struct tcp_env *e, struct tcp_conn *c, bool wants_room, int64_t now)
{
	enum tcp_chrono kind = kind_now(c, wants_room), was = c->chrono;
	uint32_t at, lasted;

	if (likely(kind == was))
		return;
	at = clock_units(now);
	lasted = at - c->chrono_since;
	c->chrono = (uint8_t)kind;
	c->chrono_since = at;
	if (was == CHRONO_BUSY)
		c->busy_time += lasted;
	else if (was != CHRONO_IDLE)
		held_back(e, c, was, lasted);
}

int64_t
tcp_chrono_ns(const struct tcp_conn *c, enum tcp_chrono kind, int64_t now)
{
	const struct tcp_rare *r = tcp_rare(c);
	uint32_t sum = kind == CHRONO_RWND     ? r->rwnd_time
	               : kind == CHRONO_SNDBUF ? r->sndbuf_time
	                                       : c->busy_time + r->rwnd_time + r->sndbuf_time;

	if (c->chrono == kind || (kind == CHRONO_BUSY && c->chrono != CHRONO_IDLE))
		sum += clock_units(now) - c->chrono_since;
	return (int64_t)sum * UNIT_NS;
}
