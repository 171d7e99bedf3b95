/* SPDX-License-Identifier: BSD-3-Clause */
/* A record begins as if nothing had ever happened, and urgent text ended before the first byte. */
#include "tcp/tcp_rare.h"

const struct tcp_rare tcp_rare_none = { .cork_at = TIME_NEVER };

struct tcp_rare *
tcp_rare_own(struct tcp_env *e, struct tcp_conn *c)
{
	if (c->rare)
		return c->rare;
	c->rare = pool_get(&e->rares);
	assert(c->rare); /* there are as many as connections */
	*c->rare = tcp_rare_none;
	c->rare->snd_up = c->iss;
	return c->rare;
}

void
tcp_rare_release(struct tcp_env *e, struct tcp_conn *c)
{
	if (!c->rare)
		return;
	pool_put(&e->rares, c->rare);
	c->rare = NULL;
}
