/* SPDX-License-Identifier: BSD-3-Clause */
/* The state machine against RFC 9293 3.3.2, written out a second time: by arc, and by life. */
#include <CUnit/CUnit.h>

#include "tcp/tcp.h"
#include "test/tcp/aborts.h"
#include "test/tcp/duo.h"

void suite_tcp_state(void);

/* Each arc of figure 5 that a connection can take. */
static const struct arc {
	enum tcp_state from, to;
} arcs[] = {
	{ TCP_CLOSED, TCP_SYN_SENT },         /* active OPEN                */
	{ TCP_CLOSED, TCP_SYN_RCVD },         /* a listener's half-open one */
	{ TCP_SYN_SENT, TCP_SYN_RCVD },       /* simultaneous open          */
	{ TCP_SYN_SENT, TCP_ESTABLISHED },
	{ TCP_SYN_RCVD, TCP_ESTABLISHED },
	{ TCP_ESTABLISHED, TCP_FIN_WAIT_1 },  /* CLOSE                      */
	{ TCP_ESTABLISHED, TCP_CLOSE_WAIT },  /* FIN                        */
	{ TCP_FIN_WAIT_1, TCP_FIN_WAIT_2 },   /* ACK of FIN                 */
	{ TCP_FIN_WAIT_1, TCP_CLOSING },      /* FIN                        */
	{ TCP_FIN_WAIT_1, TCP_TIME_WAIT },    /* FIN and ACK of ours        */
	{ TCP_FIN_WAIT_2, TCP_TIME_WAIT },
	{ TCP_CLOSE_WAIT, TCP_LAST_ACK },
	{ TCP_CLOSING, TCP_TIME_WAIT },
};

static bool
has_arc(enum tcp_state from, enum tcp_state to)
{
	if (to == TCP_CLOSED)
		return true;
	for (unsigned i = 0; i < array_len(arcs); i++)
		if (arcs[i].from == from && arcs[i].to == to)
			return true;
	return false;
}

struct try {
	struct duo *d;
	enum tcp_state from, to;
};

static void
go(void *arg)
{
	struct try *t = arg;
	struct duo_side *s = &t->d->side[DUO_A];

	s->conn.state = (uint8_t)t->from;
	tcp_set_state(&s->env, &s->conn, t->to, t->d->now);
}

static void
test_every_arc_of_the_figure_is_there(void)
{
	for (unsigned i = 0; i < array_len(arcs); i++) {
		struct try t = { duo_established(NULL), arcs[i].from, arcs[i].to };
		struct tcp_conn *c = &t.d->side[DUO_A].conn;

		go(&t);
		CU_ASSERT_EQUAL(c->state, arcs[i].to);
		t.to = TCP_CLOSED;
		go(&t);
		CU_ASSERT_EQUAL(c->state, TCP_CLOSED);
		duo_free(t.d);
	}
}

static void
test_no_other_arc_can_be_taken(void)
{
	struct try t = { .d = duo_established(NULL) };

	for (int from = 0; from < TCP_N_STATES; from++)
		for (int to = 0; to < TCP_N_STATES; to++) {
			t.from = (enum tcp_state)from;
			t.to = (enum tcp_state)to;
			if (asserts_are_on())
				CU_ASSERT_EQUAL(aborts(go, &t), !has_arc(t.from, t.to));
		}
	duo_free(t.d);
}

static bool
one_of(enum tcp_state s, unsigned set)
{
	return set >> s & 1;
}

#define IN(s) (1u << TCP_##s)

/* What the RFC lets each state do, in sets instead of rows. */
static void
test_the_facts_are_the_rfcs(void)
{
	unsigned before = IN(CLOSED) | IN(LISTEN) | IN(SYN_SENT) | IN(SYN_RCVD);
	unsigned receives = IN(SYN_RCVD) | IN(ESTABLISHED) | IN(FIN_WAIT_1) | IN(FIN_WAIT_2);
	unsigned sends = IN(ESTABLISHED) | IN(CLOSE_WAIT) | IN(FIN_WAIT_1) | IN(CLOSING) |
	                 IN(LAST_ACK);
	unsigned owes_fin = IN(FIN_WAIT_1) | IN(CLOSING) | IN(LAST_ACK);

	for (int i = 0; i < TCP_N_STATES; i++) {
		enum tcp_state s = (enum tcp_state)i;
		const struct tcp_state_facts *f = &tcp_facts[i];

		CU_ASSERT_EQUAL(f->synchronized, !one_of(s, before));
		CU_ASSERT_EQUAL(f->may_recv, one_of(s, receives));
		CU_ASSERT_EQUAL(f->may_send, one_of(s, sends));
		CU_ASSERT_EQUAL(f->owes_fin, one_of(s, owes_fin));
		if (f->synchronized) /* RFC 9293 3.5: the ACK is there always */
			CU_ASSERT_EQUAL(f->outflags, TCP_ACK);
	}
	CU_ASSERT_EQUAL(tcp_facts[TCP_SYN_SENT].outflags, TCP_SYN);
	CU_ASSERT_EQUAL(tcp_facts[TCP_SYN_RCVD].outflags, TCP_SYN | TCP_ACK);
}

