/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack's side of a channel, played by a test: no packets, no time but
 * what the test says.  Jobs and calls are answered when the context waits or
 * the test calls fake_step(); connections do what the test lets them do.
 *
 * A context that waits for something that nobody brings gets EINTR when it
 * would wait for ever, and else wakes up at its deadline: no test hangs.
 */
#pragma once

#include "api/context.h"

#define FAKE_SOCKS     64u
#define FAKE_CHUNKS    512u
#define FAKE_IDS       8u /* numbers kept on the ring for the application */
#define FAKE_JOBS      3u /* taken at once                                    */
#define FAKE_SND_LIMIT 65536u

struct fake_stack;

typedef void fake_script(struct fake_stack *f, void *arg);

struct fake_sock {
	bool listening, connecting;
	uint16_t port;                 /* bound to; 0: none                  */
	int64_t option[TCP_N_OPTIONS]; /* what was set                       */
	uint32_t wakes;                /* jobs taken for it                  */
	uint16_t req;                  /* requests seen when it was closed   */
	uint32_t told_space;           /* want_space that was answered       */
};

struct fake_stack {
	struct pair pair;
	struct channel ch;
	struct mtcp_context ctx;
	struct chunk_list chunks;
	uint32_t posted;
	int64_t now;
	fake_script *script;  /* runs once when the context next waits      */
	void *script_arg;
	bool starve;          /* hand down no chunks                        */
	bool armed, rung;
	unsigned waits, wakes;
	int64_t fastopen_room, fastopen_key_len;
	uint8_t fastopen_key[32];
	uint32_t free_ids[FAKE_SOCKS], n_free;
	struct fake_sock sock[FAKE_SOCKS];
	void *mem;
};

/* Makes the stack and a context on it: &f->ctx. */
void fake_init(struct fake_stack *f);

/* The same with another way of waiting: the context then belongs to the thread
 * that calls this, and all else here to the thread that plays the stack. */
void fake_init_on(struct fake_stack *f, struct pair *pair);

/* Fails the running test when chunks have leaked. */
void fake_fini(struct fake_stack *f);

/* Takes jobs, calls and chunks; refills the rings. */
void fake_step(struct fake_stack *f);

/* A connection for listener `parent` is complete: its number. */
uint32_t fake_accept(struct fake_stack *f, int parent, uint16_t peer_port);

/* What was asked by mtcp_connect() is answered. */
void fake_establish(struct fake_stack *f, int n);

/* Text, the end of it, an error, acknowledgements arrive. */
void fake_receive(struct fake_stack *f, int n, const void *data, uint32_t len);
void fake_fin(struct fake_stack *f, int n);
void fake_error(struct fake_stack *f, int n, int err);
uint32_t fake_take(struct fake_stack *f, int n, void *data, uint32_t max);
void fake_fact(struct fake_stack *f, int n, uint16_t facts);

/* Runs `script` when the context next waits. */
void fake_on_wait(struct fake_stack *f, fake_script *script, void *arg);

/* A connected socket, by way of mtcp_connect(); and a listener on `port`. */
int fake_connected(struct fake_stack *f);
int fake_listener(struct fake_stack *f, uint16_t port);
