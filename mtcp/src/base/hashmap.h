/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A multi-map from a 32-bit hash to a 32-bit value: open addressing, linear
 * probing, eight bytes a slot, deletion by moving back (no tombstones).  It
 * does not know keys: the caller hashes (siphash13 under a secret seed) and
 * compares.  At most `max` entries, at a load of one half.
 *
 * Address space is reserved for all of them, but entries spread over no more of it than
 * they need: the map begins with 65,536 slots and doubles in place when half of it is
 * full, a few entries with each that is added.  Where an entry belongs is given by the
 * highest bits of its hash, so doubling moves place p to 2p or 2p + 1; from the top down,
 * there is always room there.  Meanwhile places below `split` are as they were, and those
 * above are new.
 */
#pragma once

#include "base/region.h"

struct hashmap_slot {
	uint32_t hash;
	uint32_t value; /* stored + 1; 0: empty */
};

struct hashmap {
	struct hashmap_slot *slot;
	uint32_t mask;    /* of all that is reserved                          */
	uint32_t n, max;
	uint32_t grow_at; /* from so many entries on it grows; UINT32_MAX: it cannot */
	uint32_t split;   /* places from here on have doubled; HASHMAP_WHOLE  */
	uint8_t shift;    /* places are a hash's bits from here on            */
};

#define HASHMAP_WHOLE UINT32_MAX /* it does not grow */

/* Room for `max` entries (0..2^29) out of `mem`.  False when the region is too
 * small (or only counts). */
bool hashmap_init(struct hashmap *m, struct region *mem, uint32_t max);

/* False when `max` entries are in.  `value` below UINT32_MAX. */
bool hashmap_add(struct hashmap *m, uint32_t hash, uint32_t value);

/* Removes the entry with exactly this hash and value; false if there is none. */
bool hashmap_del(struct hashmap *m, uint32_t hash, uint32_t value);

/* The entry with exactly this hash and value has another value from now on; false if there is
 * none. */
bool hashmap_replace(struct hashmap *m, uint32_t hash, uint32_t value, uint32_t by);

/* Iterates over the values whose hash is `hash`:
 *	for (uint32_t v, i = hashmap_first(m, hash); hashmap_next(m, hash, &i, &v);)
 * Nothing may be added or deleted between the calls. */
static inline uint32_t
hashmap_first(const struct hashmap *m, uint32_t hash)
{
	uint32_t home = hash >> m->shift;

	return likely(home < m->split) ? home : hash >> (m->shift - 1);
}

static inline bool
hashmap_next(const struct hashmap *m, uint32_t hash, uint32_t *i, uint32_t *value)
{
	for (;;) {
		const struct hashmap_slot *s = &m->slot[*i];

		*i = (*i + 1) & m->mask;
		if (s->value == 0)
			return false;
		if (s->hash == hash) {
			*value = s->value - 1;
			return true;
		}
	}
}
