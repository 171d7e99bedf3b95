/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making the ring, and making sentences of its records.  A record is read back
 * as if anything could stand in it: a dump of a crashed core may be torn.
 */
#include "base/trace.h"

#include <inttypes.h>
#include <stdio.h>

struct event_text {
	const char *name, *a, *b;
};

static const struct event_text texts[TRACE_N_EVENTS] = {
#define X(event, text_a, text_b) [event] = { #event, text_a, text_b },
	TRACE_EVENTS(X)
#undef X
};

bool
trace_init(struct trace *t, struct region *mem, uint32_t records)
{
	uint32_t size = pow2_at_least(records);

	*t = (struct trace){ 0 };
	if (records == 0)
		return true;
	t->mask = size - 1;
	t->ring = region_take(mem, size * sizeof *t->ring);
	return t->ring != NULL;
}

/* snprintf()'s count of what it wanted to write, to what there is. */
static size_t
printed(int n, size_t room)
{
	return n < 0 ? 0 : min((size_t)n, room - 1);
}

static size_t
print_head(const struct trace_record *r, char *line, size_t size)
{
	int64_t s = r->at / NS_PER_S, ns = r->at % NS_PER_S;
	size_t n;

	n = printed(snprintf(line, size, "%" PRId64 ".%09" PRId64, s, max(ns, -ns)), size);
	if (r->conn != UINT32_MAX)
		n += printed(snprintf(line + n, size - n, " conn %" PRIu32, r->conn), size - n);
	return n;
}

static size_t
print_number(const char *what, uint32_t v, char *line, size_t size)
{
	if (what[0] == '-')
		return 0;
	return printed(snprintf(line, size, " %s=%" PRIu32, what, v), size);
}

bool
trace_line(const struct trace *t, uint32_t i, char *line, size_t size)
{
	uint64_t held = min(t->n, (uint64_t)t->mask + 1);
	const struct trace_record *r;
	size_t n;

	if (!t->ring || i >= held || size == 0)
		return false;
	r = &t->ring[(t->n - held + i) & t->mask];
	n = print_head(r, line, size);
	if (r->event >= TRACE_N_EVENTS) {
		snprintf(line + n, size - n, " event %" PRIu32 " %" PRIu32 " %" PRIu32,
		         r->event, r->a, r->b);
		return true;
	}
	n += printed(snprintf(line + n, size - n, " %s", texts[r->event].name), size - n);
	n += print_number(texts[r->event].a, r->a, line + n, size - n);
	print_number(texts[r->event].b, r->b, line + n, size - n);
	return true;
}
