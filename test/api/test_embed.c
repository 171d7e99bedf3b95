/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Embedded stacks as a stranger's tool would use them: through mtcp_embed.h and
 * the calls alone, two of them on a wire with a delay.
 */
#include "mtcp_embed.h"

#include <CUnit/CUnit.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/be.h"
#include "mtcp_epoll.h"

#define DELAY   MS(10)
#define ROOM    2048
#define FLIGHT  512
#define PORT    80

struct packet {
	int64_t due;
	int to;
	uint32_t len;
	uint8_t data[ROOM];
};

/* Two stacks, what is on its way between them, and what was ever sent. */
struct two {
	struct mtcp_embed *e[2];
	mctx_t ctx[2];
	int64_t now;
	struct packet fly[FLIGHT];
	unsigned n_fly;
	uint32_t digest;   /* of every packet and its time */
	unsigned sent;
	bool cut;
	int wait_result;   /* what the wait callback answers */
};

static void
collect(struct two *t, int from)
{
	struct packet *p = &t->fly[t->n_fly];
	int64_t when;
	ssize_t len;

	while ((len = mtcp_embed_take(t->e[from], p->data, ROOM, &when)) > 0) {
		CU_ASSERT_EQUAL(when, t->now);
		p->due = when + DELAY;
		p->to = 1 - from;
		p->len = (uint32_t)len;
		t->sent++;
		t->digest = t->digest * 31 + (uint32_t)when;
		for (ssize_t i = 0; i < len; i++)
			t->digest = t->digest * 31 + p->data[i];
		if (t->cut)
			continue;
		CU_ASSERT_FATAL(++t->n_fly < FLIGHT);
		p = &t->fly[t->n_fly];
	}
	CU_ASSERT_EQUAL(len, 0);
}

static void
deliver(struct two *t)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->n_fly; i++) {
		struct packet *p = &t->fly[i];

		if (p->due > t->now) {
			if (kept++ != i)
				t->fly[kept - 1] = *p;
			continue;
		}
		CU_ASSERT_EQUAL(mtcp_embed_give(t->e[p->to], p->data, p->len), 0);
	}
	t->n_fly = kept;
}

static int64_t
next_event(const struct two *t)
{
	int64_t at = min(mtcp_embed_deadline(t->e[0]), mtcp_embed_deadline(t->e[1]));

	for (unsigned i = 0; i < t->n_fly; i++)
		at = min(at, t->fly[i].due);
	return at;
}

/* The next thing happens, at `until` at the latest. */
static void
go(struct two *t, int64_t until)
{
	t->now = max(t->now, min(next_event(t), until));
	deliver(t);
	for (int i = 0; i < 2; i++) {
		mtcp_embed_step(t->e[i], t->now);
		collect(t, i);
	}
}

static void
run_for(struct two *t, int64_t ns)
{
	int64_t end = t->now + ns;

	while (t->now < end)
		go(t, end);
}

/* Nothing more in sight: a program of one thread would wait for ever. */
static int
world_waits(void *arg, int64_t until)
{
	struct two *t = arg;

	if (t->wait_result)
		return t->wait_result;
	if (until == MTCP_EMBED_NEVER && next_event(t) == MTCP_EMBED_NEVER)
		return -EINTR;
	go(t, until);
	return 0;
}

static void
two_init(struct two *t, const char *config, uint64_t seed)
{
	static const char *const address[2] = { "10.0.0.1/24", "10.0.0.2/24" };

	memset(t, 0, sizeof *t);
	for (int i = 0; i < 2; i++) {
		struct mtcp_embed_cfg cfg = {
			.config = config, .address = address[i], .seed = seed + (uint64_t)i,
			.wait = world_waits, .wait_arg = t,
		};

		t->e[i] = mtcp_embed_new(&cfg);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t->e[i]);
		t->ctx[i] = mtcp_embed_context(t->e[i]);
	}
}

static void
two_fini(struct two *t)
{
	mtcp_embed_free(t->e[0]);
	mtcp_embed_free(t->e[1]);
}

