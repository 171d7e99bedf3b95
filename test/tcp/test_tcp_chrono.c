/* SPDX-License-Identifier: BSD-3-Clause */
/* Time that is spent with sending, and what holds it back. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_chrono.h"
#include "test/tcp/duo.h"

void suite_tcp_chrono(void);

#define ROUND_TRIP MS(10)
#define GRAIN      US(32) /* of two readings of the clock */

/* Runs in steps of a millisecond and looks after each. */
static void
watch(struct duo *d, int64_t ns, bool wants_room)
{
	for (int64_t t = 0; t < ns; t += MS(1)) {
		duo_run(d, MS(1));
		tcp_chrono_look(&d->side[DUO_A].env, &d->side[DUO_A].conn, wants_room, d->now);
	}
}

static int64_t
spent(struct duo *d, enum tcp_chrono kind)
{
	return tcp_chrono_ns(&d->side[DUO_A].conn, kind, d->now);
}

static bool
about(int64_t got, int64_t want, int64_t slack)
{
	return got >= want - slack && got <= want + slack;
}

static void
test_who_has_nothing_to_send_is_idle(void)
{
	struct duo *d = duo_established(NULL);

	watch(d, SEC(1), true);
	CU_ASSERT_EQUAL(spent(d, CHRONO_BUSY), 0);
	CU_ASSERT_EQUAL(spent(d, CHRONO_RWND), 0);
	CU_ASSERT_EQUAL(spent(d, CHRONO_SNDBUF), 0);
	duo_free(d);
}

static void
test_busy_until_all_is_acknowledged(void)
{
	struct duo *d = duo_established(NULL);

	watch(d, SEC(1), false);
	for (unsigned i = 1; i <= 3; i++) {
		duo_write_pattern(&d->side[DUO_A], 2 * 1460);
		tcp_chrono_look(&d->side[DUO_A].env, &d->side[DUO_A].conn, false, d->now);
		CU_ASSERT_EQUAL(d->side[DUO_A].conn.chrono, CHRONO_BUSY);
		watch(d, SEC(1), false);
		CU_ASSERT_TRUE(about(spent(d, CHRONO_BUSY), i * ROUND_TRIP, i * (MS(1) + GRAIN)));
	}
	CU_ASSERT_EQUAL(spent(d, CHRONO_RWND), 0);
	CU_ASSERT_EQUAL(spent(d, CHRONO_SNDBUF), 0);
	(void)duo_read_pattern(&d->side[DUO_B]);
	duo_free(d);
}

/* The peer does not read: its window is shut all the time until it does. */
static void
test_a_shut_window_holds_back(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];

	for (unsigned i = 0; i < 1000; i++) {
		(void)duo_write_pattern(a, 65536);
		watch(d, MS(10), false);
	}
	CU_ASSERT_EQUAL(a->conn.chrono, CHRONO_RWND);
	CU_ASSERT_TRUE(spent(d, CHRONO_RWND) > SEC(9));
	CU_ASSERT_TRUE(about(spent(d, CHRONO_BUSY), SEC(10), MS(20)));
	for (unsigned i = 0; i < 300; i++) {
		(void)duo_read_pattern(b);
		watch(d, MS(10), false);
	}
	CU_ASSERT_EQUAL(a->conn.chrono, CHRONO_IDLE);
	CU_ASSERT_TRUE(spent(d, CHRONO_RWND) < SEC(12));
	CU_ASSERT_EQUAL(spent(d, CHRONO_SNDBUF), 0);
	duo_free(d);
}

/* The application would have more, but its buffer is full of what flies. */
static void
test_a_small_send_buffer_holds_back(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];

	duo_write_pattern(a, 2 * 1460);
	tcp_chrono_look(&a->env, &a->conn, true, d->now);
	CU_ASSERT_EQUAL(a->conn.chrono, CHRONO_SNDBUF);
	watch(d, SEC(1), true);
	CU_ASSERT_TRUE(about(spent(d, CHRONO_SNDBUF), ROUND_TRIP, MS(1) + GRAIN));
	CU_ASSERT_EQUAL(spent(d, CHRONO_BUSY), spent(d, CHRONO_SNDBUF));
	(void)duo_read_pattern(&d->side[DUO_B]);
	duo_free(d);
}

void
suite_tcp_chrono(void)
{
	CU_pSuite s = CU_add_suite("tcp/tcp_chrono", NULL, NULL);

	CU_add_test(s, "who has nothing to send is idle", test_who_has_nothing_to_send_is_idle);
	CU_add_test(s, "busy until all is acknowledged", test_busy_until_all_is_acknowledged);
	CU_add_test(s, "a shut window holds back", test_a_shut_window_holds_back);
	CU_add_test(s, "a small send buffer holds back", test_a_small_send_buffer_holds_back);
}
