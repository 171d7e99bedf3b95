/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads over one channel: the calls on one side, a stack that is played
 * on the other, joined by the real sleeping and waking.  The played stack
 * echoes, opens, ends and breaks connections at random; the application checks
 * every byte.  With few numbers and few chunks, both are used again at once.
 * Made for ThreadSanitizer; what it finds otherwise is a wait that never ends.
 *
 * stress_pair [seconds [seed]], half of them where membarrier(2) is refused
 */
#include <CUnit/Basic.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/handoff.h"
#include "base/rng.h"
#include "mtcp_epoll.h"
#include "test/api/fake_stack.h"

#define PORT     80
#define ECHO_MAX 16384u /* unread bytes that the stack leaves in a stream */
#define TALK_MAX 60000u /* bytes of one connection */

#define CHUNKS_MIN 4u /* that an echo may take: the application gets the others */

struct stress {
	struct handoff handoff;
	struct fake_stack f;
	_Atomic bool stop;
	uint64_t seed;
	int64_t until;
	uint64_t conns, bytes, broken; /* of the application */
};

/* -- the played stack ----------------------------------------------------- */

static bool
alive(const struct fake_stack *f, uint32_t n)
{
	const struct sock *s = &f->ch.socks[n];

	return (s->kind == SOCK_KIND_CONN || f->sock[n].connecting) && !s->goodbye &&
	       (sock_facts(s) & SOCK_CONNECTED) && !(sock_facts(s) & SOCK_ERROR);
}

/* Sends back what was written; the end of it too. */
static bool
echo(struct fake_stack *f, uint32_t n, struct rng *rng)
{
	struct sock *s = &f->ch.socks[n];
	uint32_t unread = stream_used(&s->rcv_w, &s->rcv_r), len;
	uint8_t buf[4096];

	if (rng_chance_ppm(rng, 300)) {
		fake_error(f, (int)n, ECONNRESET);
		return true;
	}
	if (unread >= ECHO_MAX || f->chunks.n < CHUNKS_MIN)
		return false;
	len = fake_take(f, (int)n, buf, 1 + rng_below(rng, sizeof buf));
	if (len > 0)
		fake_receive(f, (int)n, buf, len);
	else if ((sock_requests(s) & SOCK_REQ_SHUT_WR) && !(sock_facts(s) & SOCK_PEER_FIN) &&
	         stream_used(&s->snd_w, &s->snd_r) == 0)
		fake_fact(f, (int)n, SOCK_PEER_FIN | SOCK_FIN_ACKED);
	else
		return false;
	return true;
}

static void
answer_connect(struct fake_stack *f, uint32_t n, struct rng *rng)
{
	if (rng_chance_ppm(rng, 50000))
		fake_error(f, (int)n, ECONNREFUSED);
	else
		fake_establish(f, (int)n);
}

static bool
wants_answer(const struct fake_stack *f, uint32_t n)
{
	return f->sock[n].connecting && !f->ch.socks[n].goodbye &&
	       !(sock_facts(&f->ch.socks[n]) & (SOCK_CONNECTED | SOCK_ERROR));
}

/* One round over all sockets; whether anything happened. */
static bool
play(struct fake_stack *f, struct rng *rng)
{
	bool busy = false;

	fake_step(f);
	for (uint32_t n = 0; n < FAKE_SOCKS; n++) {
		if (f->sock[n].listening && f->n_free > FAKE_SOCKS / 2 &&
		    rng_chance_ppm(rng, 200000))
			fake_accept(f, (int)n, (uint16_t)rng_below(rng, 60000));
		if (wants_answer(f, n))
			answer_connect(f, n, rng);
		if (alive(f, n))
			busy |= echo(f, n, rng);
	}
	return busy;
}

static void *
stack_thread(void *arg)
{
	struct stress *st = arg;
	struct rng rng = { st->seed };
	uint32_t posted = 0;

	handoff_rouse(&st->handoff);
	while (!atomic_load(&st->stop)) {
		bool busy = play(&st->f, &rng);
		enum handoff_sleep how = rng_chance_ppm(&rng, 500000) ? HANDOFF_NAPPING : HANDOFF_ASLEEP;

		if (st->f.posted != posted)
			handoff_post(&st->handoff);
		posted = st->f.posted;
		if (busy || !handoff_doze(&st->handoff, how, &st->f.ch.jobs))
			continue;
		handoff_sleep(&st->handoff, handoff_now() + US(rng_below(&rng, 200)));
		handoff_rouse(&st->handoff);
	}
	return NULL;
}

/* -- the application ------------------------------------------------------ */

