/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire in memory: order, bounds, virtual time, ownership, two threads. */
#include "io_engine/io_mem.h"

#include <CUnit/CUnit.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static struct io_mem_wire *
wire_of(struct io_mem_config cfg)
{
	struct io_mem_wire *w = io_mem_wire_new(&cfg);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

/* Sends one frame of `len` bytes, all `byte`.  Whether it was taken. */
static bool
send_one(struct io *io, int64_t now, uint8_t byte, uint32_t len)
{
	struct io_pkt pkt;

	if (io_alloc(io, &pkt, 1) != 1)
		return false;
	memset(pkt.data, byte, len);
	pkt.len = len;
	if (io_tx(io, now, &pkt, 1) == 1)
		return true;
	io_release(io, &pkt, 1);
	return false;
}

/* The first byte of the next frame at `io`, or -1. */
static int
recv_one(struct io *io, int64_t now)
{
	struct io_pkt pkt;
	int byte;

	if (io_rx(io, now, &pkt, 1) == 0)
		return -1;
	byte = pkt.data[0];
	io_release(io, &pkt, 1);
	return byte;
}

static uint64_t
held(struct io *io)
{
	struct io_mem_stats st;

	io_mem_stats(io, &st);
	return st.held;
}

static void
test_frames_arrive_in_order_at_the_same_queue(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .queues = 3 });

	for (unsigned q = 0; q < 3; q++)
		for (uint8_t i = 0; i < 5; i++)
			CU_ASSERT_TRUE(send_one(io_mem_end(w, 0, q), 0, to_u8(q * 10 + i), 60));
	for (unsigned q = 0; q < 3; q++) {
		for (int i = 0; i < 5; i++)
			CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, q), 0), (int)q * 10 + i);
		CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, q), 0), -1);
		CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 0, q), 0), -1);
	}
	io_mem_wire_free(w);
}

static void
test_both_directions_are_apart(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ 0 });

	send_one(io_mem_end(w, 0, 0), 0, 1, 60);
	send_one(io_mem_end(w, 1, 0), 0, 2, 60);
	CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 0, 0), 0), 2);
	CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, 0), 0), 1);
	io_mem_wire_free(w);
}

static void
test_a_full_wire_refuses_and_takes_again(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .depth = 4 });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);

	for (uint8_t i = 0; i < 4; i++)
		CU_ASSERT_TRUE(send_one(a, 0, i, 60));
	CU_ASSERT_FALSE(send_one(a, 0, 9, 60));
	CU_ASSERT_EQUAL(held(a), 0);
	CU_ASSERT_EQUAL(recv_one(b, 0), 0);
	CU_ASSERT_TRUE(send_one(a, 0, 4, 60));
	for (int i = 1; i <= 4; i++)
		CU_ASSERT_EQUAL(recv_one(b, 0), i);
	io_mem_wire_free(w);
}

static void
test_a_full_wire_may_drop_instead(void)
{
	struct io_mem_wire *w =
	    wire_of((struct io_mem_config){ .depth = 2, .drop_when_full = true });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);
	struct io_mem_stats st;

	for (uint8_t i = 0; i < 5; i++)
		CU_ASSERT_TRUE(send_one(a, 0, i, 60));
	io_mem_stats(a, &st);
	CU_ASSERT_EQUAL(st.sent, 5);
	CU_ASSERT_EQUAL(st.dropped, 3);
	CU_ASSERT_EQUAL(recv_one(b, 0), 0);
	CU_ASSERT_EQUAL(recv_one(b, 0), 1);
	CU_ASSERT_EQUAL(recv_one(b, 0), -1);
	io_mem_wire_free(w);
}

static void
test_latency_and_rate_say_when_a_frame_arrives(void)
{
	/* 1000 bytes at 8 Mbit/s take 1 ms. */
	struct io_mem_wire *w =
	    wire_of((struct io_mem_config){ .latency_ns = MS(10), .rate_bps = 8000000 });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);

	CU_ASSERT_EQUAL(b->ops->deadline(b), TIME_NEVER);
	send_one(a, MS(100), 1, 1000);
	send_one(a, MS(100), 2, 1000);
	CU_ASSERT_EQUAL(b->ops->deadline(b), MS(111));
	CU_ASSERT_EQUAL(recv_one(b, MS(111) - 1), -1);
	CU_ASSERT_EQUAL(recv_one(b, MS(111)), 1);
	CU_ASSERT_EQUAL(b->ops->deadline(b), MS(112));
	CU_ASSERT_EQUAL(recv_one(b, MS(112)), 2);
	CU_ASSERT_EQUAL(b->ops->deadline(b), TIME_NEVER);
	io_mem_wire_free(w);
}

