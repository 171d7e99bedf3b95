/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets through a device that gives back what it is sent (net_ring). */
#include "test/io_engine/dpdk_child.h"

#define RING "--no-huge --vdev=net_ring0"

static unsigned
send_bytes(struct io *io, uint8_t byte, uint32_t len)
{
	struct io_pkt pkt;

	if (io_alloc(io, &pkt, 1) != 1)
		return 0;
	memset(pkt.data, byte, len);
	pkt.len = len;
	return io_tx(io, 0, &pkt, 1);
}

static void
loop_back(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, RING);
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 1);
	struct io *io = io_dpdk_queue(port, 0);
	struct io_dpdk_stats st;
	struct io_pkt pkts[IO_BURST];
	unsigned n;

	send_bytes(io, 0x11, 60);
	send_bytes(io, 0x22, 1514);
	n = io_rx(io, 0, pkts, IO_BURST);
	for (unsigned i = 0; i < n; i++)
		tell(said, "[%u bytes of %02x, room %d]", pkts[i].len, pkts[i].data[pkts[i].len - 1],
		     pkts[i].room >= 1514);
	io_release(io, pkts, n);
	io_dpdk_port_stats(port, &st);
	tell(said, " rx %u tx %u, then %u", (unsigned)st.rx_packets, (unsigned)st.tx_packets,
	     io_rx(io, 0, pkts, IO_BURST));
	io->ops->close(io);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_what_is_sent_comes_back_whole(void)
{
	check_says(loop_back, "[60 bytes of 11, room 1][1514 bytes of 22, room 1] rx 2 tx 2, then 0");
}

/* Takes buffers until there are none; how many. */
static unsigned
take_all(struct io *io, struct io_pkt *all, unsigned max)
{
	unsigned n = 0, got;

	while (n + IO_BURST <= max && (got = io_alloc(io, all + n, IO_BURST)))
		n += got;
	return n;
}

static void
exhaust(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, RING);
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 1);
	struct io_pkt *all = calloc(8192, sizeof *all);
	struct io *io = io_dpdk_queue(port, 0);
	struct io_pkt pkt;
	unsigned first, second;

	io_rx(io, 0, &pkt, 1); /* makes the thread known */
	first = take_all(io, all, 8192);
	tell(said, "%d, then %u", first > 1000, io_alloc(io, &pkt, 1));
	io_release(io, all, first);
	for (unsigned i = 0; i < 20000; i++) {
		send_bytes(io, 1, 60);
		io_release(io, &pkt, io_rx(io, 0, &pkt, 1));
	}
	second = take_all(io, all, 8192);
	io_release(io, all, second);
	tell(said, ", as many after 20000 packets %d", first == second);
	free(all);
	io->ops->close(io);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_buffers_end_come_back_and_are_not_lost(void)
{
	check_says(exhaust, "1, then 0, as many after 20000 packets 1");
}

/* A stack that removes or adds a tag moves the first byte within the buffer. */
static void
move_start(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, RING);
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 1);
	struct io *io = io_dpdk_queue(port, 0);
	struct io_pkt pkt;

	io_alloc(io, &pkt, 1);
	pkt.data += 4;
	pkt.len = 60;
	memset(pkt.data, 0x33, 60);
	io_tx(io, 0, &pkt, 1);
	tell(said, "%u", io_rx(io, 0, &pkt, 1));
	tell(said, " %02x %02x %u", pkt.data[0], pkt.data[59], pkt.len);
	io_release(io, &pkt, 1);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_a_frame_may_begin_elsewhere_in_its_buffer(void)
{
	check_says(move_start, "1 33 33 60");
}

static void
no_wait(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, RING);
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 1);
	struct io *io = io_dpdk_queue(port, 0);
	struct io_info info;

	io->ops->info(io, &info);
	tell(said, "caps %u fd %d arm %d deadline %d", info.caps & IO_CAP_RX_WAIT, io->ops->rx_fd(io),
	     io->ops->rx_arm(io), io->ops->deadline(io) == TIME_NEVER);
	io->ops->rx_disarm(io);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_a_device_without_interrupts_says_so(void)
{
	check_says(no_wait, "caps 0 fd -1 arm 1 deadline 1");
}

void suite_io_dpdk(void);

void
suite_io_dpdk(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk", NULL, NULL);

	CU_add_test(s, "what is sent comes back whole", test_what_is_sent_comes_back_whole);
	CU_add_test(s, "buffers end, come back and are not lost",
	            test_buffers_end_come_back_and_are_not_lost);
	CU_add_test(s, "a frame may begin elsewhere in its buffer",
	            test_a_frame_may_begin_elsewhere_in_its_buffer);
	CU_add_test(s, "a device without interrupts says so",
	            test_a_device_without_interrupts_says_so);
	io_dpdk_eal_tests();
	io_dpdk_port_tests();
	io_dpdk_rss_tests();
}
