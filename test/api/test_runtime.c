/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two pairs on a wire in memory: four threads, real sleeping and waking, the
 * calls that programs use.  Nothing here depends on how long anything takes.
 */
#include "test/api/api_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/runtime.h"
#include "io_engine/io_mem.h"
#include "mtcp_epoll.h"

void suite_runtime(void);

#define PORT 80

/* Two hosts, 10.0.0.1 and 10.0.0.2. */
struct net {
	struct config *cfg[2];
	struct io_mem_wire *wire;
	bool waits; /* ports have a descriptor */
};

static void
net_open(struct net *n, bool waits)
{
	struct io_mem_config wire = { .wake = waits, .depth = 4096 };

	*n = (struct net){ .waits = waits };
	n->wire = io_mem_wire_new(&wire);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n->wire);
	for (int i = 0; i < 2; i++) {
		const char *address = i ? "address = 10.0.0.2/24" : "address = 10.0.0.1/24";

		n->cfg[i] = malloc(sizeof **n->cfg);
		CU_ASSERT_PTR_NOT_NULL_FATAL(n->cfg[i]);
		config_default(n->cfg[i]);
		CU_ASSERT_EQUAL_FATAL(config_set(n->cfg[i], address, stderr), 0);
		CU_ASSERT_EQUAL_FATAL(config_set(n->cfg[i], "num_cores = 1", stderr), 0);
	}
}

static void
net_close(struct net *n)
{
	for (int i = 0; i < 2; i++) {
		config_free(n->cfg[i]);
		free(n->cfg[i]);
	}
	io_mem_wire_free(n->wire);
}

static struct runtime *
host_start(struct net *n, unsigned side)
{
	struct io *io = io_mem_end(n->wire, side, 0);
	struct runtime_cfg cfg = {
		.config = n->cfg[side],
		.cpu = -1,
		.node = -1,
		.ios = &io,
		.n_ios = 1,
	};
	struct runtime *rt = NULL;

	CU_ASSERT_EQUAL_FATAL(runtime_start(&cfg, &rt), 0);
	return rt;
}

static void
host_stop(struct runtime *rt)
{
	runtime_stop_soon(rt, MS(200));
	runtime_join(rt);
	runtime_free(rt);
}

static struct sockaddr_in
server_address(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	inet_pton(AF_INET, "10.0.0.1", &a.sin_addr);
	return a;
}

/* -- an echo server ------------------------------------------------------- */

struct server {
	struct net *net;
	unsigned clients; /* stops after as many connections ended */
	_Atomic bool listens;
};

