/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host of the simulated network: one stack and, in the same thread, an
 * application that works on the channel as the sockets API does.  Calls never
 * block; what has happened is learned from host_drain().
 */
#pragma once

#include "core/stack.h"
#include "test/sim/craft.h"
#include "test/sim/net.h"

#define HOST_NOTHING UINT32_MAX

/* An initial sequence number; any may be one, 0 too. */
struct host_isn {
	bool known;
	seq_t seq;
};

/* What the application knows of one socket number. */
struct host_sock {
	bool ours;       /* held by the application                    */
	bool news;       /* an event has come since host_news()        */
	uint32_t parent; /* the listener it was accepted from          */
	uint32_t next;   /* in a listener's queue of unaccepted ones   */
	uint32_t first, last;
	struct host_isn irs; /* its peer's; not known: over before it was told of */
};

struct host {
	struct stack *st;
	struct stack_cfg cfg;
	struct channel *ch;
	struct net *net;
	unsigned port;
	struct ip_addr ip;
	int64_t epoch;    /* this host's clock minus the network's              */
	int64_t deadline; /* when the stack wants its next step; network's time */
	bool woken;       /* the stack has posted, and nobody drained yet       */
	uint64_t steps;
	uint64_t steps_at_once; /* in a row at one moment                             */
	int64_t stepped_at;
	struct chunk_list empty; /* chunks to write into                               */
	struct chunk_list spent; /* chunks that reading has emptied                    */
	struct host_sock *sock;
	void *mem;
	size_t mem_size;
};

/* A configuration small enough for tests: the address 10.0.0.(port+1)/24, `secret` as key. */
void host_cfg(struct stack_cfg *cfg, unsigned port, uint64_t secret);
/* The same host speaks IPv6 and nothing else. */
void host_cfg6(struct stack_cfg *cfg, unsigned port);

/* The address that host_cfg() gives to `port`'s host. */
struct ip_addr host_ip(unsigned port);
/* The same of IPv6: 2001:db8:: before it. */
struct ip_addr host_ip6(unsigned port);

#define HOST_PORTS 2u
#define HOST_NO_PORT NET_PORTS /* host.port: packets come from elsewhere */

/* A stack on port `port` of `net`, and its second port, if it has one, on HOST_PORTS further.
 * `epoch` is added to the network's time. */
void host_init(struct host *h, const struct stack_cfg *cfg, struct net *net, unsigned port,
               int64_t epoch);
/* The same on engines of any kind; the network is only its clock. */
void host_init_on(struct host *h, const struct stack_cfg *cfg, struct net *net,
                  struct io *const io[], int64_t epoch);
void host_fini(struct host *h);
/* What host_fini() does after stack_delete(). */
void host_forget(struct host *h);

/* One step of the stack at the network's time, with every check. */
void host_step(struct host *h);
/* Whether the stack has a reason to be stepped now: deadline, packet or job. */
bool host_due(const struct host *h);
/* Takes every event; queues connections that are to be accepted. */
void host_drain(struct host *h);
/* Whether an event of `s` has come since this was asked last. */
bool host_news(struct host *h, const struct sock *s);

/* A socket, or NULL: the stack has given no number (a step brings more). */
struct sock *host_socket(struct host *h);

/* A question to the stack, answered by a step of it; 0 or an errno value.  The result stands
 * in h->ch->call. */
int host_call(struct host *h, enum sock_call_op op, struct sock *s);
int host_bind(struct host *h, struct sock *s, const struct ip_addr *ip, uint16_t port);
int host_listen(struct host *h, struct sock *s, int backlog);
int host_set(struct host *h, struct sock *s, enum tcp_option option, int64_t value);

/* The same without a step: the question waits until host_call_done(). */
void host_ask(struct host *h, enum sock_call_op op, struct sock *s);
bool host_call_done(const struct host *h);

void host_connect(struct host *h, struct sock *s, const struct ip_addr *ip, uint16_t port);
/* The next connection of a listener, or NULL. */
struct sock *host_accept(struct host *h, const struct sock *listener);
/* The ISN of its peer, also when it is over: whose it was. */
struct host_isn host_irs(const struct host *h, const struct sock *s);
/* What was written ends a record; asked when more is to follow.  False: no memory. */
bool host_end_record(struct host *h, struct sock *s);
/* Bytes taken; 0: no room (an event tells when there is some again). */
uint32_t host_write(struct host *h, struct sock *s, const uint8_t *data, uint32_t len);
/* The same before it is connected, without a word to the stack: for Fast Open. */
uint32_t host_write_ahead(struct host *h, struct sock *s, const uint8_t *data, uint32_t len);
/* Bytes got; 0: none there. */
uint32_t host_read(struct host *h, struct sock *s, uint8_t *data, uint32_t len);
/* Nothing more will ever be readable. */
bool host_eof(const struct sock *s);
uint32_t host_readable(const struct sock *s);
void host_shutdown(struct host *h, struct sock *s);
/* The socket must not be touched afterwards. */
void host_close(struct host *h, struct sock *s);
void host_abort(struct host *h, struct sock *s);

/* Gives back the chunks that reading has emptied: before the application sleeps. */
void host_rest(struct host *h);
/* Gives back every chunk it keeps. */
void host_return_chunks(struct host *h);

/* What is out of the stack's pools: NULL: nothing; otherwise what is missing.  Only after
 * host_return_chunks() and a step.  TIME-WAIT records do not count. */
const char *host_leak(const struct host *h);