static void
test_buffers_are_counted_and_bounded(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .pool = 3 });
	struct io *a = io_mem_end(w, 0, 0);
	struct io_pkt pkts[8];

	CU_ASSERT_EQUAL_FATAL(io_alloc(a, pkts, 8), 3);
	CU_ASSERT_EQUAL(io_alloc(a, pkts + 3, 1), 0);
	CU_ASSERT_EQUAL(held(a), 3);
	CU_ASSERT_TRUE(pkts[0].room >= 1514);
	io_release(a, pkts, 3);
	CU_ASSERT_EQUAL(held(a), 0);
	io_mem_wire_free(w);
}

struct eye {
	unsigned seen;
	uint8_t lose;
};

static bool
eye_looks(void *arg, unsigned side, unsigned queue, int64_t now, uint8_t *frame, uint32_t len)
{
	struct eye *eye = arg;

	CU_ASSERT_EQUAL(side, 0);
	CU_ASSERT_EQUAL(queue, 0);
	CU_ASSERT_EQUAL(now, 7);
	CU_ASSERT_EQUAL(len, 60);
	eye->seen++;
	if (frame[0] == eye->lose)
		return false;
	frame[0] = to_u8(frame[0] + 100u);
	return true;
}

static void
test_a_tap_sees_changes_and_swallows_frames(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ 0 });
	struct eye eye = { .lose = 2 };

	io_mem_set_tap(w, eye_looks, &eye);
	for (uint8_t i = 1; i <= 3; i++)
		send_one(io_mem_end(w, 0, 0), 7, i, 60);
	CU_ASSERT_EQUAL(eye.seen, 3);
	CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, 0), 7), 101);
	CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, 0), 7), 103);
	CU_ASSERT_EQUAL(recv_one(io_mem_end(w, 1, 0), 7), -1);
	io_mem_wire_free(w);
}

static void
test_raw_frames_can_be_injected_and_read(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .latency_ns = 5 });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);
	char buf[3];

	CU_ASSERT_TRUE(io_mem_inject(w, 1, 0, 10, "hello", 5));
	CU_ASSERT_EQUAL(io_mem_read(a, 14, buf, sizeof buf), 0);
	CU_ASSERT_EQUAL(io_mem_read(a, 15, buf, sizeof buf), 5);
	CU_ASSERT_EQUAL(memcmp(buf, "hel", 3), 0);
	CU_ASSERT_EQUAL(held(a), 0);
	CU_ASSERT_EQUAL(io_mem_read(b, 15, buf, sizeof buf), 0);
	io_mem_wire_free(w);
}

static void
test_a_closed_end_neither_sends_nor_receives(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ 0 });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);

	send_one(a, 0, 1, 60);
	b->ops->close(b);
	CU_ASSERT_EQUAL(recv_one(b, 0), -1);
	CU_ASSERT_FALSE(send_one(b, 0, 1, 60));
	CU_ASSERT_EQUAL(b->ops->deadline(b), TIME_NEVER);
	io_mem_wire_free(w); /* the frame still on the wire goes with it */
}

static void
test_info_tells_queue_mac_and_abilities(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){
	    .queues = 2, .mtu = 9000, .wake = true, .caps = IO_CAP_TX_TCP_SUM });
	struct io *b = io_mem_end(w, 1, 1);
	struct io_info info;

	b->ops->info(b, &info);
	CU_ASSERT_EQUAL(info.queue, 1);
	CU_ASSERT_EQUAL(info.queues, 2);
	CU_ASSERT_EQUAL(info.mtu, 9000);
	CU_ASSERT_EQUAL(info.mac[5], 2);
	CU_ASSERT_EQUAL(info.caps, IO_CAP_TX_TCP_SUM | IO_CAP_RX_WAIT);
	io_mem_wire_free(w);
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
test_an_armed_end_is_woken_once(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .wake = true });
	struct io *a = io_mem_end(w, 0, 0), *b = io_mem_end(w, 1, 0);
	int fd = b->ops->rx_fd(b);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	send_one(a, 0, 1, 60);
	CU_ASSERT_FALSE(readable(fd));        /* not armed, no system call   */
	CU_ASSERT_FALSE(b->ops->rx_arm(b));   /* a frame waits: do not sleep */
	CU_ASSERT_EQUAL(recv_one(b, 0), 1);
	CU_ASSERT_TRUE(b->ops->rx_arm(b));
	CU_ASSERT_FALSE(readable(fd));
	send_one(a, 0, 2, 60);
	CU_ASSERT_TRUE(readable(fd));
	b->ops->rx_disarm(b);
	CU_ASSERT_FALSE(readable(fd));
	CU_ASSERT_EQUAL(recv_one(b, 0), 2);
	io_mem_wire_free(w);
}