static int
listen_on(mctx_t m)
{
	struct sockaddr_in a = server_address();
	int l = mtcp_socket(m, AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = INADDR_ANY;
	CU_ASSERT_EQUAL(mtcp_bind(m, l, (struct sockaddr *)&a, sizeof a), 0);
	CU_ASSERT_EQUAL(mtcp_listen(m, l, 128), 0);
	return l;
}

static void
echo_blocking(mctx_t m, int id)
{
	char buf[4096];
	ssize_t n;

	while ((n = mtcp_read(m, id, buf, sizeof buf)) > 0)
		CU_ASSERT_EQUAL(mtcp_write(m, id, buf, (size_t)n), n);
	CU_ASSERT_EQUAL(mtcp_close(m, id), 0);
}

static void *
blocking_server(void *arg)
{
	struct server *sv = arg;
	struct runtime *rt = host_start(sv->net, 0);
	mctx_t m = runtime_context(rt);
	int l = listen_on(m);

	atomic_store(&sv->listens, true);
	for (unsigned i = 0; i < sv->clients; i++) {
		int id = mtcp_accept(m, l, NULL, NULL);

		CU_ASSERT(id >= 0);
		echo_blocking(m, id);
	}
	mtcp_close(m, l);
	host_stop(rt);
	return NULL;
}

static void
epoll_add(mctx_t m, int ep, int id, uint32_t events)
{
	struct mtcp_epoll_event ev = { .events = events, .data.sockid = id };

	CU_ASSERT_EQUAL(mtcp_epoll_ctl(m, ep, MTCP_EPOLL_CTL_ADD, id, &ev), 0);
}

/* Echoes what there is; true when the connection is over. */
static bool
echo_some(mctx_t m, int id)
{
	char buf[16384];
	ssize_t n = mtcp_read(m, id, buf, sizeof buf), sent = 0;

	if (n <= 0)
		return !(n < 0 && errno == EAGAIN);
	while (sent < n) {
		ssize_t w = mtcp_write(m, id, buf + sent, (size_t)(n - sent));

		if (w < 0 && errno != EAGAIN)
			return true;
		if (w < 0) {
			struct mtcp_pollfd p = { id, MTCP_EPOLLOUT, 0 };

			mtcp_poll(m, &p, 1, 1000);
		} else {
			sent += w;
		}
	}
	return false;
}

static void *
epoll_server(void *arg)
{
	struct server *sv = arg;
	struct runtime *rt = host_start(sv->net, 0);
	mctx_t m = runtime_context(rt);
	int l = listen_on(m), ep = mtcp_epoll_create(m, 1);
	struct mtcp_epoll_event ev[32];
	unsigned ended = 0;

	mtcp_setsock_nonblock(m, l);
	epoll_add(m, ep, l, MTCP_EPOLLIN);
	atomic_store(&sv->listens, true);
	while (ended < sv->clients) {
		int n = mtcp_epoll_wait(m, ep, ev, 32, -1);

		for (int i = 0; i < n; i++) {
			int id = ev[i].data.sockid, c;

			if (id == l) {
				while ((c = mtcp_accept4(m, l, NULL, NULL, SOCK_NONBLOCK)) >= 0)
					epoll_add(m, ep, c, MTCP_EPOLLIN);
			} else if (echo_some(m, id)) {
				mtcp_close(m, id);
				ended++;
			}
		}
	}
	host_stop(rt);
	return NULL;
}

/* -- clients -------------------------------------------------------------- */

static int
connect_to_server(mctx_t m)
{
	struct sockaddr_in a = server_address();
	int id = mtcp_socket(m, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(mtcp_connect(m, id, (struct sockaddr *)&a, sizeof a), 0);
	return id;
}

static void
wait_for(_Atomic bool *flag)
{
	while (!atomic_load(flag))
		usleep(100);
}

static void
with_server(void *(*serve)(void *), bool waits, unsigned clients, void (*client)(mctx_t))
{
	struct net n;
	struct server sv = { .net = &n, .clients = clients };
	struct runtime *rt;
	pthread_t t;

	net_open(&n, waits);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, serve, &sv), 0);
	wait_for(&sv.listens);
	rt = host_start(&n, 1);
	client(runtime_context(rt));
	host_stop(rt);
	pthread_join(t, NULL);
	net_close(&n);
}

/* One byte goes and comes, many times: nobody may sleep through a turn. */
static void
ping_pong(mctx_t m)
{
	int id = connect_to_server(m);
	char c;

	for (int i = 0; i < 300; i++) {
		c = (char)i;
		CU_ASSERT_EQUAL(mtcp_write(m, id, &c, 1), 1);
		CU_ASSERT_EQUAL_FATAL(mtcp_read(m, id, &c, 1), 1);
		CU_ASSERT_EQUAL(c, (char)i);
	}
	CU_ASSERT_EQUAL(mtcp_close(m, id), 0);
}

static void
test_ping_pong_blocking(void)
{
	with_server(blocking_server, true, 1, ping_pong);
}

static void
test_ping_pong_by_epoll_and_without_interrupts(void)
{
	with_server(epoll_server, false, 1, ping_pong);
}

#define BULK (4u << 20)

static uint8_t
bulk_byte(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 11));
}

