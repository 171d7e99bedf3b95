/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One or two hosts on a network in virtual time, and a stranger whose frames
 * the test makes by hand.  Every frame that a host sends is kept, so that a
 * test can say what was to be heard, and that nothing else was.
 *
 *	world_init(&w, 1, NULL);
 *	world_say(&w, 0, &(struct tcp_seg){ .flags = TCP_ACK, ... });
 *	CU_ASSERT_TRUE(world_hears(&w, 0, &s));
 *	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
 *	world_fini(&w);
 */
#pragma once

#include "core/stack_priv.h"
#include "test/sim/host.h"

#define WORLD_HOSTS    2u
#define WORLD_STRANGER 3u /* the port whose addresses are the stranger's */
#define WORLD_PORT     80u

struct world_frame {
	unsigned from;
	int64_t at;
	uint32_t len;
	uint8_t *data;
};

struct world {
	struct net *net;
	struct net_cfg net_cfg;
	struct host host[WORLD_HOSTS];
	unsigned n;
	struct world_frame *log;
	size_t n_log, room;
	size_t heard[WORLD_HOSTS]; /* where world_hears() goes on */
};

/* `n` hosts, 1 or 2; `cfg` (may be NULL) changes what host_cfg() says of host `who`.  The
 * stranger's link address is known to all of them. */
void world_init(struct world *w, unsigned n, void (*cfg)(struct stack_cfg *, unsigned who));
/* A `cfg` of world_init(): hosts, and the stranger towards them, speak IPv6 and nothing else. */
void world_v6(struct stack_cfg *cfg, unsigned who);
/* The hosts must hold no packet of the network any more. */
void world_fini(struct world *w);

/* Everything that happens now, then within `ns`. */
void world_now(struct world *w);
void world_run(struct world *w, int64_t ns);
/* One step of one host, whether it has a reason or not; nobody takes its events. */
void world_step(struct world *w, unsigned who);

struct stack *world_stack(struct world *w, unsigned who);
uint64_t world_fate(struct world *w, unsigned who, enum fate f);
/* NULL, or what is missing from a host's pools. */
const char *world_leak(struct world *w, unsigned who);

/* --------------------------------------------------------- the stranger -- */

/* The way from the stranger to a host. */
struct craft_way world_way(const struct world *w, unsigned to);
/* A frame, or a segment of his, reaches host `to`; what follows from it at once happens. */
void world_frame(struct world *w, unsigned to, const uint8_t *frame, uint32_t len);
void world_say(struct world *w, unsigned to, const struct tcp_seg *s);
/* The same, and nothing happens yet. */
void world_drop_in(struct world *w, unsigned to, const struct tcp_seg *s);

/* The next frame that `from` sent and that nobody has looked at; NULL: none. */
const struct world_frame *world_next(struct world *w, unsigned from);
/* The next TCP segment likewise; other frames are skipped. */
bool world_hears(struct world *w, unsigned from, struct tcp_seg *s);
/* Skips everything; how many frames that was. */
unsigned world_skips(struct world *w, unsigned from);

/* A connection between the stranger and a host, kept by hand. */
struct call {
	uint16_t sport, dport; /* the stranger's, the host's */
	seq_t snd, rcv;        /* next of his, next of the host's */
};

/* The stranger opens to `port`: true when the host answered as it should. */
bool world_calls(struct world *w, unsigned to, uint16_t sport, uint16_t port, struct call *k);
/* He says this much with these flags, acknowledging everything; moves on. */
void world_tells(struct world *w, unsigned to, struct call *k, uint8_t flags, uint32_t len);

/* ---------------------------------------------------------- two hosts -- */

/* A listener of host `who` on any address. */
struct sock *world_listen(struct world *w, unsigned who, uint16_t port, int backlog);
/* A socket of host `who` that connects to the other host; nothing happens yet. */
struct sock *world_connect(struct world *w, unsigned who, uint16_t port);
/* A connection from host 0 to host 1's listener, open on both sides. */
void world_pair(struct world *w, const struct sock *listener, struct sock **client,
                struct sock **server);
/* Writes `len` bytes of anything, reads away what is there; how many. */
uint32_t world_write(struct world *w, unsigned who, struct sock *s, uint32_t len);
uint32_t world_read(struct world *w, unsigned who, struct sock *s);
