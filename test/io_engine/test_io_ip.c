/* SPDX-License-Identifier: BSD-3-Clause */
/* A port without a link layer: what is given is received, what is sent can be taken. */
#include "io_engine/io_ip.h"

#include <CUnit/CUnit.h>

#include <errno.h>

#include "base/be.h"
#include "wire/eth.h"

static const uint8_t ip4[] = { 0x45, 1, 2, 3, 4 }, ip6[] = { 0x60, 1, 2 };

/* Has the port send a frame of `type` with the bytes of `data`. */
static unsigned
send(struct io *io, uint16_t type, const void *data, uint32_t len, int64_t now)
{
	struct io_pkt k;
	unsigned taken;

	CU_ASSERT_EQUAL_FATAL(io_alloc(io, &k, 1), 1);
	CU_ASSERT_FATAL(k.room >= ETH_LEN + len);
	put_be16(k.data + 12, type);
	memcpy(k.data + ETH_LEN, data, len);
	k.len = ETH_LEN + len;
	taken = io_tx(io, now, &k, 1);
	if (taken == 0)
		io_release(io, &k, 1);
	return taken;
}

static void
test_what_is_given_comes_with_a_link_header_of_its_version(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ 0 });
	struct io_pkt k[4];
	struct eth_hdr h;

	CU_ASSERT_EQUAL(io_rx(io, 0, k, 4), 0);
	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), 0);
	CU_ASSERT_EQUAL(io_ip_give(io, ip6, sizeof ip6), 0);
	CU_ASSERT_EQUAL(io_ip_given(io), 2);
	CU_ASSERT_EQUAL_FATAL(io_rx(io, 0, k, 4), 2);
	CU_ASSERT_EQUAL(io_ip_given(io), 0);
	CU_ASSERT(wire_eth_parse(k[0].data, k[0].len, &h));
	CU_ASSERT_EQUAL(h.type, ETH_TYPE_IP4);
	CU_ASSERT_EQUAL(k[0].len, ETH_LEN + sizeof ip4);
	CU_ASSERT_EQUAL(memcmp(k[0].data + ETH_LEN, ip4, sizeof ip4), 0);
	CU_ASSERT_EQUAL(k[0].flags, 0);
	CU_ASSERT(wire_eth_parse(k[1].data, k[1].len, &h));
	CU_ASSERT_EQUAL(h.type, ETH_TYPE_IP6);
	io_release(io, k, 2);
	io->ops->close(io);
}

static void
test_it_vouches_for_checksums_when_asked_to(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ .rx_good = true });
	struct io_pkt k;

	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), 0);
	CU_ASSERT_EQUAL_FATAL(io_rx(io, 0, &k, 1), 1);
	CU_ASSERT_EQUAL(k.flags, IO_RX_IP_GOOD | IO_RX_L4_GOOD);
	io_release(io, &k, 1);
	io->ops->close(io);
}

static void
test_no_more_is_held_than_was_agreed(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ .rx_depth = 2, .tx_depth = 1 });

	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), 0);
	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), 0);
	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), -ENOBUFS);
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_IP4, ip4, sizeof ip4, 1), 1);
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_IP4, ip4, sizeof ip4, 2), 0);
	io_ip_drop(io);
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_IP4, ip4, sizeof ip4, 3), 1);
	io->ops->close(io); /* with packets in both directions: nothing leaks */
}

static void
test_what_is_sent_is_taken_in_order_with_its_time(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ 0 });
	const uint8_t *sent;
	uint32_t len;
	int64_t at;

	CU_ASSERT_PTR_NULL(io_ip_sent(io, &len, &at));
	io_ip_drop(io); /* of nothing */
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_IP4, ip4, sizeof ip4, 10), 1);
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_ARP, ip4, sizeof ip4, 15), 1);
	CU_ASSERT_EQUAL(send(io, ETH_TYPE_IP6, ip6, sizeof ip6, 20), 1);
	sent = io_ip_sent(io, &len, &at);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sent);
	CU_ASSERT_EQUAL(len, sizeof ip4);
	CU_ASSERT_EQUAL(at, 10);
	CU_ASSERT_EQUAL(memcmp(sent, ip4, len), 0);
	io_ip_drop(io);
	sent = io_ip_sent(io, &len, &at);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sent); /* ARP is swallowed */
	CU_ASSERT_EQUAL(len, sizeof ip6);
	CU_ASSERT_EQUAL(at, 20);
	io_ip_drop(io);
	CU_ASSERT_PTR_NULL(io_ip_sent(io, &len, &at));
	io->ops->close(io);
}

static void
test_a_larger_mtu_makes_larger_packets(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ .mtu = 100 });
	struct io_pkt k;

	CU_ASSERT_EQUAL_FATAL(io_alloc(io, &k, 1), 1);
	CU_ASSERT_EQUAL(k.room, ETH_LEN + 100);
	io_release(io, &k, 1);
	io_ip_mtu(io, 9000);
	CU_ASSERT_EQUAL_FATAL(io_alloc(io, &k, 1), 1);
	CU_ASSERT_EQUAL(k.room, ETH_LEN + 9000);
	io_release(io, &k, 1);
	io_ip_mtu(io, 100); /* never less */
	CU_ASSERT_EQUAL_FATAL(io_alloc(io, &k, 1), 1);
	CU_ASSERT_EQUAL(k.room, ETH_LEN + 9000);
	io_release(io, &k, 1);
	io->ops->close(io);
}

static void
test_it_never_sleeps_and_never_wants_to_be_called(void)
{
	struct io *io = io_ip_new(&(struct io_ip_config){ 0 });
	struct io_info info;

	CU_ASSERT_EQUAL(io->ops->deadline(io), TIME_NEVER);
	CU_ASSERT_EQUAL(io->ops->rx_fd(io), -1);
	CU_ASSERT(io->ops->rx_arm(io));
	io->ops->rx_disarm(io);
	CU_ASSERT_EQUAL(io_ip_give(io, ip4, sizeof ip4), 0);
	CU_ASSERT_FALSE(io->ops->rx_arm(io));
	io->ops->info(io, &info);
	CU_ASSERT_EQUAL(info.caps, 0);
	CU_ASSERT_EQUAL(info.mtu, UINT16_MAX);
	io->ops->close(io);
}

void suite_io_ip(void);

void
suite_io_ip(void)
{
	CU_pSuite s = CU_add_suite("io_ip", NULL, NULL);

	CU_add_test(s, "what is given comes with a link header of its version",
	            test_what_is_given_comes_with_a_link_header_of_its_version);
	CU_add_test(s, "it vouches for checksums when asked to",
	            test_it_vouches_for_checksums_when_asked_to);
	CU_add_test(s, "no more is held than was agreed", test_no_more_is_held_than_was_agreed);
	CU_add_test(s, "what is sent is taken in order with its time",
	            test_what_is_sent_is_taken_in_order_with_its_time);
	CU_add_test(s, "a larger MTU makes larger packets", test_a_larger_mtu_makes_larger_packets);
	CU_add_test(s, "it never sleeps and never wants to be called",
	            test_it_never_sleeps_and_never_wants_to_be_called);
}
