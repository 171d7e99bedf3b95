/* SPDX-License-Identifier: BSD-3-Clause */
/* A million numbers at most: the kernel's own default limit of descriptors. */
#include "posix/fdtab.h"

#include <errno.h>
#include <stdlib.h>

int
fdtab_set(struct fdtab *t, int fd, void *entry)
{
	unsigned i = (unsigned)fd;
	void ***page;

	if (i >= FDTAB_PAGE * FDTAB_PAGES)
		return entry ? -EMFILE : 0;
	page = &t->page[i / FDTAB_PAGE];
	if (!*page) {
		if (!entry)
			return 0;
		*page = calloc(FDTAB_PAGE, sizeof **page);
		if (!*page)
			return -ENOMEM;
	}
	(*page)[i % FDTAB_PAGE] = entry;
	return 0;
}

int
fdtab_next(const struct fdtab *t, int from)
{
	unsigned i = (unsigned)from;

	while (i < FDTAB_PAGE * FDTAB_PAGES) {
		void **page = t->page[i / FDTAB_PAGE];

		if (page && page[i % FDTAB_PAGE])
			return (int)i;
		i = page ? i + 1 : (i / FDTAB_PAGE + 1) * FDTAB_PAGE;
	}
	return -1;
}

void
fdtab_free(struct fdtab *t)
{
	for (unsigned i = 0; i < FDTAB_PAGES; i++)
		free(t->page[i]);
	memset(t, 0, sizeof *t);
}
