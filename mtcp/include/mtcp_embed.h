/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP/IP stack as a plain object: no thread, no network device, no clock, no
 * DPDK, nothing started and no mtcp_init().  For test tools, simulators and
 * fuzzers that want to hold both ends of the wire and the clock in their hands.
 *
 *	struct mtcp_embed_cfg cfg = { 0 };
 *	cfg.address = "10.0.0.1/24";
 *	cfg.config = "tcp_timestamps = off\n";
 *	struct mtcp_embed *e = mtcp_embed_new(&cfg);
 *	mctx_t ctx = mtcp_embed_context(e);
 *	...mtcp_socket(ctx, ...), mtcp_connect(ctx, ...): the calls of mtcp_api.h...
 *	mtcp_embed_give(e, packet, len);          a packet arrives
 *	deadline = mtcp_embed_step(e, now);       the stack does what is due
 *	while ((len = mtcp_embed_take(e, packet, sizeof packet, &when)) > 0)
 *		...                               it left at `when`
 *
 * Time is the caller's: nanoseconds from any start, in an int64_t.  Nothing
 * happens between two steps, and a step happens at the time it is told.  The
 * stack is moved on by mtcp_embed_step(), and, at the time of the last step, by
 * those calls of mtcp_api.h that need an answer of the stack: mtcp_socket(),
 * mtcp_bind(), mtcp_listen(), options that live in the connection, and looking
 * at an epoll that has nothing.  So after any call of mtcp_api.h, step before you rely on the
 * deadline, or ask mtcp_embed_deadline().
 *
 * Packets are IP packets, of either version, without a link layer: the stack
 * neither asks for nor knows link addresses.  All of the network is behind one
 * wire, whatever the prefix of the address is; there is no gateway to name.
 *
 * Deterministic: the same configuration, seed, times, packets and calls give the
 * same packets at the same times, in every run.  Everything that is chosen at random elsewhere
 * (initial sequence numbers, ports, offsets of timestamps, cookies) follows from
 * `seed`.
 *
 * No global state: there can be any number of stacks in one process.  A stack and
 * its context are used by one thread at a time; different stacks by different
 * threads without any lock.
 *
 * Nothing here prints, ends the process, reads a file or starts anything.
 * (The key `pcap` makes a file, since it was asked to: a capture of all packets.)
 *
 * Errors: -1, or NULL, with errno; mtcp_embed_error() then has a sentence.  A NULL
 * where something must stand is EFAULT.
 */
#ifndef MTCP_EMBED_H
#define MTCP_EMBED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mtcp_api.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mtcp_embed;

/* A time that never comes. */
#define MTCP_EMBED_NEVER INT64_MAX

/*
 * Lets the world go on for a call that waits: makes time pass, hands in packets,
 * and calls mtcp_embed_step() for this stack at least once.  `until` is the latest time to which
 * the clock may be moved before this stack is stepped; MTCP_EMBED_NEVER when only
 * a packet can help.  It may make calls on other sockets of this stack and on
 * other stacks, but must leave the socket that is waited for open.
 * 0: the call looks again, and perhaps waits again; it ends by itself when its
 * time-out has come.  Negative: the call fails with that errno, -EINTR say.
 */
typedef int (*mtcp_embed_wait_t)(void *arg, int64_t until);

/* Bits of struct mtcp_embed_cfg.flags. */
enum mtcp_embed_flag {
	/* Packets that are given have good checksums, whatever stands there: for fuzzers. */
	MTCP_EMBED_TRUST_CHECKSUMS = 1 << 0,
	/* Every connection of this stack starts its sequence at `isn`.  For tests only. */
	MTCP_EMBED_FIXED_ISN = 1 << 1
};

/* All zero is a good start: only an address is needed, here or in `config`. */
struct mtcp_embed_cfg {
	/* Lines of mtcp.conf(5), "key = value\n"; NULL: all defaults.  Keys of the
	 * machine (num_cores, port, eal_args, rings' descriptors ...) are read and have no effect,
	 * but for rx_ring and tx_ring: how many packets may wait to be looked at or
	 * to be taken.  fault_* and pcap work. */
	const char *config;
	/* "10.0.0.1", "10.0.0.1/24 10.0.0.2", "fd00::1/64": one or several with blanks;
	 * replaces that of `config`.  Without a length, a host's own: /32, /128. */
	const char *address;
	int64_t now;             /* the clock at the start; 0 or more                 */
	uint64_t seed;           /* of all that is random                             */
	uint32_t isn;            /* with MTCP_EMBED_FIXED_ISN                         */
	unsigned flags;          /* enum mtcp_embed_flag                              */
	mtcp_embed_wait_t wait;  /* for calls that wait; NULL: none does (EAGAIN)     */
	void *wait_arg;
	/* Where mtcp_embed_new() writes what is wrong with `config` or `address`, a
	 * line each; NULL: nowhere. */
	char *error;
	size_t error_size;
	uint64_t reserved[8];    /* 0                                                 */
};