static struct sockaddr_in
at(const char *ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static int
listener(struct two *t, int who)
{
	struct sockaddr_in a = at("0.0.0.0", PORT);
	int s = mtcp_socket(t->ctx[who], AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(s >= 0);
	CU_ASSERT_EQUAL(mtcp_bind(t->ctx[who], s, (struct sockaddr *)&a, sizeof a), 0);
	CU_ASSERT_EQUAL(mtcp_listen(t->ctx[who], s, 8), 0);
	return s;
}

static int
connector(struct two *t, int type)
{
	struct sockaddr_in a = at("10.0.0.2", PORT);
	int s = mtcp_socket(t->ctx[0], AF_INET, SOCK_STREAM | type, 0), rc;

	CU_ASSERT_FATAL(s >= 0);
	rc = mtcp_connect(t->ctx[0], s, (struct sockaddr *)&a, sizeof a);
	CU_ASSERT(type ? rc == -1 && errno == EINPROGRESS : rc == 0);
	return s;
}

/* Blocking: s[0] connected by stack 0 to s[1] of stack 1. */
static void
connected(struct two *t, int s[2])
{
	int l = listener(t, 1);

	s[0] = connector(t, 0);
	s[1] = mtcp_accept(t->ctx[1], l, NULL, NULL);
	CU_ASSERT_FATAL(s[1] >= 0);
}

/* -- how it is made ------------------------------------------------------- */

static int
refused(const char *config, const char *address)
{
	char error[200];
	struct mtcp_embed_cfg cfg = {
		.config = config, .address = address, .error = error, .error_size = sizeof error,
	};
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	int err = errno;

	CU_ASSERT_PTR_NULL(e);
	CU_ASSERT(strlen(error) > 10 && error[strlen(error) - 1] != '\n');
	mtcp_embed_free(e);
	return err;
}

static void
test_what_cannot_be_is_refused_with_a_reason(void)
{
	struct mtcp_embed_cfg cfg = { .address = "10.0.0.1", .flags = 1u << 30 };

	CU_ASSERT_EQUAL(refused(NULL, NULL), EINVAL);
	CU_ASSERT_EQUAL(refused("tcp_sak = on\n", "10.0.0.1"), EINVAL);
	CU_ASSERT_EQUAL(refused("tcp_sack = perhaps\n", "10.0.0.1"), EINVAL);
	CU_ASSERT_EQUAL(refused(NULL, "10.0.0.0/24"), EINVAL);
	CU_ASSERT_EQUAL(refused(NULL, "nowhere"), EINVAL);
	CU_ASSERT_EQUAL(refused("pcap = /nonexistent/x\n", "10.0.0.1"), EIO);
	CU_ASSERT_PTR_NULL(mtcp_embed_new(NULL));
	CU_ASSERT_EQUAL(errno, EFAULT);
	CU_ASSERT_PTR_NULL(mtcp_embed_new(&cfg));
	CU_ASSERT_EQUAL(errno, EINVAL);
	cfg = (struct mtcp_embed_cfg){ .address = "10.0.0.1", .now = -1 };
	CU_ASSERT_PTR_NULL(mtcp_embed_new(&cfg));
	cfg = (struct mtcp_embed_cfg){ .address = "10.0.0.1", .reserved = { 1 } };
	CU_ASSERT_PTR_NULL(mtcp_embed_new(&cfg));
	mtcp_embed_free(NULL);
}

static void
test_a_file_for_a_real_machine_will_do(void)
{
	struct mtcp_embed_cfg cfg = {
		.config = "io = dpdk\nnum_cores = 4\nport = dpdk1\neal_args = --vdev=net_null0\n"
		          "address = dpdk1 192.168.7.1/24 192.168.7.2/24\ngateway = 192.168.7.254\n"
		          "stat_print = on\n",
	};
	struct mtcp_embed *e = mtcp_embed_new(&cfg);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_EQUAL(mtcp_embed_deadline(e), MTCP_EMBED_NEVER);
	CU_ASSERT_EQUAL(mtcp_embed_now(e), 0);
	mtcp_embed_free(e);
}

/* -- packets and time ----------------------------------------------------- */

static void
test_a_syn_leaves_at_the_time_of_its_step(void)
{
	struct mtcp_embed_cfg cfg = { .address = "192.0.2.1", .now = SEC(5) };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	mctx_t ctx = mtcp_embed_context(e);
	struct sockaddr_in a = at("198.51.100.1", 80); /* everybody is behind the wire */
	uint8_t pkt[ROOM];
	int64_t when;
	int s = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(mtcp_connect(ctx, s, (struct sockaddr *)&a, sizeof a), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, sizeof pkt, &when), 0);
	CU_ASSERT_EQUAL(mtcp_embed_deadline(e), SEC(5));
	CU_ASSERT(mtcp_embed_step(e, SEC(7)) > SEC(7));
	CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, 40, &when), -1);
	CU_ASSERT_EQUAL(errno, EMSGSIZE);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, sizeof pkt, &when), 60);
	CU_ASSERT_EQUAL(when, SEC(7));
	CU_ASSERT_EQUAL(pkt[0], 0x45);
	CU_ASSERT_EQUAL(pkt[20 + 13], 0x02);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, sizeof pkt, NULL), 0);
	CU_ASSERT(mtcp_embed_step(e, SEC(3)) > SEC(7)); /* time does not go back */
	CU_ASSERT_EQUAL(mtcp_embed_now(e), SEC(7));
	while (mtcp_embed_take(e, pkt, sizeof pkt, &when) == 0)
		mtcp_embed_step(e, mtcp_embed_deadline(e));
	CU_ASSERT_EQUAL(when, SEC(8));
	mtcp_embed_free(e);
}

