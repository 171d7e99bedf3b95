/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One core, one stack, one function.  stack_step() takes a burst of packets
 * and the application's jobs and leaves a burst of packets and the
 * application's events.  It reads no clock, opens no file, owns no thread,
 * allocates nothing from the system.
 */
#pragma once

#include "core/sock.h"
#include "core/stack_cfg.h"
#include "io_engine/io.h"

struct stack;

/* Bytes of zeroed, untouched memory that stack_new() wants for `cfg`. */
size_t stack_memory(const struct stack_cfg *cfg);

/* Builds a stack in `mem`.  ios[i] carries port i's packets; the stack uses
 * them until stack_delete(), which leaves closing them to the caller.  NULL:
 * the region is too small. */
struct stack *stack_new(const struct stack_cfg *cfg, struct region *mem, struct io *const ios[],
                        int64_t now);
void stack_delete(struct stack *st);

/* A neighbour that never changes (arp.conf).  Before the first step; false:
 * unusable addresses or no room. */
bool stack_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip,
                     const uint8_t mac[6]);

/* Takes over everything of `cfg` that may change while a stack runs: `tcp`, the quotas, the
 * ephemeral range, MTUs.  Between steps, by whoever runs them.  Connections that
 * are there keep what they began with (algorithm, sizes, TTL, segment size); what is read as it is
 * needed counts at once, timers that were computed from it included.  SYN cookies of a
 * SYN-ACK that has announced otherwise are void.  False, and nothing changed: a handshake is
 * under way and has. */
bool stack_tune(struct stack *st, const struct stack_cfg *cfg, int64_t now);

/* Makes the stack one of several: core cfg->core takes its seat in a hall for cfg->cores,
 * which outlives the stack.  After stack_new(), before the first step.  False, and nothing
 * done: the hall is for another number of cores. */
struct hall;
bool stack_join(struct stack *st, struct hall *hall);

/* The cores, a bit each, that slept when something was left for them since the last call of
 * this: wake them. */
uint64_t stack_take_wakes(struct stack *st);

/* Before the stack's thread sleeps, and whenever it is not slept any more.  False: others
 * have left something; step instead. */
bool stack_may_sleep(struct stack *st);
void stack_woke(struct stack *st);

/* One step.  Returns when the stack next has something to do of its own
 * accord: a time <= now means at once; TIME_NEVER: only on a packet or a job. */
int64_t stack_step(struct stack *st, int64_t now);

/* Whether the last step found a packet or a job, or sent something: a reason
 * to look again before sleeping. */
bool stack_was_busy(const struct stack *st);

/* Whether events were left for the application since the last call of this:
 * wake it if it sleeps. */
bool stack_take_posted(struct stack *st);

/* The part shared with the application's thread. */
struct channel *stack_channel(struct stack *st);

/* Asks every connection to finish; stack_is_quiet() is true when none is left,
 * and resets those that remain after `timeout_ns`.  Go on stepping between the
 * two, and a few steps after.  The same as SOCK_CALL_QUIESCE, for whoever runs
 * the stack when the application cannot ask any more. */
void stack_quiesce(struct stack *st, int64_t timeout_ns, int64_t now);
bool stack_is_quiet(struct stack *st, int64_t now);

/* Everything that must hold between steps; asserts (builds with checks). */
void stack_check(const struct stack *st);

/* Counters since the start, for the per-second lines and telemetry.  Written
 * by the stack's thread only; readable from any (each is one word). */
struct stack_stats {
	_Atomic uint64_t rx_pkts, rx_bytes, rx_errors;
	_Atomic uint64_t tx_pkts, tx_bytes, tx_drops;
	_Atomic uint64_t flows;      /* connections now, TIME-WAIT not counted */
	_Atomic uint64_t half_open, time_wait;
	_Atomic uint64_t retransmits;
	_Atomic uint64_t steps, jobs, events;
	/* Packets that arrived on the wrong core: given to another core, got from
	 * another, and lost (messages too) where neither was possible. */
	_Atomic uint64_t handed_out, handed_in, handed_dropped;
};

const struct stack_stats *stack_stats(const struct stack *st);

/* How many packets had fate `f` (core/fates.def), and its name and meaning;
 * NULL beyond the last. */
uint64_t stack_fate_count(const struct stack *st, unsigned f);
const char *stack_fate_name(unsigned f);
const char *stack_fate_text(unsigned f);

struct trace;
const struct trace *stack_trace(const struct stack *st);
