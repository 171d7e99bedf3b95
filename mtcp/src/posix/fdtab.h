/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a descriptor's number to what we know of it.  Nearly all numbers are the kernel's own and
 * have no entry; pages of the table appear with the first entry on them.
 *
 * Looking is safe in any thread beside the one that changes the table: pages never go away, and an
 * entry is set and taken by one store.  Who changes it sees to it that a number is not looked up
 * by others while its entry goes.
 */
#pragma once

#include "base/base.h"

#define FDTAB_PAGE  1024u
#define FDTAB_PAGES 1024u

struct fdtab {
	void **page[FDTAB_PAGES];
};

/* What stands at `fd`; NULL: nothing, also for numbers that no table has. */
static inline void *
fdtab_at(const struct fdtab *t, int fd)
{
	unsigned i = (unsigned)fd;

	if (unlikely(i >= FDTAB_PAGE * FDTAB_PAGES) || !t->page[i / FDTAB_PAGE])
		return NULL;
	return t->page[i / FDTAB_PAGE][i % FDTAB_PAGE];
}

/* 0; -EMFILE for a number that is too large, -ENOMEM.  `entry` NULL takes it out: never fails. */
int fdtab_set(struct fdtab *t, int fd, void *entry);

/* The first number from `from` on that has an entry; -1: no more. */
int fdtab_next(const struct fdtab *t, int from);

/* Frees the pages; entries are their owner's. */
void fdtab_free(struct fdtab *t);