static void
test_the_far_end_of_time_is_reached(void)
{
	struct mtcp_embed_cfg cfg = { .address = "192.0.2.1" };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);

	CU_ASSERT_EQUAL(mtcp_embed_step(e, INT64_MAX), MTCP_EMBED_NEVER);
	CU_ASSERT_EQUAL(mtcp_embed_step(e, INT64_MIN), MTCP_EMBED_NEVER);
	mtcp_embed_free(e);
}

static void
test_bytes_go_both_ways_and_connections_end(void)
{
	struct two t;
	int s[2];
	char buf[64];

	two_init(&t, NULL, 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[0], s[0], "question", 8), 8);
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[1], s[1], buf, sizeof buf), 8);
	CU_ASSERT_EQUAL(memcmp(buf, "question", 8), 0);
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[1], s[1], "answer", 6), 6);
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[0], s[0], buf, sizeof buf), 6);
	CU_ASSERT_EQUAL(mtcp_close(t.ctx[0], s[0]), 0);
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[1], s[1], buf, sizeof buf), 0);
	CU_ASSERT_EQUAL(mtcp_close(t.ctx[1], s[1]), 0);
	for (int i = 0; i < 100 && next_event(&t) != MTCP_EMBED_NEVER; i++)
		go(&t, MTCP_EMBED_NEVER);
	CU_ASSERT_EQUAL(next_event(&t), MTCP_EMBED_NEVER);
	CU_ASSERT(t.now > SEC(60) && t.now < SEC(61)); /* TIME-WAIT */
	two_fini(&t);
}

static uint32_t
digest_of_a_conversation(uint64_t seed)
{
	struct two t;
	int s[2];
	char buf[20000] = "";

	two_init(&t, "max_concurrency = 100\n", seed);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[0], s[0], buf, sizeof buf), sizeof buf);
	CU_ASSERT_EQUAL(mtcp_recv(t.ctx[1], s[1], buf, sizeof buf, MSG_WAITALL), sizeof buf);
	mtcp_abort(t.ctx[1], s[1]);
	run_for(&t, SEC(1));
	CU_ASSERT(t.sent > 15);
	two_fini(&t);
	return t.digest;
}

static void
test_the_same_seed_makes_the_same_packets(void)
{
	uint32_t d = digest_of_a_conversation(7);

	CU_ASSERT_EQUAL(d, digest_of_a_conversation(7));
	CU_ASSERT_NOT_EQUAL(d, digest_of_a_conversation(8));
}

static void
test_sequences_start_where_they_are_told_to(void)
{
	struct mtcp_embed_cfg cfg = {
		.address = "192.0.2.1", .flags = MTCP_EMBED_FIXED_ISN, .isn = 0x01020304,
	};
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	mctx_t ctx = mtcp_embed_context(e);
	struct sockaddr_in a = at("192.0.2.2", 80);
	uint8_t pkt[ROOM];
	int s = mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0);

	/* Nobody waits for it: a blocking socket without a callback. */
	CU_ASSERT_EQUAL(mtcp_connect(ctx, s, (struct sockaddr *)&a, sizeof a), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, sizeof pkt, NULL), 60);
	CU_ASSERT_EQUAL(memcmp(pkt + 24, "\1\2\3\4", 4), 0);
	mtcp_embed_free(e);
}

/* How many packets have met a fate. */
static uint64_t
fate(const struct mtcp_embed *e, const char *wanted)
{
	const char *name, *text;
	uint64_t count;

	for (unsigned n = 0; mtcp_embed_count(e, n, &name, &text, &count) == 0; n++)
		if (strcmp(name, wanted) == 0)
			return count;
	CU_FAIL("there is no such fate");
	return 0;
}