/* Sends and receives at once, without blocking on either. */
static void
bulk(mctx_t m)
{
	int id = connect_to_server(m);
	size_t sent = 0, got = 0, wrong = 0;
	static uint8_t out[BULK], in[65536];

	for (size_t i = 0; i < BULK; i++)
		out[i] = bulk_byte(i);
	mtcp_setsock_nonblock(m, id);
	while (got < BULK) {
		struct mtcp_pollfd p = { id, sent < BULK ? MTCP_EPOLLIN | MTCP_EPOLLOUT : MTCP_EPOLLIN,
			                 0 };
		ssize_t n;

		CU_ASSERT_FATAL(mtcp_poll(m, &p, 1, 20000) == 1);
		if (sent < BULK) {
			n = mtcp_write(m, id, (char *)out + sent, BULK - sent);
			sent += n > 0 ? (size_t)n : 0;
		}
		n = mtcp_read(m, id, (char *)in, sizeof in);
		for (ssize_t i = 0; i < n; i++)
			wrong += in[i] != bulk_byte(got++);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(mtcp_close(m, id), 0);
}

static void
test_megabytes_both_ways(void)
{
	with_server(epoll_server, true, 1, bulk);
}

#define SHORTS 500u

static void
many_short(mctx_t m)
{
	char buf[8];

	for (unsigned i = 0; i < SHORTS; i++) {
		int id = connect_to_server(m);

		CU_ASSERT_EQUAL(mtcp_write(m, id, "hello", 5), 5);
		CU_ASSERT_EQUAL(mtcp_recv(m, id, buf, 5, MSG_WAITALL), 5);
		CU_ASSERT_EQUAL(mtcp_close(m, id), 0);
	}
}

static void
test_many_short_connections(void)
{
	with_server(epoll_server, true, SHORTS, many_short);
}

static void
refused(mctx_t m)
{
	struct sockaddr_in a = server_address();
	int id = mtcp_socket(m, AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons(PORT + 1);
	FAILS_WITH(mtcp_connect(m, id, (struct sockaddr *)&a, sizeof a), ECONNREFUSED);
	mtcp_close(m, id);
	ping_pong(m);
}

static void
test_nobody_listens(void)
{
	with_server(blocking_server, true, 1, refused);
}

/* -- waits ---------------------------------------------------------------- */

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
test_a_signal_ends_a_wait(void)
{
	struct net n;
	struct runtime *rt;
	struct mtcp_epoll_event ev;
	struct sigaction act = { .sa_handler = on_alarm, .sa_flags = SA_RESTART }, old;
	mctx_t m;
	int ep;

	net_open(&n, true);
	rt = host_start(&n, 0);
	m = runtime_context(rt);
	ep = mtcp_epoll_create(m, 1);
	sigaction(SIGALRM, &act, &old);
	ualarm(20000, 0);
	FAILS_WITH(mtcp_epoll_wait(m, ep, &ev, 1, -1), EINTR);
	sigaction(SIGALRM, &old, NULL);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(m, ep, &ev, 1, 5), 0);
	host_stop(rt);
	io_mem_end(n.wire, 1, 0)->ops->close(io_mem_end(n.wire, 1, 0));
	net_close(&n);
}

static void
test_wrong_set_up_leaves_nothing(void)
{
	struct net n;
	struct runtime *rt = NULL;
	struct io *io;
	struct runtime_cfg cfg = { .cpu = -1, .node = -1, .ios = &io, .n_ios = 1 };

	net_open(&n, true);
	io = io_mem_end(n.wire, 0, 0);
	cfg.config = n.cfg[0];
	cfg.cpu = 1000; /* no such CPU */
	CU_ASSERT_EQUAL(runtime_start(&cfg, &rt), -EINVAL);
	CU_ASSERT_PTR_NULL(rt);
	net_close(&n);
}

static int
cannot_begin(struct io *io)
{
	(void)io;
	return -ENODEV;
}

static void
test_a_port_that_refuses_is_named_with_what_to_do(void)
{
	struct net n;
	struct runtime *rt = NULL;
	struct io *io;
	struct io_ops ops;
	const struct io_ops *was;
	char why[300] = "";
	struct runtime_cfg cfg = { .cpu = -1, .node = -1, .ios = &io, .n_ios = 1, .why = why,
		                   .why_size = sizeof why };

	net_open(&n, true);
	io = io_mem_end(n.wire, 0, 0);
	was = io->ops;
	ops = *was;
	ops.begin = cannot_begin;
	io->ops = &ops;
	cfg.config = n.cfg[0];
	CU_ASSERT_EQUAL(config_set(n.cfg[0], "port = net_tap0", stderr), 0);
	CU_ASSERT_EQUAL(runtime_start(&cfg, &rt), -ENODEV);
	CU_ASSERT_STRING_EQUAL(why, "port net_tap0: its queue gets no packets: No such device; is the "
	                       "interface still there, and made for several queues (ip tuntap: "
	                       "multi_queue)?");
	cfg.why = NULL;
	CU_ASSERT_EQUAL(runtime_start(&cfg, &rt), -ENODEV);
	io->ops = was;
	net_close(&n);
}

static void
test_what_a_pair_has_cost(void)
{
	struct net n;
	struct runtime *rt;
	struct mtcp_usage u = { 0 };
	mctx_t m;

	net_open(&n, true);
	rt = host_start(&n, 0);
	m = runtime_context(rt);
	CU_ASSERT_EQUAL(mtcp_close(m, listen_on(m)), 0);
	/* Closing is a request; the step that finds it may be under way. */
	while (u.busy_steps == 0 || u.stack_ns == 0)
		CU_ASSERT_EQUAL_FATAL(mtcp_getusage(m, &u), 0);
	CU_ASSERT_TRUE(u.steps > 0);
	CU_ASSERT_TRUE(u.busy_cycles > 0);
	FAILS_WITH(mtcp_getusage(m, NULL), EFAULT);
	FAILS_WITH(mtcp_getusage(NULL, &u), EINVAL);
	host_stop(rt);
	io_mem_end(n.wire, 1, 0)->ops->close(io_mem_end(n.wire, 1, 0));
	net_close(&n);
}

/* -- several pairs --------------------------------------------------------- */

static struct runtime *
crew_member(struct net *n, struct crew *crew, unsigned core)
{
	struct io *io = io_mem_end(n->wire, 1, core);
	struct runtime_cfg cfg = {
		.config = n->cfg[1],
		.core = core,
		.cpu = -1,
		.node = -1,
		.ios = &io,
		.n_ios = 1,
		.crew = crew,
	};
	struct runtime *rt = NULL;

	CU_ASSERT_EQUAL_FATAL(runtime_start(&cfg, &rt), 0);
	return rt;
}

static void
hear_echo(mctx_t m)
{
	int id = connect_to_server(m);
	char back[4];

	CU_ASSERT_EQUAL(mtcp_write(m, id, "echo", 4), 4);
	CU_ASSERT_EQUAL(mtcp_recv(m, id, back, 4, MSG_WAITALL), 4);
	CU_ASSERT_EQUAL(memcmp(back, "echo", 4), 0);
	CU_ASSERT_EQUAL(mtcp_close(m, id), 0);
}

/* All packets of core 1 come and go through core 0, whose application leaves. */
static void
test_a_retired_pair_goes_on_for_the_others(void)
{
	struct io_mem_config wire = { .wake = true, .depth = 4096, .idle = 1 };
	struct runtime *first, *second;
	struct crew *crew = NULL;
	struct server sv;
	struct net n;
	pthread_t t;

	net_open(&n, true);
	io_mem_wire_free(n.wire);
	n.wire = io_mem_wire_new(&wire);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n.wire);
	CU_ASSERT_EQUAL_FATAL(config_set(n.cfg[1], "num_cores = 2", stderr), 0);
	CU_ASSERT_EQUAL_FATAL(crew_new(2, &crew), 0);
	sv = (struct server){ .net = &n, .clients = 3 };
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, blocking_server, &sv), 0);
	wait_for(&sv.listens);
	first = crew_member(&n, crew, 0);
	second = crew_member(&n, crew, 1);
	hear_echo(runtime_context(second));
	runtime_retire(first, MS(200));
	hear_echo(runtime_context(second));
	usleep(30000); /* everybody sleeps */
	hear_echo(runtime_context(second));
	pthread_join(t, NULL);
	host_stop(second);
	CU_ASSERT_TRUE(atomic_load(&runtime_stats(first)->handed_out) > 0);
	runtime_relieve(first);
	runtime_join(first);
	runtime_free(first);
	crew_free(crew);
	net_close(&n);
}

void
suite_runtime(void)
{
	CU_pSuite s = CU_add_suite("api/runtime", NULL, NULL);

	CU_add_test(s, "ping-pong, blocking", test_ping_pong_blocking);
	CU_add_test(s, "ping-pong by epoll and without interrupts",
	            test_ping_pong_by_epoll_and_without_interrupts);
	CU_add_test(s, "megabytes both ways", test_megabytes_both_ways);
	CU_add_test(s, "many short connections", test_many_short_connections);
	CU_add_test(s, "nobody listens", test_nobody_listens);
	CU_add_test(s, "a signal ends a wait", test_a_signal_ends_a_wait);
	CU_add_test(s, "what a pair has cost", test_what_a_pair_has_cost);
	CU_add_test(s, "wrong set-up leaves nothing", test_wrong_set_up_leaves_nothing);
	CU_add_test(s, "a port that refuses is named with what to do",
	            test_a_port_that_refuses_is_named_with_what_to_do);
	CU_add_test(s, "a retired pair goes on for the others",
	            test_a_retired_pair_goes_on_for_the_others);
}
