/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, and what they stand for. */
#include "test/api/api_test.h"

#include "api/ref_opts.h"

#include "base/hashmap.h"
#include "tcp/tcp.h"

void suite_sockref(void);

static void
test_a_number_stands_for_what_it_was_made_for(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = sockref_new(&f.ctx, MTCP_SOCK_PIPE);
	CU_ASSERT_FATAL(id >= 0);
	ref_at(&f.ctx, (uint32_t)id)->is.pipe = NULL;
	CU_ASSERT_PTR_EQUAL(sockref_of(&f.ctx, id), ref_at(&f.ctx, (uint32_t)id));
	CU_ASSERT_PTR_NULL(sockref_of_socket(&f.ctx, id));
	CU_ASSERT_EQUAL(errno, ENOTSOCK);
	sockref_close(&f.ctx, ref_at(&f.ctx, (uint32_t)id), 0);
	CU_ASSERT_PTR_NULL(sockref_of(&f.ctx, id));
	CU_ASSERT_EQUAL(errno, EBADF);
	CU_ASSERT_PTR_NULL(sockref_of(NULL, id));
	CU_ASSERT_EQUAL(errno, EINVAL);
	fake_fini(&f);
}

/* Whatever state the last owner left, the next one starts afresh. */
static void
test_a_number_used_again_is_as_new(void)
{
	struct fake_stack f;
	int first, id = -1, all[FAKE_SOCKS], n = 0;

	fake_init(&f);
	first = fake_connected(&f);
	ref_at(&f.ctx, (uint32_t)first)->flags |= REF_LINGER | REF_KNOWN;
	ref_opts_own(&f.ctx, ref_at(&f.ctx, (uint32_t)first))->rcv_timeout_ms = 5;
	mtcp_close(&f.ctx, first);
	fake_step(&f);
	while (id != first && (id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0)) >= 0)
		all[n++] = id;
	CU_ASSERT_EQUAL_FATAL(id, first);
	CU_ASSERT_EQUAL(ref_at(&f.ctx, (uint32_t)id)->flags, 0);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, ref_at(&f.ctx, (uint32_t)id))->rcv_timeout_ms, 0);
	while (n-- > 0)
		mtcp_close(&f.ctx, all[n]);
	fake_fini(&f);
}

static void
test_an_error_is_taken_once(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(sockref_take_error(&f.ctx, ref_at(&f.ctx, (uint32_t)id)), 0);
	fake_error(&f, id, ETIMEDOUT);
	CU_ASSERT_EQUAL(sockref_take_error(&f.ctx, ref_at(&f.ctx, (uint32_t)id)), ETIMEDOUT);
	CU_ASSERT_EQUAL(sockref_take_error(&f.ctx, ref_at(&f.ctx, (uint32_t)id)), 0);
	fake_fini(&f);
}

static void
test_a_starved_socket_can_be_closed(void)
{
	struct fake_stack f;
	uint64_t word;
	int a, b, c;

	fake_init(&f);
	a = fake_connected(&f);
	b = fake_connected(&f);
	c = fake_connected(&f);
	f.starve = true;
	while (spsc_pop(&f.ch.chunks_down, &word))
		spsc_push(&f.ch.chunks_up, word);
	fake_step(&f);
	FAILS_WITH(mtcp_write(&f.ctx, a, "x", 1), EAGAIN);
	FAILS_WITH(mtcp_write(&f.ctx, b, "x", 1), EAGAIN);
	FAILS_WITH(mtcp_write(&f.ctx, c, "x", 1), EAGAIN);
	mtcp_close(&f.ctx, b);
	mtcp_close(&f.ctx, c);
	CU_ASSERT_EQUAL(f.ctx.starved, (uint32_t)a);
	CU_ASSERT_EQUAL(ref_at(&f.ctx, (uint32_t)a)->next, NO_SOCK);
	fake_fini(&f);
}

/* Of an option that the stack hands down it hears only when it has changed since. */
static void
test_what_the_stack_has_given_is_not_asked_for(void)
{
	struct fake_stack f;
	int ls, id;

	fake_init(&f);
	ls = fake_listener(&f, 80);
	atomic_store(&f.ch.socks[ls].opt_bits, SOCK_OPT_NODELAY);
	for (int given = 0; given < 2; given++) {
		fake_accept(&f, ls, 1);
		for (uint32_t n = 0; given && n < FAKE_SOCKS; n++)
			if (sock_facts(&f.ch.socks[n]) & SOCK_BORN)
				atomic_store(&f.ch.socks[n].opt_bits, SOCK_OPT_NODELAY);
		id = mtcp_accept(&f.ctx, ls, NULL, NULL);
		CU_ASSERT_FATAL(id >= 0);
		CU_ASSERT_EQUAL(atomic_load(&f.ch.socks[id].opt_bits), SOCK_OPT_NODELAY);
		fake_step(&f);
		CU_ASSERT_EQUAL(f.sock[id].wakes, given ? 0 : 1);
	}
	fake_fini(&f);
}

/* A slot of the demultiplexer at a load of one half, and numbers on two rings, two of them for
 * jobs: tables whose sizes are powers of two may take up to twice as much. */
static void
test_an_idle_connection_costs_what_the_account_says(void)
{
	size_t shares = 2 * sizeof(struct hashmap_slot) + 3 * sizeof(uint32_t);
	size_t all = sizeof(struct tcp_conn) + sizeof(struct sock) + shares;

	CU_ASSERT_EQUAL(sizeof(struct tcp_conn), 288);
	CU_ASSERT_EQUAL(sizeof(struct sock), 192);
	CU_ASSERT_EQUAL(all, 508); /* what mtcp/README.md says under "Memory" */
}

void
suite_sockref(void)
{
	CU_pSuite s = CU_add_suite("api/sockref", NULL, NULL);

	CU_add_test(s, "a number stands for what it was made for",
	            test_a_number_stands_for_what_it_was_made_for);
	CU_add_test(s, "a number used again is as new", test_a_number_used_again_is_as_new);
	CU_add_test(s, "an idle connection costs what the account says",
	            test_an_idle_connection_costs_what_the_account_says);
	CU_add_test(s, "an error is taken once", test_an_error_is_taken_once);
	CU_add_test(s, "what the stack has given is not asked for",
	            test_what_the_stack_has_given_is_not_asked_for);
	CU_add_test(s, "a starved socket can be closed", test_a_starved_socket_can_be_closed);
}