static void
test_nonsense_is_dropped_and_counted(void)
{
	struct mtcp_embed_cfg cfg = { .address = "192.0.2.1", .config = "rx_ring = 32\n" };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	uint8_t junk[100];
	uint64_t count;

	memset(junk, 0xa5, sizeof junk);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, junk, 0), -1);
	CU_ASSERT_EQUAL(errno, EMSGSIZE);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, junk, 65536), -1);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, NULL, 1), -1);
	CU_ASSERT_EQUAL(errno, EFAULT);
	for (size_t len = 1; len <= 32; len++)
		CU_ASSERT_EQUAL(mtcp_embed_give(e, junk, len), 0);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, junk, 1), -1);
	CU_ASSERT_EQUAL(errno, ENOBUFS);
	CU_ASSERT_EQUAL(mtcp_embed_deadline(e), 0);
	CU_ASSERT_EQUAL(mtcp_embed_step(e, 0), MTCP_EMBED_NEVER);
	CU_ASSERT_EQUAL(fate(e, "DROP_IP_HEADER"), 32);
	CU_ASSERT_EQUAL(mtcp_embed_count(e, 9999, NULL, NULL, &count), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, junk, sizeof junk, NULL), 0);
	mtcp_embed_free(e);
}

/* A segment to a closed port with checksums of zero. */
static void
test_checksums_are_taken_on_trust_when_asked(void)
{
	static const uint8_t syn[40] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 9,
		192, 0, 2, 1, 0, 7, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0 };
	uint8_t pkt[ROOM];

	for (unsigned flags = 0; flags <= MTCP_EMBED_TRUST_CHECKSUMS; flags++) {
		struct mtcp_embed_cfg cfg = { .address = "192.0.2.1", .flags = flags };
		struct mtcp_embed *e = mtcp_embed_new(&cfg);

		CU_ASSERT_EQUAL(mtcp_embed_give(e, syn, sizeof syn), 0);
		mtcp_embed_step(e, 1);
		CU_ASSERT_EQUAL(mtcp_embed_take(e, pkt, sizeof pkt, NULL), flags ? 40 : 0);
		mtcp_embed_free(e);
	}
}

static void
test_a_caller_that_takes_nothing_holds_the_stack_back(void)
{
	struct two t;
	int s[2];
	static char buf[200000];
	uint8_t pkt[ROOM];
	unsigned n = 0;

	two_init(&t, "tx_ring = 32\ntcp_initial_cwnd = 1000\nsndbuf = 1MB\nrcvbuf = 1MB\n", 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[0], s[0], buf, sizeof buf), sizeof buf);
	CU_ASSERT(mtcp_embed_step(t.e[0], t.now) > t.now);
	while (mtcp_embed_take(t.e[0], pkt, sizeof pkt, NULL) > 0)
		n++;
	CU_ASSERT_EQUAL(n, 32);
	two_fini(&t);
}

/* A tool that plays the peer by hand: no sums, no options, ISNs that are known. */
static void
test_a_peer_can_be_played_by_hand(void)
{
	struct mtcp_embed_cfg cfg = {
		.address = "192.0.2.1", .isn = 1000,
		.config = "tcp_timestamps = off\ntcp_sack = off\ntcp_window_scaling = off\n",
		.flags = MTCP_EMBED_TRUST_CHECKSUMS | MTCP_EMBED_FIXED_ISN,
	};
	uint8_t in[43] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1,
		0, 7, 0, PORT, 0, 0, 0, 99, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	mctx_t ctx = mtcp_embed_context(e);
	struct sockaddr_in a = at("192.0.2.1", PORT);
	int l = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), s;
	char text[8];
	uint8_t out[ROOM];

	CU_ASSERT_EQUAL(mtcp_bind(ctx, l, (struct sockaddr *)&a, sizeof a), 0);
	/* The whole handshake waits when the call that listens runs the stack. */
	CU_ASSERT_EQUAL(mtcp_embed_give(e, in, 40), 0);
	memcpy(in + 24, (uint8_t[]){ 0, 0, 0, 100, 0, 0, 3, 233, 0x50, 0x10 }, 10);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, in, 40), 0);
	CU_ASSERT_EQUAL(mtcp_listen(ctx, l, 1), 0);
	CU_ASSERT_EQUAL(mtcp_embed_take(e, out, sizeof out, NULL), 40); /* nobody listened yet */
	CU_ASSERT_EQUAL(out[33], 0x14);
	while (mtcp_embed_take(e, out, sizeof out, NULL) > 0)
		;
	memcpy(in + 24, (uint8_t[]){ 0, 0, 0, 99, 0, 0, 0, 0, 0x50, 0x02 }, 10);
	CU_ASSERT_EQUAL(mtcp_embed_give(e, in, 40), 0);
	mtcp_embed_step(e, MS(1));
	CU_ASSERT_EQUAL(mtcp_embed_take(e, out, sizeof out, NULL), 44);
	CU_ASSERT_EQUAL(memcmp(out + 24, (uint8_t[]){ 0, 0, 3, 232, 0, 0, 0, 100 }, 8), 0);
	memcpy(in + 24, (uint8_t[]){ 0, 0, 0, 100, 0, 0, 3, 233, 0x50, 0x18 }, 10);
	memcpy(in + 40, "abc", 3);
	in[3] = 43;
	CU_ASSERT_EQUAL(mtcp_embed_give(e, in, 43), 0);
	mtcp_embed_step(e, MS(2));
	s = mtcp_accept(ctx, l, NULL, NULL);
	CU_ASSERT(s >= 0);
	CU_ASSERT_EQUAL(mtcp_read(ctx, s, text, sizeof text), 3);
	CU_ASSERT_EQUAL(memcmp(text, "abc", 3), 0);
	mtcp_embed_free(e);
}

