/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion control algorithms, by name and by position, and their change. */

#include "tcp/tcp.h"

static const struct cc_ops *const algorithms[] = {
#define X(name) &cc_##name,
	TCP_CC_LIST(X)
#undef X
};

const struct cc_ops *
tcp_cc_find(const char *name)
{
	for (unsigned i = 0; i < array_len(algorithms); i++)
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	return NULL;
}

const struct cc_ops *
tcp_cc_at(unsigned i)
{
	return i < array_len(algorithms) ? algorithms[i] : NULL;
}

void
tcp_cc_stop(struct tcp_env *e, struct tcp_conn *c)
{
	if (c->cc && c->cc->detach)
		c->cc->detach(e, c);
}

void
tcp_cc_start(struct tcp_env *e, struct tcp_conn *c, const struct cc_ops *cc, int64_t now)
{
	tcp_cc_stop(e, c);
	memset(c->cc_state, 0, sizeof c->cc_state);
	c->cc = !cc->attach || cc->attach(e, c) ? cc : &cc_cubic;
	c->cc->init(c, now);
	/* One that knows no ssthresh may have left none for the end of a recovery. */
	if (c->ca >= TCP_CA_CWR && c->ssthresh == UINT32_MAX)
		c->ssthresh = c->cwnd;
}
