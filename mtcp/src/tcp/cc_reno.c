/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reno (RFC 5681), counting bytes (RFC 3465), growing only while cwnd is what
 * limits sending (RFC 7661's concern, in its simplest form).
 */

#include "tcp/tcp_rare.h"

#define CWND_MAX (1u << 30)

struct reno {
	uint64_t acked; /* bytes acknowledged since cwnd last grew in avoidance */
};

static_assert(sizeof(struct reno) <= CC_STATE_WORDS * 8, "fits the record");

static struct reno *
state(struct tcp_rare *r)
{
	return (struct reno *)(void *)r->cc_state;
}

static void
reno_init(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e, (void)now;
	if (c->rare)
		memset(c->rare->cc_state, 0, sizeof c->rare->cc_state);
}

static void
reno_on_ack(struct tcp_env *e, struct tcp_conn *c, const struct cc_ack *a)
{
	uint32_t acked = a->acked;
	struct reno *q;

	if (!a->cwnd_limited)
		return;
	if (c->cwnd < c->ssthresh) { /* RFC 5681 3.1, equation 2, by bytes */
		uint32_t grow = min(acked, c->ssthresh - c->cwnd);

		c->cwnd = min(c->cwnd + grow, CWND_MAX);
		acked -= grow;
	}
	if (acked == 0) /* in slow start nothing has to be remembered */
		return;
	/* One MSS per window of acknowledged bytes (RFC 3465 2.1). */
	q = state(tcp_rare_own(e, c));
	q->acked += acked;
	if (c->cwnd >= c->ssthresh && q->acked >= c->cwnd) {
		q->acked -= c->cwnd;
		c->cwnd = min(c->cwnd + c->mss, CWND_MAX);
	}
}

/* RFC 5681 3.1, equation 4. */
static uint32_t
reno_ssthresh(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e, (void)now;
	return max(tcp_flight(c) / 2, 2u * c->mss);
}

/* RFC 3168 6.1.2: half of cwnd.  The ACK that brought the mark may have covered
 * all that was in flight. */
static uint32_t
reno_on_ecn(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e, (void)now;
	return max(c->cwnd / 2, 2u * c->mss);
}

static void
reno_on_recovered(struct tcp_conn *c, int64_t now)
{
	(void)now;
	if (c->rare)
		state(c->rare)->acked = 0;
}

static void
reno_on_restart(struct tcp_conn *c, int64_t idle_ns)
{
	(void)c;
	(void)idle_ns;
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.number = TCP_CC_reno,
	.init = reno_init,
	.on_ack = reno_on_ack,
	.ssthresh = reno_ssthresh,
	.on_recovered = reno_on_recovered,
	.on_restart = reno_on_restart,
	.on_ecn = reno_on_ecn,
};
