/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The judge of the simulator is given histories: one that is well, some that it has to refuse,
 * and beside each of these what it has to forgive.  What a stack would do wrong is done to it.
 */
#include "test/sim/flow.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

void suite_flow(void);

#define TOTAL 20000u

struct history {
	struct swarm swarm;
	struct net *net;
	struct host host[2];
	struct watch watch;
	struct flows flows;
};

/* Host 0 connects to host 1, and each sends so much that it takes some round trips. */
static struct history *
history_plan(void)
{
	struct history *h = calloc(1, sizeof *h);
	struct swarm_flow *plan;

	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	plan = &h->swarm.flow[0];
	h->swarm.net = (struct net_cfg){ .seed = 1, .latency_ns = MS(10) };
	h->swarm.net.dark_from = h->swarm.net.dark_to = TIME_NEVER;
	h->swarm.quiesce_at = TIME_NEVER;
	h->swarm.backlog = 4;
	h->swarm.n_flows = 1;
	plan->bind = SWARM_BOUND;
	for (unsigned k = 0; k < 2; k++)
		plan->end[k] = (struct swarm_end){ .total = TOTAL,
			                           .slice = 1000,
			                           .pause = MS(5),
			                           .gulp = 65536,
			                           .abort_after = UINT32_MAX };
	for (unsigned i = 0; i < 2; i++)
		host_cfg(&h->swarm.cfg[i], i, 1 + i);
	return h;
}

static void
history_begin(struct history *h)
{
	h->net = net_new(&h->swarm.net);
	watch_init(&h->watch);
	for (unsigned i = 0; i < 2; i++)
		host_init(&h->host[i], &h->swarm.cfg[i], h->net, i, SEC(1));
	flows_init(&h->flows, &h->swarm, h->host, &h->watch, 1);
}

static struct history *
history_new(void)
{
	struct history *h = history_plan();

	history_begin(h);
	return h;
}

static void
history_free(struct history *h)
{
	for (unsigned i = 0; i < 2; i++)
		host_fini(&h->host[i]);
	net_free(h->net);
	free(h);
}

static bool
host_acts(struct history *h, unsigned i)
{
	bool due = host_due(&h->host[i]);

	if (due)
		host_step(&h->host[i]);
	return flows_act(&h->flows, i) || due;
}

/* So much time passes, unless something is found wrong or all is over before. */
static void
pass(struct history *h, int64_t ns)
{
	int64_t until = net_now(h->net) + ns, next;
	bool any;

	while (!h->flows.broken && !flows_done(&h->flows)) {
		do {
			any = host_acts(h, 0);
			any |= host_acts(h, 1);
		} while (any);
		next = min(h->host[0].deadline, h->host[1].deadline);
		next = min(min(next, net_next(h->net)), flows_next(&h->flows));
		if (next > until)
			break;
		net_time(h->net, max(next, net_now(h->net)));
	}
}

static void
refused(const struct history *h, const char *why)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(h->flows.broken);
	CU_ASSERT_STRING_EQUAL(h->flows.broken, why);
}

static struct flow_end *
end_of(struct history *h, unsigned k)
{
	struct flow_end *e = &h->flows.flow[0].end[k];

	CU_ASSERT_PTR_NOT_NULL_FATAL(e->s);
	CU_ASSERT_TRUE_FATAL(e->connected);
	return e;
}

/* The server's connection ends by a reset that no application asked for; `closed`: but that has
 * let go of it before. */
static void
server_resets(struct history *h, bool closed)
{
	struct flow_end *e = end_of(h, 1);

	host_abort(&h->host[1], e->s);
	e->s = NULL;
	e->done = closed;
}

static void
test_what_goes_well_is_well(void)
{
	struct history *h = history_new();

	pass(h, SEC(10));
	CU_ASSERT_PTR_NULL(h->flows.broken);
	CU_ASSERT_TRUE(flows_done(&h->flows));
	CU_ASSERT_EQUAL(h->flows.failed, 0);
	CU_ASSERT_EQUAL(h->flows.bytes, 2 * TOTAL);
	history_free(h);
}

/* No sequence number is too low to be somebody's. */
static void
test_an_isn_may_be_0(void)
{
	struct history *h = history_plan();

	h->swarm.cfg[0].isn_fixed = true;
	h->swarm.cfg[0].isn = 0;
	history_begin(h);
	pass(h, SEC(10));
	CU_ASSERT_PTR_NULL(h->flows.broken);
	CU_ASSERT_TRUE(flows_done(&h->flows));
	history_free(h);
}

static void
test_a_reset_without_reason_is_refused(void)
{
	struct history *h = history_new();

	pass(h, MS(100));
	server_resets(h, true);
	pass(h, SEC(10));
	refused(h, "lost its connection");
	history_free(h);
}

/* Orphans give way when memory is scarce, and nothing else does. */
static void
test_want_of_memory_forgives_orphans_only(void)
{
	for (unsigned closed = 0; closed < 2; closed++) {
		struct history *h = history_new();

		pass(h, MS(100));
		h->flows.orphans = true;
		server_resets(h, closed);
		pass(h, SEC(10));
		if (closed) {
			CU_ASSERT_PTR_NULL(h->flows.broken);
			CU_ASSERT_TRUE(flows_done(&h->flows));
			CU_ASSERT_EQUAL(h->flows.failed, 1);
		} else {
			refused(h, "lost its connection");
		}
		history_free(h);
	}
}