/* One connection: what it says, and how much of it came back. */
struct talk {
	int id; /* -1: none */
	bool connecting, shut;
	uint32_t length, written, read;
	uint8_t key;
};

struct app {
	struct stress *st;
	mctx_t m;
	int ep, listener;
	struct rng rng;
	struct talk talk[FAKE_SOCKS]; /* by number */
};

static uint8_t
said(const struct talk *t, uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) + t->key);
}

static void
talk_begin(struct app *a, int id, bool connecting)
{
	struct mtcp_epoll_event ev = { .data.sockid = id };
	struct talk *t = &a->talk[id];

	*t = (struct talk){ .id = id, .connecting = connecting };
	t->length = rng_below(&a->rng, TALK_MAX);
	t->key = (uint8_t)rng_u64(&a->rng);
	ev.events = MTCP_EPOLLIN | MTCP_EPOLLOUT;
	if (rng_chance_ppm(&a->rng, 500000))
		ev.events |= (uint32_t)MTCP_EPOLLET;
	mtcp_setsock_nonblock(a->m, id);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(a->m, a->ep, MTCP_EPOLL_CTL_ADD, id, &ev), 0);
	a->st->conns++;
}

static void
talk_end(struct app *a, struct talk *t, bool broken)
{
	int failed;

	if (broken)
		a->st->broken++;
	if (rng_chance_ppm(&a->rng, 100000))
		failed = mtcp_abort(a->m, t->id);
	else
		failed = mtcp_close(a->m, t->id);
	CU_ASSERT_EQUAL(failed, 0);
	t->id = -1;
}

static void
begin_one(struct app *a)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int id = mtcp_socket(a->m, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (id < 0)
		return;
	to.sin_addr.s_addr = htonl(0x0a000002);
	mtcp_connect(a->m, id, (struct sockaddr *)&to, sizeof to);
	talk_begin(a, id, true);
}

/* Until there is no room: false when the connection broke. */
static bool
write_some(struct app *a, struct talk *t)
{
	char buf[5000];
	ssize_t n;

	while (t->written < t->length) {
		uint32_t len = 1 + rng_below(&a->rng, sizeof buf);

		len = min(len, t->length - t->written);
		for (uint32_t i = 0; i < len; i++)
			buf[i] = (char)said(t, t->written + i);
		n = mtcp_write(a->m, t->id, buf, len);
		if (n < 0)
			return errno == EAGAIN;
		t->written += (uint32_t)n;
	}
	if (!t->shut) {
		t->shut = true;
		mtcp_shutdown(a->m, t->id, SHUT_WR);
	}
	return true;
}

/* Until there is nothing: 1 more may come, 0 the end, -1 broken. */
static int
read_some(struct app *a, struct talk *t)
{
	char buf[5000];
	ssize_t n;

	while ((n = mtcp_read(a->m, t->id, buf, 1 + rng_below(&a->rng, sizeof buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if ((uint8_t)buf[i] != said(t, t->read + (uint32_t)i)) {
				CU_FAIL("wrong byte");
				return -1;
			}
		t->read += (uint32_t)n;
		a->st->bytes += (uint64_t)n;
	}
	return n == 0 ? 0 : errno == EAGAIN ? 1 : -1;
}

static void
talk_on(struct app *a, struct talk *t, uint32_t events)
{
	int more;

	if (t->connecting && !(events & MTCP_EPOLLOUT))
		return;
	t->connecting = false;
	if (!write_some(a, t)) {
		talk_end(a, t, true);
		return;
	}
	more = read_some(a, t);
	if (more == 0)
		CU_ASSERT_EQUAL(t->read, t->length);
	if (more <= 0 || rng_chance_ppm(&a->rng, 500))
		talk_end(a, t, more < 0);
}

static void
accept_all(struct app *a)
{
	int id;

	while ((id = mtcp_accept(a->m, a->listener, NULL, NULL)) >= 0)
		talk_begin(a, id, false);
	CU_ASSERT_EQUAL(errno, EAGAIN);
}

/* Some tens of connections at a time, until time is up. */
static void
application(struct app *a)
{
	struct mtcp_epoll_event ev[16], in = { .events = MTCP_EPOLLIN };

	a->ep = mtcp_epoll_create(a->m, 1);
	a->listener = fake_listener(&a->st->f, PORT);
	in.data.sockid = a->listener;
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(a->m, a->ep, MTCP_EPOLL_CTL_ADD, a->listener, &in), 0);
	while (handoff_now() < a->st->until) {
		int n;

		if (rng_chance_ppm(&a->rng, 300000))
			begin_one(a);
		n = mtcp_epoll_wait(a->m, a->ep, ev, 16, (int)rng_below(&a->rng, 3));
		for (int i = 0; i < n; i++) {
			struct talk *t = &a->talk[ev[i].data.sockid];

			if (ev[i].data.sockid == a->listener)
				accept_all(a);
			else if (t->id >= 0)
				talk_on(a, t, ev[i].events);
		}
	}
}

/* -- together ------------------------------------------------------------- */

static struct stress *
stress_of(int64_t ns, uint64_t seed)
{
	struct stress *st = aligned_alloc(CACHE_LINE, align_up(sizeof *st, CACHE_LINE));

	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	memset((void *)st, 0, sizeof *st);
	st->seed = seed;
	st->until = handoff_now() + ns;
	CU_ASSERT_EQUAL_FATAL(handoff_init(&st->handoff, US(20)), 0);
	fake_init_on(&st->f, &st->handoff.pair);
	return st;
}

static void
run(int64_t ns, uint64_t seed, bool fences)
{
	struct stress *st = stress_of(ns, seed);
	struct app *a = calloc(1, sizeof *a);
	pthread_t t;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(st->handoff.fences, fences);
	*a = (struct app){ .st = st, .m = &st->f.ctx, .rng = { seed + 1 } };
	for (unsigned i = 0; i < FAKE_SOCKS; i++)
		a->talk[i].id = -1;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, stack_thread, st), 0);
	application(a);
	atomic_store(&st->stop, true);
	handoff_kick(&st->handoff);
	pthread_join(t, NULL);
	printf("%llu connections, %llu broken, %llu bytes\n", (unsigned long long)st->conns,
	       (unsigned long long)st->broken, (unsigned long long)st->bytes);
	CU_ASSERT(st->conns > 0 && st->bytes > 0);
	fake_fini(&st->f);
	handoff_fini(&st->handoff);
	free(a);
	free(st);
}

