/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DCTCP (RFC 8257): switches mark every packet that finds more than a little
 * queue, the receiver echoes each mark, and cwnd comes down by half of the share
 * of bytes that were marked.  Only where all paths are ours: by choice.  Growth,
 * and the answer to loss, are Reno's (3.4, 3.5); so is everything when the peer
 * knows no ECN.
 */

#include "tcp/tcp_rare.h"

#define ALPHA_ONE   (1u << 20) /* 3.3.2: the estimate is a fraction of this */
#define ALPHA_SHIFT 4          /* g = 1/16 */

struct dctcp {
	uint64_t reno;           /* the first words are Reno's                    */
	uint32_t alpha;
	uint32_t acked, marked;  /* bytes, in this observation window             */
	seq_t window_end;        /* ... which ends when this is acknowledged      */
	seq_t una;               /* SND.UNA that has been counted                 */
};

static_assert(sizeof(struct dctcp) <= CC_STATE_WORDS * 8, "fits the record");

static struct dctcp *
state(struct tcp_conn *c)
{
	return (struct dctcp *)(void *)c->rare->cc_state; /* since dctcp_init() */
}

static void
dctcp_init(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)tcp_rare_own(e, c);
	cc_reno.init(e, c, now);
	state(c)->alpha = ALPHA_ONE; /* 3.3: nothing is known: the worst */
	state(c)->window_end = c->snd_nxt;
	state(c)->una = c->snd_una;
}

/* 3.3, steps 1 to 7.  What is left of a falling estimate goes too, in the end. */
static void
dctcp_watch(struct tcp_conn *c, const struct cc_ack *a)
{
	struct dctcp *q = state(c);
	uint32_t bytes = seq_sub(c->snd_una, q->una);
	uint64_t share;

	q->una = c->snd_una;
	q->acked += bytes;
	q->marked += a->ece ? bytes : 0;
	if (!seq_lt(q->window_end, c->snd_una) || q->acked == 0)
		return;
	share = (uint64_t)q->marked * ALPHA_ONE / q->acked;
	q->alpha -= max(q->alpha >> ALPHA_SHIFT, q->alpha ? 1u : 0u);
	q->alpha = min(q->alpha + (uint32_t)(share >> ALPHA_SHIFT), ALPHA_ONE);
	q->window_end = c->snd_nxt;
	q->acked = q->marked = 0;
}

/* 3.3, step 9: cwnd * (1 - alpha / 2), once in a window. */
static uint32_t
dctcp_on_ecn(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint64_t cut = ((uint64_t)c->cwnd * state(c)->alpha) >> 21;

	(void)e, (void)now;
	return max(c->cwnd - (uint32_t)cut, 2u * c->mss);
}

static void
dctcp_on_ack(struct tcp_env *e, struct tcp_conn *c, const struct cc_ack *a)
{
	cc_reno.on_ack(e, c, a);
}

static uint32_t
dctcp_ssthresh(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	return cc_reno.ssthresh(e, c, now);
}

static void
dctcp_on_recovered(struct tcp_conn *c, int64_t now)
{
	cc_reno.on_recovered(c, now);
}

static void
dctcp_on_restart(struct tcp_conn *c, int64_t idle_ns)
{
	cc_reno.on_restart(c, idle_ns);
}

/* Linux's struct tcp_dctcp_info; its alpha is in 1/1024. */
static uint32_t
dctcp_info(const struct tcp_conn *c, void *out, uint32_t room)
{
	const struct dctcp *q = (const struct dctcp *)(const void *)c->rare->cc_state;
	struct {
		uint16_t enabled, ce_state;
		uint32_t alpha, marked, acked;
	} i = { 1, 0, q->alpha >> 10, q->marked, q->acked };
	uint32_t n = min(room, (uint32_t)sizeof i);

	memcpy(out, &i, n);
	return n;
}

const struct cc_ops cc_dctcp = {
	.name = "dctcp",
	.number = TCP_CC_dctcp,
	.init = dctcp_init,
	.on_ack = dctcp_on_ack,
	.ssthresh = dctcp_ssthresh,
	.on_recovered = dctcp_on_recovered,
	.on_restart = dctcp_on_restart,
	.watch = dctcp_watch,
	.on_ecn = dctcp_on_ecn,
	.info = dctcp_info,
	.exact_ecn = true,
};