/* -- waiting -------------------------------------------------------------- */

static void
test_the_callback_decides_how_a_wait_ends(void)
{
	struct two t;
	int s[2], ep;
	char buf[8];
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLIN };

	two_init(&t, NULL, 1);
	connected(&t, s);
	t.wait_result = -EINTR;
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[0], s[0], buf, sizeof buf), -1);
	CU_ASSERT_EQUAL(errno, EINTR);
	t.wait_result = -ECANCELED;
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[0], s[0], buf, sizeof buf), -1);
	CU_ASSERT_EQUAL(errno, ECANCELED);
	ep = mtcp_epoll_create1(t.ctx[0], 0);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(t.ctx[0], ep, MTCP_EPOLL_CTL_ADD, s[0], &ev), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(t.ctx[0], ep, &ev, 1, -1), -1);
	CU_ASSERT_EQUAL(errno, ECANCELED);
	t.wait_result = 1; /* looks again, but nobody has stepped */
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[0], s[0], buf, sizeof buf), -1);
	CU_ASSERT_EQUAL(errno, EDEADLK);
	t.wait_result = 0;
	CU_ASSERT_EQUAL(mtcp_epoll_wait(t.ctx[0], ep, &ev, 1, 250), 0);
	CU_ASSERT_EQUAL(mtcp_embed_now(t.e[0]), t.now);
	CU_ASSERT_EQUAL(mtcp_epoll_getfd(t.ctx[0], ep), -1);
	CU_ASSERT_EQUAL(errno, EOPNOTSUPP);
	two_fini(&t);
}

static void
test_timeouts_are_of_the_stacks_clock(void)
{
	struct two t;
	int s[2];
	char buf[8];
	struct timeval tv = { .tv_sec = 3 };
	int64_t before;

	two_init(&t, NULL, 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_setsockopt(t.ctx[0], s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	before = t.now;
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[0], s[0], buf, sizeof buf), -1);
	CU_ASSERT_EQUAL(errno, EAGAIN);
	CU_ASSERT_EQUAL(t.now - before, SEC(3));
	two_fini(&t);
}

static void
test_epoll_tells_of_both_stacks(void)
{
	struct two t;
	int l, ep, s;
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLIN };

	two_init(&t, NULL, 1);
	l = listener(&t, 1);
	ep = mtcp_epoll_create1(t.ctx[1], 0);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(t.ctx[1], ep, MTCP_EPOLL_CTL_ADD, l, &ev), 0);
	s = connector(&t, SOCK_NONBLOCK);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(t.ctx[1], ep, &ev, 1, 0), 0);
	run_for(&t, SEC(1));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(t.ctx[1], ep, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(ev.events, MTCP_EPOLLIN);
	CU_ASSERT_EQUAL(mtcp_close(t.ctx[0], s), 0);
	mtcp_destroy_context(t.ctx[0]); /* is not for these */
	CU_ASSERT(mtcp_socket(t.ctx[0], AF_INET, SOCK_STREAM, 0) >= 0);
	two_fini(&t);
}

