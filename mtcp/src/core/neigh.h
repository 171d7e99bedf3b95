/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbours of one core on one port: who has which link address.  Neighbour
 * discovery (RFC 4861), and ARP (RFC 826) by its state machine, which answers what RFC 1122
 * 2.3.2 asks of ARP: entries age, are verified before they are given up, and
 * requests are limited.
 *
 * No packet waits here.  Who needs an address hangs a link of its own on the
 * entry; when the address comes, or never will, the links are handed back as a
 * list.  No request is sent here either: neigh_next_probe() says whom to ask.
 *
 *     wait            reply              time, unused
 *   ------> INCOMPLETE -----> REACHABLE ------------> STALE <-- a request for us
 *            | 3 tries         ^  ^  ^                  | looked up
 *            v                 |  |  +---- confirmed -- DELAY
 *          FAILED              |  +------- confirmed -- | time
 *            | time            +--- reply ------------ PROBE --> gone (3 tries)
 *            v
 *           gone
 *
 * A flood of ARP creates entries that nobody has looked up.  They make room
 * first, oldest first; an entry looked up in the last keep_ns, a static one and
 * one that is waited for never do.
 */
#pragma once

#include "base/hashmap.h"
#include "base/ip_addr.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/wheel.h"
#include "wire/eth.h"

struct neigh_cfg {
	uint32_t max;         /* entries, static ones included                    */
	uint32_t tries;       /* requests before giving up, 1..255                */
	int64_t retrans_ns;   /* between two requests                             */
	int64_t reachable_ns; /* how long a confirmation is believed              */
	int64_t delay_ns;     /* after first use of a stale entry: time for TCP to confirm it */
	int64_t fail_ns;      /* how long a failure is remembered                 */
	int64_t keep_ns;      /* how long after its last use nothing evicts an entry */
};

/* 1024 entries; 3 tries 1 s apart, 30 s, 5 s (RFC 4861 10); 3 s, 60 s. */
void neigh_cfg_default(struct neigh_cfg *cfg);

enum neigh_state {
	NEIGH_FREE = 0,
	NEIGH_INCOMPLETE, /* asked, no answer yet                         */
	NEIGH_FAILED,     /* asked often enough                           */
	NEIGH_REACHABLE,  /* from here on `mac` is usable                 */
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE,
};

struct neigh_entry {
	struct link order;        /* among those that may make room; free: the pool's */
	struct mac_addr mac;
	uint8_t state;            /* enum neigh_state                             */
	uint8_t tries;            /* requests sent since the last answer          */
	bool is_static;
	struct ip_addr ip;
	int64_t used_until;       /* keep_ns after the last use; INT64_MIN: never */
	int64_t confirmed_at;     /* when it was last known to be reachable       */
	struct list waiters;      /* links of whoever waits for `mac`             */
	struct wheel_node timer;  /* when the state changes, or to ask again      */
	struct link ask;          /* on neigh.ask: a request is due               */
	uint32_t hash;
};

struct neigh {
	struct neigh_cfg cfg;
	struct siphash_key key;
	struct neigh_entry *last; /* found last; NULL: gone                      */
	uint32_t gen;             /* entries that have gone                      */
	uint32_t news;            /* link addresses that were heard of, ever     */
	struct hashmap map;
	struct pool pool;
	struct list spare;        /* never looked up, or no address: oldest first */
	struct list used;         /* looked up: least recently used first         */
	struct list ask;          /* entries to send a request for                */
	struct wheel wheel;
};

/* `key` is copied.  False when the region is too small. */
bool neigh_init(struct neigh *n, const struct neigh_cfg *cfg, struct region *mem,
                const struct siphash_key *key, int64_t now);

/* The entry of `ip` if its `mac` is usable, else NULL: call neigh_wait().  Valid until the next
 * call that is not neigh_lookup() or neigh_confirm().  Counts as use. */
struct neigh_entry *neigh_lookup(struct neigh *n, const struct ip_addr *ip, int64_t now);

