/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion control algorithms, by name and by position, and their change. */

#include "tcp/tcp_rare.h"

const struct cc_ops *const tcp_cc_table[TCP_CC_N] = {
#define X(name) [TCP_CC_##name] = &cc_##name,
	TCP_CC_LIST(X)
#undef X
};

const struct cc_ops *
tcp_cc_find(const char *name)
{
	for (unsigned i = 0; i < TCP_CC_N; i++)
		if (strcmp(tcp_cc_table[i]->name, name) == 0)
			return tcp_cc_table[i];
	return NULL;
}

const struct cc_ops *
tcp_cc_at(unsigned i)
{
	return i < TCP_CC_N ? tcp_cc_table[i] : NULL;
}

void
tcp_cc_stop(struct tcp_env *e, struct tcp_conn *c)
{
	if (tcp_cc(c)->detach)
		tcp_cc(c)->detach(e, c);
}

void
tcp_cc_start(struct tcp_env *e, struct tcp_conn *c, const struct cc_ops *cc, int64_t now)
{
	tcp_cc_stop(e, c);
	if (c->rare)
		memset(c->rare->cc_state, 0, sizeof c->rare->cc_state);
	cc = !cc->attach || cc->attach(e, c) ? cc : &cc_cubic;
	c->cc = cc->number;
	cc->init(e, c, now);
	/* One that knows no ssthresh may have left none for the end of a recovery. */
	if (c->ca >= TCP_CA_CWR && c->ssthresh == UINT32_MAX)
		c->ssthresh = c->cwnd;
}
