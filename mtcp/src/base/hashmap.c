/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry stands in the first slot that was free at or after its home.  So
 * every slot from an entry's home to its place is taken, and a search may stop
 * at the first empty slot; deletion keeps this true by moving later entries
 * back into the gap, growth by moving whole clusters: `split` always has an
 * empty slot below it.
 */
#include "base/hashmap.h"

#define FIRST_BITS 16u /* the map begins with 2^16 slots, half a megabyte */
#define GROW_AT    2u  /* entries are this part of the slots, as in a map that is full     */
#define GROW_SLOTS 8u  /* moved with each entry that is added, or a cluster: 2 would do */

static uint32_t
log2_of(uint32_t power)
{
	return (uint32_t)__builtin_ctz(power);
}

/* 2^bits slots count, until it grows. */
static void
set_size(struct hashmap *m, uint32_t bits)
{
	m->shift = to_u8(32 - bits);
	m->split = HASHMAP_WHOLE;
	m->grow_at = UINT32_C(1) << bits <= m->mask ? (UINT32_C(1) << bits) / GROW_AT : UINT32_MAX;
}

bool
hashmap_init(struct hashmap *m, struct region *mem, uint32_t max)
{
	uint32_t slots = 2 * pow2_at_least(max);

	*m = (struct hashmap){ .mask = slots - 1, .max = max };
	set_size(m, min(log2_of(slots), FIRST_BITS));
	m->slot = region_take(mem, slots * sizeof *m->slot);
	return m->slot != NULL;
}

/* There is an empty slot. */
static void
put(struct hashmap *m, struct hashmap_slot entry)
{
	uint32_t i = hashmap_first(m, entry.hash);

	while (m->slot[i].value)
		i = (i + 1) & m->mask;
	m->slot[i] = entry;
}

/* Moves the last cluster of the part that has not doubled, with all that stands right
 * behind it: what was displaced from there, and what has come to stand before that.  An
 * entry never meets a hole between its home and itself, but such that the walk has made, and
 * then it is met by the walk. */
static void
split_cluster(struct hashmap *m)
{
	uint32_t end = m->split, i;

	do
		m->split--;
	while (m->split > 0 && m->slot[m->split - 1].value);
	for (i = m->split; i < end || m->slot[i & m->mask].value; i++) {
		struct hashmap_slot entry = m->slot[i & m->mask];

		if (entry.value == 0)
			continue;
		m->slot[i & m->mask].value = 0;
		put(m, entry);
	}
}

static void
grow(struct hashmap *m)
{
	uint32_t to;

	if (m->split == HASHMAP_WHOLE)
		m->split = UINT32_C(1) << (32 - m->shift);
	to = m->split - min(m->split, GROW_SLOTS);
	while (m->split > to)
		split_cluster(m);
	if (m->split == 0)
		set_size(m, 33u - m->shift);
}

bool
hashmap_add(struct hashmap *m, uint32_t hash, uint32_t value)
{
	assert(value < UINT32_MAX);
	if (m->n == m->max)
		return false;
	put(m, (struct hashmap_slot){ hash, value + 1 });
	m->n++;
	if (unlikely(m->n >= m->grow_at))
		grow(m);
	return true;
}

/* Fills the gap at `i`.  An entry may move there unless its home lies in the
 * gap's wake: after the gap, at or before the entry. */
static void
close_gap(struct hashmap *m, uint32_t gap)
{
	for (uint32_t i = (gap + 1) & m->mask; m->slot[i].value; i = (i + 1) & m->mask) {
		uint32_t from_home = (i - hashmap_first(m, m->slot[i].hash)) & m->mask;
		uint32_t from_gap = (i - gap) & m->mask;

		if (from_home < from_gap)
			continue;
		m->slot[gap] = m->slot[i];
		gap = i;
	}
	m->slot[gap] = (struct hashmap_slot){ 0, 0 };
}

bool
hashmap_del(struct hashmap *m, uint32_t hash, uint32_t value)
{
	for (uint32_t i = hashmap_first(m, hash); m->slot[i].value; i = (i + 1) & m->mask) {
		if (m->slot[i].hash != hash || m->slot[i].value != value + 1)
			continue;
		close_gap(m, i);
		m->n--;
		return true;
	}
	return false;
}

bool
hashmap_replace(struct hashmap *m, uint32_t hash, uint32_t value, uint32_t by)
{
	assert(by < UINT32_MAX);
	for (uint32_t i = hashmap_first(m, hash); m->slot[i].value; i = (i + 1) & m->mask) {
		if (m->slot[i].hash != hash || m->slot[i].value != value + 1)
			continue;
		m->slot[i].value = by + 1;
		return true;
	}
	return false;
}
