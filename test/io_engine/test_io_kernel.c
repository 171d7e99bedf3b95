/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine, with the far end of a pair of sockets for the kernel. */
#include "io_engine/io_kernel.h"

#include <CUnit/CUnit.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void suite_io_kernel(void);

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

static struct io *
opened(int *kernel, uint16_t mtu)
{
	struct io *io;
	int fd[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	io = io_kernel_on(fd[0], mac, mtu);
	CU_ASSERT_PTR_NOT_NULL_FATAL(io);
	*kernel = fd[1];
	return io;
}

static void
test_frames_come_and_go(void)
{
	struct io_pkt k[IO_BURST];
	uint8_t buf[64];
	int kernel;
	struct io *io = opened(&kernel, 1500);

	CU_ASSERT_EQUAL(write(kernel, "twenty bytes of text", 20), 20);
	CU_ASSERT_EQUAL_FATAL(io_rx(io, 0, k, IO_BURST), 1);
	CU_ASSERT(k[0].len == 20 && memcmp(k[0].data, "twenty bytes of text", 20) == 0);
	CU_ASSERT_EQUAL(k[0].flags, 0);
	io_release(io, k, 1);
	CU_ASSERT_EQUAL_FATAL(io_alloc(io, k, 1), 1);
	CU_ASSERT(k[0].room >= 14 + 4 + 1500);
	memcpy(k[0].data, "and back", 8);
	k[0].len = 8;
	CU_ASSERT_EQUAL(io_tx(io, 0, k, 1), 1);
	CU_ASSERT(read(kernel, buf, sizeof buf) == 8 && memcmp(buf, "and back", 8) == 0);
	io->ops->close(io);
	CU_ASSERT_EQUAL(read(kernel, buf, sizeof buf), 0);
	close(kernel);
}

/* A system call for nothing is dear: the kernel is left alone for a while. */
static void
test_it_looks_again_after_a_pause(void)
{
	struct io_pkt k[2];
	int kernel;
	struct io *io = opened(&kernel, 1500);

	CU_ASSERT_EQUAL(io_rx(io, US(100), k, 2), 0);
	CU_ASSERT_EQUAL(write(kernel, "x", 1), 1);
	CU_ASSERT_EQUAL(io_rx(io, US(101), k, 2), 0);
	CU_ASSERT_EQUAL(io_rx(io, US(120), k, 2), 1);
	io_release(io, k, 1);
	CU_ASSERT_TRUE(io->ops->rx_arm(io)); /* nothing waits: sleep */
	CU_ASSERT_EQUAL(io->ops->rx_fd(io) >= 0, true);
	CU_ASSERT_EQUAL(io_rx(io, US(200), k, 2), 0);
	CU_ASSERT_EQUAL(write(kernel, "x", 1), 1);
	CU_ASSERT_FALSE(io->ops->rx_arm(io));
	CU_ASSERT_EQUAL(io_rx(io, US(201), k, 2), 1); /* who was woken looks at once */
	io->ops->rx_disarm(io);
	io_release(io, k, 1);
	CU_ASSERT_EQUAL(io->ops->deadline(io), TIME_NEVER);
	io->ops->close(io);
	close(kernel);
}

static void
test_memory_has_an_end(void)
{
	struct io_pkt k[200];
	unsigned n;
	int kernel;
	struct io *io = opened(&kernel, 1500);

	n = io_alloc(io, k, 200);
	CU_ASSERT(n >= 2 * IO_BURST && n < 200);
	CU_ASSERT_EQUAL(write(kernel, "x", 1), 1);
	CU_ASSERT_EQUAL(io_rx(io, 0, &k[n], 1), 0);
	io_release(io, k, n);
	CU_ASSERT_EQUAL(io_rx(io, 0, k, 1), 1);
	io_release(io, k, 1);
	CU_ASSERT_EQUAL(io_alloc(io, k, 200), n);
	for (unsigned i = 0; i < n; i++)
		k[i].len = 1000;
	CU_ASSERT_EQUAL(io_tx(io, 0, k, n), n); /* what the kernel has no room for is lost */
	CU_ASSERT_EQUAL(io_alloc(io, k, 200), n);
	io_release(io, k, n);
	close(kernel);
	CU_ASSERT_EQUAL(io_alloc(io, k, 1), 1);
	k[0].len = 60;
	CU_ASSERT_EQUAL(io_rx(io, SEC(1), &k[1], 1), 0); /* the interface has gone */
	io_release(io, k, 1);
	io->ops->close(io);
}

static void
test_what_it_is(void)
{
	struct io_info info;
	int kernel;
	struct io *io = opened(&kernel, 9000);

	io->ops->info(io, &info);
	CU_ASSERT(memcmp(info.mac, mac, 6) == 0 && info.mtu == 9000 && info.queue == 0);
	io->ops->close(io);
	close(kernel);
}

void
suite_io_kernel(void)
{
	CU_pSuite s = CU_add_suite("io_kernel", NULL, NULL);

	CU_add_test(s, "frames come and go", test_frames_come_and_go);
	CU_add_test(s, "it looks again after a pause", test_it_looks_again_after_a_pause);
	CU_add_test(s, "memory has an end", test_memory_has_an_end);
	CU_add_test(s, "what it is", test_what_it_is);
}