static void
test_tcp_info_is_as_elsewhere(void)
{
	struct two t;
	int s[2];
	struct tcp_info info;
	socklen_t len = sizeof info;

	two_init(&t, "tcp_initial_cwnd = 3\n", 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_getsockopt(t.ctx[0], s[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(info.tcpi_state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(info.tcpi_snd_cwnd, 3);
	CU_ASSERT_EQUAL(info.tcpi_rtt, 20000);
	two_fini(&t);
}

/* -- tunables ------------------------------------------------------------- */

static void
test_a_tunable_changes_while_the_stack_runs(void)
{
	struct two t;
	int s[2];
	struct tcp_info info;
	socklen_t len = sizeof info;
	char text[64];

	two_init(&t, NULL, 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "tcp_initial_cwnd", "4"), 0);
	CU_ASSERT_EQUAL(mtcp_embed_get(t.e[0], "tcp_initial_cwnd", text, sizeof text), 1);
	CU_ASSERT_STRING_EQUAL(text, "4");
	CU_ASSERT_EQUAL(mtcp_embed_get(t.e[1], "tcp_initial_cwnd", text, sizeof text), 2);
	CU_ASSERT_STRING_EQUAL(text, "10");
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "cc", "reno"), 0);
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "tcp_timestamps", "off"), 0);
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "mtu", "1000"), 0);
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "ip_local_port_range", "7000 7000"), 0);
	s[0] = connector(&t, 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(t.ctx[0], s[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(info.tcpi_snd_cwnd, 4);
	CU_ASSERT_EQUAL(info.tcpi_snd_mss, 960);
	CU_ASSERT_EQUAL(info.tcpi_options & 1, 0);
	len = sizeof text;
	CU_ASSERT_EQUAL(mtcp_getsockopt(t.ctx[0], s[0], IPPROTO_TCP, TCP_CONGESTION, text, &len), 0);
	CU_ASSERT_STRING_EQUAL(text, "reno");
	CU_ASSERT_EQUAL(mtcp_embed_set(t.e[0], "mtu", "9000"), 0);
	run_for(&t, SEC(1));
	two_fini(&t);
}

static void
test_what_cannot_be_set_is_said(void)
{
	struct mtcp_embed_cfg cfg = { .address = "192.0.2.1" };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	mctx_t ctx = mtcp_embed_context(e);
	struct sockaddr_in a = at("192.0.2.2", 80);
	char text[64];

	CU_ASSERT_STRING_EQUAL(mtcp_embed_error(e), "");
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_sak", "on"), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(mtcp_embed_error(e), "tcp_sack"));
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_sack", "perhaps"), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_sack", "on\ntcp_sack = off"), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_delack_min", "400ms"), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(mtcp_embed_error(e), "tcp_delack_max"));
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "max_concurrency", "5"), -1);
	CU_ASSERT_EQUAL(errno, EBUSY);
	CU_ASSERT(strlen(mtcp_embed_error(e)) > 10);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, NULL, "5"), -1);
	CU_ASSERT_EQUAL(errno, EFAULT);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_sack", "off"), 0);
	CU_ASSERT_STRING_EQUAL(mtcp_embed_error(e), "");
	CU_ASSERT_EQUAL(mtcp_embed_get(e, "tcp_sak", text, sizeof text), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(mtcp_embed_get(e, "tcp_sack", text, 3), -1);
	CU_ASSERT_EQUAL(errno, ERANGE);
	CU_ASSERT_EQUAL(mtcp_embed_get(e, "tcp_sack", text, 4), 3);
	CU_ASSERT_STRING_EQUAL(text, "off");
	(void)mtcp_connect(ctx, mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a,
	                   sizeof a);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_sack", "on"), -1);
	CU_ASSERT_EQUAL(errno, EBUSY);
	mtcp_embed_free(e);
}

/* Whatever a key of TCP's shows can be set again, while the stack runs. */
static void
test_every_default_of_tcp_is_a_live_key(void)
{
	struct two t;
	const char *name;
	char text[1024];
	int s[2], live;

	two_init(&t, NULL, 1);
	connected(&t, s);
	for (unsigned n = 0; (name = mtcp_embed_key(n, &live)); n++) {
		if (strncmp(name, "tcp_", 4) == 0 || strncmp(name, "ip_", 3) == 0) {
			CU_ASSERT_EQUAL(live, 1);
		}
		if (!live)
			continue;
		CU_ASSERT(mtcp_embed_get(t.e[0], name, text, sizeof text) > 0);
		if (mtcp_embed_set(t.e[0], name, text) != 0) {
			CU_FAIL("a key does not take its own value");
			fprintf(stderr, "%s = %s: %s\n", name, text, mtcp_embed_error(t.e[0]));
		}
	}
	CU_ASSERT_PTR_NULL(mtcp_embed_key(10000, NULL));
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[0], s[0], "x", 1), 1);
	CU_ASSERT_EQUAL(mtcp_read(t.ctx[1], s[1], text, 1), 1);
	two_fini(&t);
}