#define NEIGH_TOUCH_NS NS_PER_S /* how exactly the order of use is kept: a use need not write */

/* neigh_lookup() had found it, and neigh.gen is as it was then: it is used once more. */
__attribute__((noinline)) void neigh_use_again(struct neigh *n, struct neigh_entry *e,
                                               int64_t now);

static inline void
neigh_use(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	if (unlikely(e->state == NEIGH_STALE ||
	             now + n->cfg.keep_ns - e->used_until >= NEIGH_TOUCH_NS))
		neigh_use_again(n, e, now);
}

enum neigh_answer {
	NEIGH_KNOWN,       /* the address is there: look it up               */
	NEIGH_WAITING,     /* `waiter` hangs on the entry                    */
	NEIGH_UNREACHABLE, /* asked in vain a moment ago: EHOSTUNREACH       */
	NEIGH_NO_ROOM,     /* every entry is in use                          */
};

/* Starts resolution of `ip` unless it is under way, and hangs `waiter` (on no list; NULL:
 * nobody waits) on the entry.  The waiter may take its link off again at any time. */
enum neigh_answer neigh_wait(struct neigh *n, const struct ip_addr *ip, struct link *waiter,
                             int64_t now);

/* How a link address was heard of. */
enum neigh_kind {
	NEIGH_HEARD_REPLY,    /* a reply to us                                            */
	NEIGH_HEARD_REQUEST,  /* a request for an address of ours: the only kind that creates
	                       * an entry (RFC 826: whoever asks will be talked to)       */
	NEIGH_HEARD_ANNOUNCE, /* gratuitous, or meant for others                          */
};

/*
 * Somebody says that `ip` is at `mac`.  Moves those who waited for it to the
 * end of `ready`.  Only a reply that was asked for makes an entry REACHABLE;
 * any other news is used, but verified soon (RFC 4861 7.2.3, 7.2.5).  False
 * when nothing was to be learned: unusable addresses, a static or unknown
 * entry, no room.
 */
bool neigh_learn(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac,
                 enum neigh_kind kind, int64_t now, struct list *ready);

/*
 * A neighbour's advertisement (RFC 4861 7.2.5): `ip` is at `mac` (NULL: it does not say).
 * `solicited`: it answers, so our question arrived; `override`: its word goes above what is
 * known.  Otherwise as neigh_learn().
 */
bool neigh_advert(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac,
                  bool solicited, bool override, int64_t now, struct list *ready);

/* The neighbour has just shown that our packets arrive (RFC 4861 7.3.1: TCP's SND.UNA
 * advanced).  `e` is what neigh_lookup() said last. */
void neigh_confirm_new(struct neigh *n, struct neigh_entry *e, int64_t now);

static inline void
neigh_confirm(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	if (likely(e->state == NEIGH_REACHABLE))
		e->confirmed_at = now; /* the timer looks at it when it fires */
	else
		neigh_confirm_new(n, e, now);
}

/* An entry that never ages and never goes.  Set-up only.  False when the table is full or the
 * addresses are unusable. */
bool neigh_add_static(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac);

/* Does what is due at `now`.  Moves those who waited in vain to the end of `failed`. */
void neigh_timers(struct neigh *n, int64_t now, struct list *failed);

struct neigh_probe {
	struct ip_addr ip;   /* whose link address is wanted           */
	struct mac_addr mac; /* to whom the request goes               */
	bool broadcast;
};

/* The next request to send; false when none is due.  The request counts as sent. */
bool neigh_next_probe(struct neigh *n, int64_t now, struct neigh_probe *out);

/* Whether one is due. */
static inline bool
neigh_asks(const struct neigh *n)
{
	return !list_empty(&n->ask);
}

/* When neigh_timers() or neigh_next_probe() next has something to do: INT64_MIN is at once,
 * TIME_NEVER never. */
int64_t neigh_deadline(const struct neigh *n);

/* Everything that must hold between calls; asserts. */
void neigh_check(const struct neigh *n);
