/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleep and wake between the two threads of a pair.  Whoever wants to sleep
 * sets its flag by a sequentially consistent exchange, looks again, then
 * sleeps; whoever has left something exchanges the flag back before it wakes.
 * Nobody makes a system call while the other side is awake.  Who asks something of the stack
 * does not even fence between leaving it and looking whether the stack sleeps, which would
 * wait for all it has written before: the stack, once it has set its flag, has every thread of
 * the process pass a fence (membarrier(2)) before it looks again.
 *
 * The application sleeps on a futex, the stack in epoll_pwait2(), on an eventfd
 * and on its ports' descriptors.
 *
 * When both run on one CPU, a stack that sleeps for a moment only (NAPPING) is
 * not woken by each request: it could not run anyway, and would take the CPU in
 * the middle of the application's turn.  It is woken when the application's turn
 * ends, in wait(), or by its own alarm.
 */
#pragma once

#include "api/pair.h"
#include "base/spsc.h"

#define HANDOFF_FDS_MAX 8u

enum handoff_sleep { HANDOFF_AWAKE, HANDOFF_NAPPING, HANDOFF_ASLEEP };

struct handoff {
	struct pair pair;              /* what the application's calls see       */
	int64_t spin_ns;               /* the application looks this long first  */

	/* -- the application's line -------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t app_asleep; /* futex: 1 asleep           */
	_Atomic uint32_t armed;        /* 1: app_fd shall ring at the next post  */
	_Atomic int app_cpu;           /* where it was seen last                 */
	bool owes_wake;                /* it asked something of a napping stack  */
	uint8_t credit;                /* how often looking has paid lately      */

	/* -- the stack's line -------------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t posted;
	_Atomic uint32_t stack_asleep; /* enum handoff_sleep                     */
	_Atomic int stack_cpu;

	/* -- constant ---------------------------------------------------------- */
	_Alignas(CACHE_LINE) int stack_fd; /* eventfd: a request                     */
	int epoll_fd;                  /* stack_fd and the ports                 */
	int app_fd;                    /* eventfd of mtcp_epoll_getfd(); -1      */
	bool fences;                   /* membarrier(2) there is none            */
};

/* 0 or -errno.  `spin_ns` bounds how long the application spins before it sleeps. */
int handoff_init(struct handoff *h, int64_t spin_ns);
void handoff_fini(struct handoff *h);

/* The clock of both sides: CLOCK_MONOTONIC. */
int64_t handoff_now(void);

/* -------------------------------------------------------- the stack's side -- */

/* A descriptor that becomes readable when a port has packets; 0 or -errno. */
int handoff_watch(struct handoff *h, int fd);

/* The same for one that is written to and never read: each write ends one sleep. */
int handoff_watch_writes(struct handoff *h, int fd);

/* Something was left for the application. */
void handoff_post(struct handoff *h);

/* The application sleeps, in a call or on the descriptor, and so needs no CPU. */
bool handoff_app_sleeps(struct handoff *h);

/* Whether both threads were last seen on the same CPU. */
bool handoff_shares_cpu(struct handoff *h);

/* Begins a sleep: false, and nothing begun, when there are jobs already. */
bool handoff_doze(struct handoff *h, enum handoff_sleep how, struct spsc *jobs);

/* Sleeps until `deadline`, a watched descriptor or a wake-up; after handoff_doze(). */
void handoff_sleep(struct handoff *h, int64_t deadline);

/* Ends what handoff_doze() began. */
void handoff_rouse(struct handoff *h);

/* From any thread: ends the stack's sleep, or its next one. */
void handoff_kick(struct handoff *h);