/* CUnit's tests take no argument: both come from the environment that main() fills. */
static void
run_by_environment(bool fences)
{
	const char *seconds = getenv("STRESS_SECONDS"), *seed = getenv("STRESS_SEED");

	printf("repeat with: stress_pair %s %s\n", seconds, seed);
	run((int64_t)(strtod(seconds, NULL) * 1e9 / 2), strtoull(seed, NULL, 0), fences);
}

static bool
has_membarrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void
test_two_threads_agree_on_every_byte(void)
{
	run_by_environment(!has_membarrier());
}

/* From now on, in all threads that this one starts. */
static bool
refuse_membarrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = array_len(code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* A stack that slept without the call could miss a job. */
static void
test_nobody_sleeps_once_membarrier_is_refused(void)
{
	struct handoff *h = aligned_alloc(CACHE_LINE, align_up(sizeof *h, CACHE_LINE));
	struct fake_stack *f = calloc(1, sizeof *f);

	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(handoff_init(h, 0), 0);
	fake_init_on(f, &h->pair);
	CU_ASSERT_EQUAL(h->fences, !has_membarrier());
	CU_ASSERT_TRUE(handoff_doze(h, HANDOFF_ASLEEP, &f->ch.jobs));
	handoff_rouse(h);
	CU_ASSERT_TRUE_FATAL(refuse_membarrier());
	CU_ASSERT_EQUAL(handoff_doze(h, HANDOFF_ASLEEP, &f->ch.jobs), h->fences);
	fake_fini(f);
	handoff_fini(h);
	free(f);
	free(h);
}

/* As in a container whose filter does not know the call. */
static void
test_two_threads_agree_without_membarrier(void)
{
	CU_ASSERT_FALSE(has_membarrier());
	run_by_environment(true);
}

int
main(int argc, char **argv)
{
	CU_pSuite s;
	unsigned failed;

	setenv("STRESS_SECONDS", argc > 1 ? argv[1] : "2", 1);
	setenv("STRESS_SEED", argc > 2 ? argv[2] : "1", 1);
	alarm(120); /* a wait that never ends */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	s = CU_add_suite("stress/pair", NULL, NULL);
	CU_add_test(s, "two threads agree on every byte", test_two_threads_agree_on_every_byte);
	/* From here on it is refused. */
	CU_add_test(s, "nobody sleeps once membarrier(2) is refused",
	            test_nobody_sleeps_once_membarrier_is_refused);
	CU_add_test(s, "two threads agree without membarrier(2)",
	            test_two_threads_agree_without_membarrier);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	printf("\n%u passed, %u failed\n", CU_get_number_of_tests_run() - failed, failed);
	CU_cleanup_registry();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