/* What a user may want otherwise of the values that Linux shows on the wire. */
static void
test_the_values_of_the_wire_can_be_changed(void)
{
	static const char *const other[][2] = {
		{ "tcp_initial_cwnd", "4" }, { "tcp_slow_start_after_idle", "off" },
		{ "tcp_rto_initial", "3s" }, { "tcp_syn_retries", "5" },
		{ "tcp_synack_retries", "4" }, { "tcp_rto_min", "50ms" },
		{ "tcp_rto_max", "60s" },
		{ "tcp_loss_probe", "off" }, { "tcp_recovery", "7" }, { "tcp_reordering", "5" },
		{ "tcp_frto", "off" }, { "cc", "bbr" }, { "hystart", "plusplus" },
		{ "tcp_quickack", "0" }, { "tcp_delack_min", "20ms" },
		{ "tcp_delack_max", "100ms" },
		{ "tcp_cork_max", "100ms" }, { "rcvbuf_max", "1MB" }, { "sndbuf_max", "1MB" },
		{ "rcvbuf", "64KB" }, { "sndbuf", "64KB" }, { "mtu", "1400" },
		{ "tcp_min_pmtu", "68" }, { "tcp_mtu_probing", "1" }, { "tcp_sack", "off" },
		{ "tcp_window_scaling", "off" }, { "tcp_timestamps", "plain" }, { "ecn", "on" },
		{ "tcp_timewait", "1s" }, { "tcp_fin_timeout", "2s" }, { "tcp_fastopen", "3" },
		{ "tcp_fastopen_key", "00112233-44556677-8899aabb-ccddeeff" },
		{ "tcp_keepalive_time", "60s" }, { "tcp_keepalive_intvl", "5s" },
		{ "tcp_keepalive_probes", "3" }, { "ip_default_ttl", "255" }, { "pacing", "on" },
		{ "tcp_pacing_ss_ratio", "150" }, { "tcp_pacing_ca_ratio", "100" },
		{ "syn_cookies", "always" }, { "tcp_challenge_ack_limit", "10" },
	};
	struct mtcp_embed_cfg cfg = { .address = "192.0.2.1" };
	struct mtcp_embed *e = mtcp_embed_new(&cfg);
	char text[64];

	for (unsigned i = 0; i < sizeof other / sizeof *other; i++) {
		int set = mtcp_embed_set(e, other[i][0], other[i][1]);

		CU_ASSERT_EQUAL(set, 0);
		CU_ASSERT(mtcp_embed_get(e, other[i][0], text, sizeof text) > 0);
		CU_ASSERT_STRING_EQUAL(text, other[i][1]);
		if (set)
			fprintf(stderr, "%s: %s\n", other[i][0], mtcp_embed_error(e));
	}
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_recovery", "2"), -1);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_recovery", "9"), -1);
	CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_timestamps", "3"), -1);
	mtcp_embed_free(e);
}

/* What a SYN says of our clock, ms. */
static uint32_t
clock_said(struct mtcp_embed *e)
{
	struct sockaddr_in a = at("192.0.2.2", 80);
	mctx_t ctx = mtcp_embed_context(e);
	int s = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	uint8_t out[ROOM];

	CU_ASSERT_EQUAL(mtcp_connect(ctx, s, (struct sockaddr *)&a, sizeof a), -1);
	mtcp_embed_step(e, mtcp_embed_now(e));
	CU_ASSERT_EQUAL_FATAL(mtcp_embed_take(e, out, sizeof out, NULL), 60);
	CU_ASSERT_EQUAL(out[46] << 8 | out[47], 0x080a);
	return get_be32(out + 48);
}

static void
test_timestamps_can_be_foretold_by_choice(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct mtcp_embed_cfg cfg = { .address = "192.0.2.1" };
		struct mtcp_embed *e = mtcp_embed_new(&cfg);

		CU_ASSERT_EQUAL(mtcp_embed_set(e, "tcp_timestamps", plain ? "2" : "1"), 0);
		mtcp_embed_step(e, SEC(5));
		CU_ASSERT_EQUAL(clock_said(e) == 1000000 + 5000, plain);
		mtcp_embed_free(e);
	}
}

static void
test_a_capture_and_faults_are_had_by_key(void)
{
	struct two t;
	char name[40] = "/tmp/mtcp_embed_XXXXXX", config[128];
	int fd = mkstemp(name), s[2];
	static char buf[30000];
	uint32_t magic = 0;

	snprintf(config, sizeof config, "pcap = %s.%%q\nfault_loss = 5%%\nfault_delay = 3ms\n", name);
	two_init(&t, config, 1);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_write(t.ctx[0], s[0], buf, sizeof buf), sizeof buf);
	CU_ASSERT_EQUAL(mtcp_recv(t.ctx[1], s[1], buf, sizeof buf, MSG_WAITALL), sizeof buf);
	two_fini(&t);
	close(fd);
	unlink(name);
	strcat(name, ".0");
	fd = open(name, O_RDONLY);
	CU_ASSERT_EQUAL(read(fd, &magic, 4), 4);
	CU_ASSERT_EQUAL(magic, 0xa1b23c4d);
	close(fd);
	unlink(name);
}

void suite_embed(void);

