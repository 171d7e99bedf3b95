/* SPDX-License-Identifier: BSD-3-Clause */
/* People parse these lines: their shape is that of the original. */
#include "api/stat_board.h"

#include <inttypes.h>

/* What one line shows: a second's worth of counters. */
struct line {
	uint64_t flows, rx_pkts, rx_bytes, rx_errors, tx_pkts, tx_bytes;
};

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void
copy(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	atomic_store_explicit(to, get(from), memory_order_relaxed);
}

void
stat_board_update(struct stat_board *b, unsigned core, const struct stack_stats *s)
{
	struct stat_slot *slot = &b->now[core];

	copy(&slot->flows, &s->flows);
	copy(&slot->rx_pkts, &s->rx_pkts);
	copy(&slot->rx_bytes, &s->rx_bytes);
	copy(&slot->rx_errors, &s->rx_errors);
	copy(&slot->tx_pkts, &s->tx_pkts);
	copy(&slot->tx_bytes, &s->tx_bytes);
	atomic_store_explicit(&slot->active, true, memory_order_release);
}

static void
clear(struct stat_slot *slot)
{
	static const _Atomic uint64_t zero;

	copy(&slot->flows, &zero);
	copy(&slot->rx_pkts, &zero);
	copy(&slot->rx_bytes, &zero);
	copy(&slot->rx_errors, &zero);
	copy(&slot->tx_pkts, &zero);
	copy(&slot->tx_bytes, &zero);
}

/* Whoever prints may be about to: its line is wrong then, for the last time. */
void
stat_board_leave(struct stat_board *b, unsigned core)
{
	atomic_store_explicit(&b->now[core].active, false, memory_order_release);
	clear(&b->now[core]);
	clear(&b->then[core]);
}

void
stat_board_handed(const struct stat_board *b, unsigned core, const struct stack_stats *s,
                  FILE *out)
{
	uint64_t given = get(&s->handed_out), got = get(&s->handed_in);
	uint64_t dropped = get(&s->handed_dropped);

	if (given + got + dropped > 0)
		fprintf(out, "[CPU%2u] %s handed over: out %" PRIu64 ", in %" PRIu64
		        ", dropped %" PRIu64 "\n", core, b->name, given, got, dropped);
}

static bool
active(const struct stat_board *b, unsigned core)
{
	return atomic_load_explicit(&b->now[core].active, memory_order_acquire);
}

static bool
is_first(const struct stat_board *b, unsigned core)
{
	for (unsigned i = 0; i < core; i++)
		if (active(b, i))
			return false;
	return true;
}

/* The difference since it was printed last; moves `then` forward. */
static uint64_t
since(_Atomic uint64_t *then, const _Atomic uint64_t *now)
{
	uint64_t d = get(now) - get(then);

	copy(then, now);
	return d;
}

static struct line
line_of(struct stat_slot *then, const struct stat_slot *now)
{
	return (struct line){
		.flows = get(&now->flows),
		.rx_pkts = since(&then->rx_pkts, &now->rx_pkts),
		.rx_bytes = since(&then->rx_bytes, &now->rx_bytes),
		.rx_errors = since(&then->rx_errors, &now->rx_errors),
		.tx_pkts = since(&then->tx_pkts, &now->tx_pkts),
		.tx_bytes = since(&then->tx_bytes, &now->tx_bytes),
	};
}

static void
add(struct line *sum, const struct line *l)
{
	sum->flows += l->flows;
	sum->rx_pkts += l->rx_pkts;
	sum->rx_bytes += l->rx_bytes;
	sum->rx_errors += l->rx_errors;
	sum->tx_pkts += l->tx_pkts;
	sum->tx_bytes += l->tx_bytes;
}

/* Per second, if the last line is not just a second old. */
static uint64_t
rate(uint64_t n, int64_t ns)
{
	return (uint64_t)((double)n * (double)NS_PER_S / (double)ns);
}

static double
gbps(uint64_t bytes, int64_t ns)
{
	return (double)bytes * 8 / (double)ns;
}

static void
print(FILE *out, const char *who, const char *name, const struct line *l, int64_t ns)
{
	fprintf(out,
	        "%s %s flows: %6" PRIu64 ", RX: %7" PRIu64 "(pps) (err: %5" PRIu64
	        "), %5.2lf(Gbps), TX: %7" PRIu64 "(pps), %5.2lf(Gbps)\n",
	        who, name, l->flows, rate(l->rx_pkts, ns), l->rx_errors, gbps(l->rx_bytes, ns),
	        rate(l->tx_pkts, ns), gbps(l->tx_bytes, ns));
}

void
stat_board_print(struct stat_board *b, unsigned core, int64_t now, FILE *out)
{
	int64_t ns = now - atomic_load_explicit(&b->printed_at, memory_order_relaxed);
	struct line sum = { 0 };
	char who[16];

	if (!is_first(b, core))
		return;
	for (unsigned i = core; i < STAT_CORES_MAX; i++) {
		struct line l;

		if (!active(b, i))
			continue;
		l = line_of(&b->then[i], &b->now[i]);
		add(&sum, &l);
		snprintf(who, sizeof who, "[CPU%2u]", i);
		print(out, who, b->name, &l, max(ns, INT64_C(1)));
	}
	print(out, "[ ALL ]", b->name, &sum, max(ns, INT64_C(1)));
	fflush(out);
	atomic_store_explicit(&b->printed_at, now, memory_order_relaxed);
}