/* The numbers that programs read from TCP_INFO. */
static void
test_tcp_info_numbers_are_those_of_linux(void)
{
	static const enum tcp_state by_number[] = {
		[1] = TCP_ESTABLISHED, [2] = TCP_SYN_SENT,    [3] = TCP_SYN_RCVD,
		[4] = TCP_FIN_WAIT_1,  [5] = TCP_FIN_WAIT_2,  [6] = TCP_TIME_WAIT,
		[7] = TCP_CLOSED,      [8] = TCP_CLOSE_WAIT,  [9] = TCP_LAST_ACK,
		[10] = TCP_LISTEN,     [11] = TCP_CLOSING,
	};

	for (unsigned n = 1; n < array_len(by_number); n++)
		CU_ASSERT_EQUAL(tcp_facts[by_number[n]].linux_nr, n);
	CU_ASSERT_STRING_EQUAL(tcp_facts[TCP_TIME_WAIT].name, "TIME_WAIT");
}

/* ------------------------------------------------------------------ lives -- */

static void
states_are(const struct duo *d, enum tcp_state a, enum tcp_state b)
{
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, a);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, b);
}

/* RFC 9293 figure 6 and 12: the usual life. */
static void
test_the_usual_life(void)
{
	struct duo *d = duo_new(NULL);

	duo_listen(&d->side[DUO_B]);
	duo_connect(&d->side[DUO_A]);
	states_are(d, TCP_SYN_SENT, TCP_CLOSED);
	duo_run(d, MS(100));
	states_are(d, TCP_ESTABLISHED, TCP_ESTABLISHED);
	duo_close(&d->side[DUO_A]);
	states_are(d, TCP_FIN_WAIT_1, TCP_ESTABLISHED);
	duo_run(d, MS(100));
	states_are(d, TCP_FIN_WAIT_2, TCP_CLOSE_WAIT);
	duo_close(&d->side[DUO_B]);
	states_are(d, TCP_FIN_WAIT_2, TCP_LAST_ACK);
	duo_run(d, MS(100));
	states_are(d, TCP_CLOSED, TCP_CLOSED);
	CU_ASSERT_TRUE(d->side[DUO_A].has_tw);
	CU_ASSERT_FALSE(d->side[DUO_B].has_tw);
	duo_free(d);
}

/* RFC 9293 figure 13: both at once. */
static void
test_both_close_at_once(void)
{
	struct duo *d = duo_established(NULL);

	duo_run(d, MS(100));
	duo_close(&d->side[DUO_A]);
	duo_close(&d->side[DUO_B]);
	states_are(d, TCP_FIN_WAIT_1, TCP_FIN_WAIT_1);
	duo_run(d, d->latency);
	states_are(d, TCP_CLOSING, TCP_CLOSING);
	duo_run(d, d->latency);
	states_are(d, TCP_CLOSED, TCP_CLOSED);
	CU_ASSERT_TRUE(d->side[DUO_A].has_tw && d->side[DUO_B].has_tw);
	duo_free(d);
}

/* RFC 9293 figure 7: both at once. */
static void
test_both_open_at_once(void)
{
	struct duo *d = duo_new(NULL);

	duo_connect(&d->side[DUO_A]);
	duo_connect(&d->side[DUO_B]);
	duo_run(d, d->latency);
	states_are(d, TCP_SYN_RCVD, TCP_SYN_RCVD);
	duo_run(d, d->latency);
	states_are(d, TCP_ESTABLISHED, TCP_ESTABLISHED);
	duo_free(d);
}

void
suite_tcp_state(void)
{
	CU_pSuite s = CU_add_suite("tcp_state", NULL, NULL);

	CU_add_test(s, "every arc of the figure is there (RFC 9293 3.3.2)",
	            test_every_arc_of_the_figure_is_there);
	CU_add_test(s, "no other arc can be taken (RFC 9293 3.3.2)",
	            test_no_other_arc_can_be_taken);
	CU_add_test(s, "the facts are the RFC's", test_the_facts_are_the_rfcs);
	CU_add_test(s, "TCP_INFO's numbers are those of Linux",
	            test_tcp_info_numbers_are_those_of_linux);
	CU_add_test(s, "the usual life", test_the_usual_life);
	CU_add_test(s, "both close at once", test_both_close_at_once);
	CU_add_test(s, "both open at once", test_both_open_at_once);
}
