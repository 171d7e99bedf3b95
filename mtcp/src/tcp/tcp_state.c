/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state machine itself: which states exist, what each allows, and the only
 * function that moves a connection from one to another.
 */

#include "tcp/tcp.h"
#include "tcp/tcp_timer.h"

const struct tcp_state_facts tcp_facts[TCP_N_STATES] = {
#define X(n, out, sync, rcv, snd, fin, nr) [TCP_##n] = { #n, out, sync, rcv, snd, fin, nr },
	TCP_STATES(X)
#undef X
};

#define TO(s) (1u << TCP_##s)

/* RFC 9293 3.3.2, figure 5, read row by row.  Any state may fall to CLOSED.
 * LISTEN is a listener's and never a connection's: a half-open record turns
 * into a connection that starts in SYN-RECEIVED. */
static const uint16_t arcs[TCP_N_STATES] = {
	[TCP_CLOSED] = TO(SYN_SENT) | TO(SYN_RCVD),
	[TCP_SYN_SENT] = TO(SYN_RCVD) | TO(ESTABLISHED),
	[TCP_SYN_RCVD] = TO(ESTABLISHED),
	[TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
	[TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT),
	[TCP_FIN_WAIT_2] = TO(TIME_WAIT),
	[TCP_CLOSE_WAIT] = TO(LAST_ACK),
	[TCP_CLOSING] = TO(TIME_WAIT),
};

void
tcp_set_state(struct tcp_env *e, struct tcp_conn *c, enum tcp_state to, int64_t now)
{
	bool allowed = to == TCP_CLOSED || (arcs[c->state] >> to & 1);

	assert(allowed);
	(void)allowed;
	trace_add(e->trace, now, c->id, T_STATE, c->state, to);
	c->state = (uint8_t)to;
	tcp_timer_state(e, c, now);
}
