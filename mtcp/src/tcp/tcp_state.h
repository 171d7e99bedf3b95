/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of RFC 9293 3.3.2 and what each allows, whatever led there. */
#pragma once

#include "base/base.h"
#include "wire/tcp_wire.h"

/* clang-format off */
#define TCP_STATES(X)                                                                  \
	/*  name         outflags             sync recv send fin  linux */            \
	X(CLOSED,       0,                    0,   0,   0,   0,   7)                   \
	X(LISTEN,       0,                    0,   0,   0,   0,   10)                  \
	X(SYN_SENT,     TCP_SYN,              0,   0,   0,   0,   2)                   \
	X(SYN_RCVD,     TCP_SYN | TCP_ACK,    0,   1,   0,   0,   3)                   \
	X(ESTABLISHED,  TCP_ACK,              1,   1,   1,   0,   1)                   \
	X(FIN_WAIT_1,   TCP_ACK,              1,   1,   1,   1,   4)                   \
	X(FIN_WAIT_2,   TCP_ACK,              1,   1,   0,   0,   5)                   \
	X(CLOSE_WAIT,   TCP_ACK,              1,   0,   1,   0,   8)                   \
	X(CLOSING,      TCP_ACK,              1,   0,   1,   1,   11)                  \
	X(LAST_ACK,     TCP_ACK,              1,   0,   1,   1,   9)                   \
	X(TIME_WAIT,    TCP_ACK,              1,   0,   0,   0,   6)
/* clang-format on */

enum tcp_state {
#define X(name, ...) TCP_##name,
	TCP_STATES(X)
#undef X
	TCP_N_STATES
};

struct tcp_state_facts {
	const char *name;
	uint8_t outflags;   /* flags of every segment sent in this state        */
	bool synchronized;  /* both sides know both sequence numbers            */
	bool may_recv;      /* the peer's text is still wanted                  */
	bool may_send;      /* our text may be (re)sent                         */
	bool owes_fin;      /* our FIN follows the last byte, and is not acked  */
	uint8_t linux_nr;   /* TCP_INFO's number for it                         */
};

extern const struct tcp_state_facts tcp_facts[TCP_N_STATES];

#define X(name, outflags, sync, ...)                                                   \
	static_assert((TCP_##name >= TCP_ESTABLISHED) == (sync), "as tcp_synchronized() has it");
TCP_STATES(X)
#undef X

/* tcp_facts[state].synchronized, of all facts the one that each segment asks for most often. */
static inline bool
tcp_synchronized(uint8_t state)
{
	return state >= TCP_ESTABLISHED;
}

struct tcp_conn;
struct tcp_env;

/* The only writer of a connection's state; asserts that the RFC has the arc. */
void tcp_set_state(struct tcp_env *e, struct tcp_conn *c, enum tcp_state to, int64_t now);