static void
test_a_frame_the_clock_waits_for_does_not_keep_it_awake(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .wake = true, .latency_ns = 10 });
	struct io *b = io_mem_end(w, 1, 0);

	send_one(io_mem_end(w, 0, 0), 0, 1, 60);
	CU_ASSERT_FALSE(b->ops->rx_arm(b)); /* deadline() was not asked since */
	CU_ASSERT_EQUAL(b->ops->deadline(b), 10);
	CU_ASSERT_TRUE(b->ops->rx_arm(b));
	b->ops->rx_disarm(b);
	io_mem_wire_free(w);
}

#define ECHOES 20000

/* Sends back what comes, sleeping whenever nothing does. */
static void *
echo_thread(void *arg)
{
	struct io *io = arg;
	struct io_pkt pkt;

	for (unsigned done = 0; done < ECHOES;) {
		if (io_rx(io, 0, &pkt, 1) == 0) {
			struct pollfd p = { .fd = io->ops->rx_fd(io), .events = POLLIN };

			if (io->ops->rx_arm(io))
				poll(&p, 1, -1);
			io->ops->rx_disarm(io);
			continue;
		}
		while (io_tx(io, 0, &pkt, 1) == 0)
			sched_yield();
		done++;
	}
	return NULL;
}

static void
test_two_threads_exchange_every_frame_in_order(void)
{
	struct io_mem_wire *w = wire_of((struct io_mem_config){ .wake = true, .depth = 64 });
	struct io *a = io_mem_end(w, 0, 0);
	unsigned sent = 0, got = 0, wrong = 0;
	pthread_t echo;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&echo, NULL, echo_thread, io_mem_end(w, 1, 0)), 0);
	while (got < ECHOES) {
		int byte = recv_one(a, 0);

		if (byte >= 0)
			wrong += byte != (uint8_t)got++;
		else if (sent < ECHOES && sent - got < 100 && send_one(a, 0, (uint8_t)sent, 60))
			sent++;
		else
			sched_yield();
	}
	pthread_join(echo, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(held(a), 0);
	io_mem_wire_free(w);
}

void suite_io_mem(void);

void
suite_io_mem(void)
{
	CU_pSuite s = CU_add_suite("io_mem", NULL, NULL);

	CU_add_test(s, "frames arrive in order at the same queue",
	            test_frames_arrive_in_order_at_the_same_queue);
	CU_add_test(s, "both directions are apart", test_both_directions_are_apart);
	CU_add_test(s, "a full wire refuses and takes again",
	            test_a_full_wire_refuses_and_takes_again);
	CU_add_test(s, "a full wire may drop instead", test_a_full_wire_may_drop_instead);
	CU_add_test(s, "latency and rate say when a frame arrives",
	            test_latency_and_rate_say_when_a_frame_arrives);
	CU_add_test(s, "buffers are counted and bounded", test_buffers_are_counted_and_bounded);
	CU_add_test(s, "a tap sees, changes and swallows frames",
	            test_a_tap_sees_changes_and_swallows_frames);
	CU_add_test(s, "raw frames can be injected and read",
	            test_raw_frames_can_be_injected_and_read);
	CU_add_test(s, "a closed end neither sends nor receives",
	            test_a_closed_end_neither_sends_nor_receives);
	CU_add_test(s, "info tells queue, mac and abilities",
	            test_info_tells_queue_mac_and_abilities);
	CU_add_test(s, "an armed end is woken once", test_an_armed_end_is_woken_once);
	CU_add_test(s, "a frame the clock waits for does not keep it awake",
	            test_a_frame_the_clock_waits_for_does_not_keep_it_awake);
	CU_add_test(s, "two threads exchange every frame in order",
	            test_two_threads_exchange_every_frame_in_order);
}
