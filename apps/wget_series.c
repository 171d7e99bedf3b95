/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intervals in an array.  It is zero memory of the system, taken only when touched.
 */
#include "apps/wget_series.h"

#include <stdlib.h>

bool
series_begin(struct series *s)
{
	*s = (struct series){ .length_ns = SERIES_SHORTEST_NS };
	s->at = calloc(SERIES_MAX, sizeof(*s->at));
	return s->at != NULL;
}

void
series_end(struct series *s)
{
	free(s->at);
	s->at = s->last = NULL;
}

static void
interval_add(struct interval *i, const struct interval *from)
{
	i->completed += from->completed;
	i->failed += from->failed;
	latency_merge(&i->response, &from->response);
}

static void
halve(struct series *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (i > 0 && i % 2 == 0)
			s->at[i / 2] = s->at[i];
		else if (i % 2 == 1)
			interval_add(&s->at[i / 2], &s->at[i]);
	}
	for (unsigned i = (s->n + 1) / 2; i < s->n; i++)
		s->at[i] = (struct interval){ 0 };
	s->n = (s->n + 1) / 2;
	s->length_ns *= 2;
	s->last = NULL;
}

void
series_stretch(struct series *s, int64_t length_ns)
{
	while (s->length_ns < length_ns)
		halve(s);
}

struct interval *
series_at(struct series *s, int64_t ns)
{
	int64_t t = ns > 0 ? ns : 0;
	unsigned i;

	if (s->last && t >= s->last_from && t - s->last_from < s->length_ns)
		return s->last;
	while (t / s->length_ns >= SERIES_MAX)
		halve(s);
	i = (unsigned)(t / s->length_ns);
	if (i >= s->n)
		s->n = i + 1;
	s->last_from = i * s->length_ns;
	s->last = &s->at[i];
	return s->last;
}

void
series_merge(struct series *s, const struct series *from)
{
	series_stretch(s, from->length_ns);
	for (unsigned i = 0; i < from->n; i++)
		interval_add(series_at(s, i * from->length_ns), &from->at[i]);
}
