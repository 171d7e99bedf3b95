/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry stands in the first slot that was free at or after its hash.  So
 * every slot from an entry's home to its place is taken, and a search may stop
 * at the first empty slot; deletion keeps this true by moving later entries
 * back into the gap.
 */
#include "base/hashmap.h"

bool
hashmap_init(struct hashmap *m, struct region *mem, uint32_t max)
{
	uint32_t slots = 2 * pow2_at_least(max);

	*m = (struct hashmap){ .mask = slots - 1, .max = max };
	m->slot = region_take(mem, slots * sizeof *m->slot);
	return m->slot != NULL;
}

bool
hashmap_add(struct hashmap *m, uint32_t hash, uint32_t value)
{
	uint32_t i = hash & m->mask;

	assert(value < UINT32_MAX);
	if (m->n == m->max)
		return false;
	while (m->slot[i].value)
		i = (i + 1) & m->mask;
	m->slot[i] = (struct hashmap_slot){ hash, value + 1 };
	m->n++;
	return true;
}

/* Fills the gap at `i`.  An entry may move there unless its home lies in the
 * gap's wake: after the gap, at or before the entry. */
static void
close_gap(struct hashmap *m, uint32_t gap)
{
	for (uint32_t i = (gap + 1) & m->mask; m->slot[i].value; i = (i + 1) & m->mask) {
		uint32_t from_home = (i - m->slot[i].hash) & m->mask;
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
	for (uint32_t i = hash & m->mask; m->slot[i].value; i = (i + 1) & m->mask) {
		if (m->slot[i].hash != hash || m->slot[i].value != value + 1)
			continue;
		close_gap(m, i);
		m->n--;
		return true;
	}
	return false;
}