/* Keep-alive probes would end, in a blackout, what both programs hold. */
static void
test_only_who_may_have_been_left_alone_asks(void)
{
	struct history *h = history_new();
	const struct sock *client;

	pass(h, MS(100));
	client = end_of(h, 0)->s;
	CU_ASSERT_FALSE(flows_note_orphans(&h->flows));
	h->flows.orphans = true;
	CU_ASSERT_FALSE(flows_note_orphans(&h->flows));
	CU_ASSERT_FALSE(atomic_load(&client->opt_bits) & SOCK_OPT_KEEPALIVE);
	server_resets(h, true);
	CU_ASSERT_TRUE(flows_note_orphans(&h->flows));
	CU_ASSERT_TRUE(atomic_load(&client->opt_bits) & SOCK_OPT_KEEPALIVE);
	CU_ASSERT_FALSE(flows_note_orphans(&h->flows));
	history_free(h);
}

static void
stray_connects(struct history *h, uint16_t port)
{
	struct sock *s = host_socket(&h->host[0]);
	struct ip_addr any = ip_addr_v4(0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL_FATAL(host_bind(&h->host[0], s, &any, port), 0);
	host_connect(&h->host[0], s, &h->host[1].ip, SWARM_PORT);
}

/* Nor does it make a connection that no client has. */
static void
test_a_connection_that_nobody_made_is_refused(void)
{
	for (unsigned orphans = 0; orphans < 2; orphans++) {
		struct history *h = history_new();

		pass(h, MS(100));
		h->flows.orphans = orphans;
		stray_connects(h, SWARM_BOUND + 7);
		pass(h, SEC(10));
		refused(h, "accepted a connection that nobody made");
		history_free(h);
	}
}

static void
test_a_wrong_byte_is_refused(void)
{
	static const uint8_t wrong[1000];
	struct history *h = history_new();
	struct flow_end *e;

	pass(h, MS(100));
	e = end_of(h, 1);
	e->written += host_write(&h->host[1], e->s, wrong, sizeof wrong);
	pass(h, SEC(10));
	refused(h, "read a wrong byte");
	history_free(h);
}

static void
test_a_stream_that_ends_early_is_refused(void)
{
	struct history *h = history_new();
	struct flow_end *e;

	pass(h, MS(100));
	e = end_of(h, 1);
	host_close(&h->host[1], e->s);
	e->s = NULL;
	e->done = true;
	pass(h, SEC(10));
	refused(h, "lost its connection");
	history_free(h);
}

static void
test_a_client_that_is_not_let_in_is_refused(void)
{
	struct history *h = history_new();

	host_close(&h->host[1], h->flows.listener[1]);
	h->flows.listener[1] = NULL;
	pass(h, SEC(10));
	refused(h, "cannot connect");
	history_free(h);
}

/* One of two clients finds the queue full whenever it asks: it asks again, later.  Without a
 * program that takes its time that would be a fault. */
static void
test_a_full_queue_excuses_who_is_not_let_in(void)
{
	for (unsigned pauses = 0; pauses < 2; pauses++) {
		struct history *h = history_plan();

		h->swarm.accept_pause = pauses ? SEC(1) : 0;
		h->swarm.backlog = 1;
		history_begin(h);
		h->flows.accept_at[1] = SEC(300);
		h->flows.flow[0].end[0].try_at = MS(100);
		stray_connects(h, SWARM_BOUND + 7);
		pass(h, SEC(250));
		if (!pauses)
			refused(h, "cannot connect");
		CU_ASSERT_EQUAL(h->flows.flow[0].end[0].tries, 1 + pauses);
		history_free(h);
	}
}

void
suite_flow(void)
{
	CU_pSuite s = CU_add_suite("flow", NULL, NULL);

	CU_add_test(s, "what goes well is well", test_what_goes_well_is_well);
	CU_add_test(s, "an ISN may be 0", test_an_isn_may_be_0);
	CU_add_test(s, "a reset without reason is refused", test_a_reset_without_reason_is_refused);
	CU_add_test(s, "want of memory forgives orphans only",
	            test_want_of_memory_forgives_orphans_only);
	CU_add_test(s, "only who may have been left alone asks",
	            test_only_who_may_have_been_left_alone_asks);
	CU_add_test(s, "a connection that nobody made is refused",
	            test_a_connection_that_nobody_made_is_refused);
	CU_add_test(s, "a wrong byte is refused", test_a_wrong_byte_is_refused);
	CU_add_test(s, "a stream that ends early is refused",
	            test_a_stream_that_ends_early_is_refused);
	CU_add_test(s, "a full queue excuses who is not let in",
	            test_a_full_queue_excuses_who_is_not_let_in);
	CU_add_test(s, "a client that is not let in is refused",
	            test_a_client_that_is_not_let_in_is_refused);
}