static bool
oob_to(struct two *t, int who, int s, const char *want)
{
	char c = 0;

	run_for(t, MS(10));
	return mtcp_recv(t->ctx[who], s, &c, 1, MSG_OOB) == 1 && c == want[0];
}

/* From MSG_OOB at one end to MSG_OOB at the other; text goes around it. */
static void
test_urgent_text_arrives_as_such(void)
{
	struct two t;
	char buf[16] = "";
	int s[2], mark = -1;
	ssize_t n;

	two_init(&t, NULL, 77);
	connected(&t, s);
	CU_ASSERT_EQUAL(mtcp_send(t.ctx[0], s[0], "ab", 2, 0), 2);
	CU_ASSERT_EQUAL(mtcp_send(t.ctx[0], s[0], "c!", 2, MSG_OOB), 2);
	CU_ASSERT_EQUAL(mtcp_send(t.ctx[0], s[0], "de", 2, 0), 2);
	CU_ASSERT_TRUE(oob_to(&t, 1, s[1], "!"));
	n = mtcp_recv(t.ctx[1], s[1], buf, sizeof buf, 0);
	CU_ASSERT(n == 3 && memcmp(buf, "abc", 3) == 0);
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(t.ctx[1], s[1], SIOCATMARK, &mark), 0);
	CU_ASSERT_EQUAL(mark, 1);
	n = mtcp_recv(t.ctx[1], s[1], buf, sizeof buf, 0);
	CU_ASSERT(n == 2 && memcmp(buf, "de", 2) == 0);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(mtcp_send(t.ctx[1], s[1], &"123"[i], 1, MSG_OOB), 1);
		CU_ASSERT_TRUE(oob_to(&t, 0, s[0], &"123"[i]));
	}
	/* Of bytes that were announced one after the other only the last is urgent. */
	n = mtcp_recv(t.ctx[0], s[0], buf, sizeof buf, MSG_DONTWAIT);
	CU_ASSERT(n == -1 && errno == EAGAIN);
	two_fini(&t);
}

void
suite_embed(void)
{
	CU_pSuite s = CU_add_suite("embed", NULL, NULL);

	CU_add_test(s, "urgent text arrives as such (RFC 9293 MUST-30, MUST-32)",
	            test_urgent_text_arrives_as_such);
	CU_add_test(s, "what cannot be is refused with a reason",
	            test_what_cannot_be_is_refused_with_a_reason);
	CU_add_test(s, "a file for a real machine will do", test_a_file_for_a_real_machine_will_do);
	CU_add_test(s, "a SYN leaves at the time of its step",
	            test_a_syn_leaves_at_the_time_of_its_step);
	CU_add_test(s, "the far end of time is reached", test_the_far_end_of_time_is_reached);
	CU_add_test(s, "bytes go both ways and connections end",
	            test_bytes_go_both_ways_and_connections_end);
	CU_add_test(s, "the same seed makes the same packets",
	            test_the_same_seed_makes_the_same_packets);
	CU_add_test(s, "sequences start where they are told to",
	            test_sequences_start_where_they_are_told_to);
	CU_add_test(s, "nonsense is dropped and counted", test_nonsense_is_dropped_and_counted);
	CU_add_test(s, "checksums are taken on trust when asked",
	            test_checksums_are_taken_on_trust_when_asked);
	CU_add_test(s, "a caller that takes nothing holds the stack back",
	            test_a_caller_that_takes_nothing_holds_the_stack_back);
	CU_add_test(s, "a peer can be played by hand", test_a_peer_can_be_played_by_hand);
	CU_add_test(s, "the callback decides how a wait ends",
	            test_the_callback_decides_how_a_wait_ends);
	CU_add_test(s, "time-outs are of the stack's clock", test_timeouts_are_of_the_stacks_clock);
	CU_add_test(s, "epoll tells of both stacks", test_epoll_tells_of_both_stacks);
	CU_add_test(s, "TCP_INFO is as elsewhere", test_tcp_info_is_as_elsewhere);
	CU_add_test(s, "a tunable changes while the stack runs",
	            test_a_tunable_changes_while_the_stack_runs);
	CU_add_test(s, "what cannot be set is said", test_what_cannot_be_set_is_said);
	CU_add_test(s, "every default of TCP is a live key", test_every_default_of_tcp_is_a_live_key);
	CU_add_test(s, "the values of the wire can be changed",
	            test_the_values_of_the_wire_can_be_changed);
	CU_add_test(s, "timestamps can be foretold by choice (Linux: timestamps)",
	            test_timestamps_can_be_foretold_by_choice);
	CU_add_test(s, "a capture and faults are had by key",
	            test_a_capture_and_faults_are_had_by_key);
}