/*
 * A new stack.  Memory is reserved for the maxima of `config` and used as it is
 * needed; `max_concurrency = 100` makes a small one.  `cfg` and what it points to
 * are not needed afterwards.
 * NULL with EINVAL (config, address, flags, now), EMSGSIZE (`config` too long),
 * ENOMEM, EIO (the file of `pcap`), EFAULT.
 */
struct mtcp_embed *mtcp_embed_new(const struct mtcp_embed_cfg *cfg);

/*
 * Ends it at once: connections are forgotten, nothing is sent, the context and
 * all of its sockets are gone.  Not from within the wait callback.  NULL is allowed.
 */
void mtcp_embed_free(struct mtcp_embed *embed);

/*
 * The context for the calls of mtcp_api.h and mtcp_epoll.h; the same every time.
 * It lives as long as the stack; mtcp_destroy_context() leaves it alone.  A call
 * waits only where it may block, and then through the wait callback.  Time-outs
 * of calls (mtcp_epoll_wait(), SO_RCVTIMEO ...) are of the stack's clock.
 * mtcp_epoll_getfd() fails with EOPNOTSUPP.
 */
mctx_t mtcp_embed_context(struct mtcp_embed *embed);

/*
 * Does all that is due at `now`: takes the packets that were given, runs timers,
 * does what calls have asked, sends.  Time that goes back counts as standing
 * still.  Cannot fail.
 * Returns when to step again if nothing happens before, > now: the stack may
 * then find that it is too early, but it never finds that it is too late.
 * MTCP_EMBED_NEVER: only on a packet or a call.
 */
int64_t mtcp_embed_step(struct mtcp_embed *embed, int64_t now);

/* What mtcp_embed_step() would return now: the time of the last step itself
 * when packets or calls wait to be looked at. */
int64_t mtcp_embed_deadline(const struct mtcp_embed *embed);

/* The time of the last step. */
int64_t mtcp_embed_now(const struct mtcp_embed *embed);

/*
 * An IP packet arrives; the next step looks at it.  Copied.  Anything may be in it: what is wrong
 * is dropped and counted (mtcp_embed_count()).
 * EMSGSIZE (len is 0 or above 65535), ENOBUFS (rx_ring packets wait), ENOMEM, EFAULT.
 */
int mtcp_embed_give(struct mtcp_embed *embed, const void *packet, size_t len);

/*
 * Takes the packet that the stack has sent longest ago, checksums done; *when
 * (NULL: not wanted) is the time at which it left.  A buffer of the MTU is large
 * enough.  When tx_ring packets wait to be taken the stack holds back, as
 * with a device that is busy.
 * Its length; 0: there is none.  EMSGSIZE: it is larger than `size`, and stays; EFAULT.
 */
ssize_t mtcp_embed_take(struct mtcp_embed *embed, void *packet, size_t size, int64_t *when);

/*
 * Changes a key of mtcp.conf(5) while the stack runs: all of TCP's (tcp_*, cc,
 * ecn, pacing, rcvbuf*, sndbuf* ...), ip_default_ttl, ip_local_port_range, mtu, and the quotas of
 * a step (rx_burst ... tx_data); mtcp_embed_key() lists them.  Between two steps nothing
 * runs that could read half a change.  The new value counts
 *   at once   for what is read whenever it is needed: limits, time-outs, delays,
 *             retries; timers that run are computed anew, except one that repeats
 *             a segment and has been started
 *   for connections that begin later   what a connection is made with: cc, first
 *             buffer sizes, initial window and RTO, TTL, options of the SYN, MTU
 * EINVAL (bad value, or one that contradicts another key), ENOENT (no such key),
 * EBUSY (a key that is fixed when the stack is made; or tcp_timestamps, tcp_sack,
 * tcp_window_scaling, ecn or rcvbuf_max while a handshake is under way that has said otherwise),
 * ENOMEM, EFAULT.  Nothing is changed then.
 */
int mtcp_embed_set(struct mtcp_embed *embed, const char *key, const char *value);

/*
 * The value of a key as mtcp_embed_set() would take it; with its NUL in value[size].
 * The length; ENOENT (no such key), ERANGE (`size` is too small: 1024 never is, but
 * for long lists), ENOMEM, EFAULT.
 */
ssize_t mtcp_embed_get(const struct mtcp_embed *embed, const char *key, char *value,
                       size_t size);

/*
 * The name of the nth key from 0 on, NULL beyond the last; *live (NULL: not
 * wanted) is 1 when mtcp_embed_set() can change it, else 0.
 */
const char *mtcp_embed_key(unsigned n, int *live);

/* The last complaint of mtcp_embed_set() about a key or a value, one line without
 * a newline; "" if there was none.  Valid until the next mtcp_embed_set(). */
const char *mtcp_embed_error(const struct mtcp_embed *embed);

/*
 * What became of received packets: the nth fate from 0 on and how many have met
 * it.  *name is a word such as DROP_OUTSIDE_WINDOW, *text a sentence; NULL where
 * not wanted.  0 and *count, or -1 with ENOENT beyond the last, EFAULT.
 */
int mtcp_embed_count(const struct mtcp_embed *embed, unsigned n, const char **name,
                     const char **text, uint64_t *count);

#ifdef __cplusplus
}
#endif

#endif
