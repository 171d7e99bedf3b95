/* SPDX-License-Identifier: BSD-3-Clause */
/* What a device says of its steering, and that the stack's hash is the one DPDK knows. */
#include "test/io_engine/dpdk_child.h"

#include "base/rng.h"
#include "core/rss.h"
#include "test/io_engine/thash.h"

static void
show(char said[SAID], struct io_dpdk_port *port)
{
	struct io *io = port ? io_dpdk_queue(port, 0) : NULL;
	struct io_info info;

	if (!io)
		return;
	io->ops->info(io, &info);
	tell(said, "steering %d", (int)info.steering);
	if (info.rss)
		tell(said, " types %u size %u table %u %u %u key %02x%02x%02x%02x", info.rss->types,
		     info.rss->size, info.rss->table[0], info.rss->table[1], info.rss->table[2],
		     info.rss->key[0], info.rss->key[1], info.rss->key[2], info.rss->key[3]);
	io->ops->close(io);
}

/* net_null hashes nothing, but takes and tells keys and tables as a card does. */
static void
a_card(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0");
	struct io_dpdk_port *port = opened(said, dpdk, "net_null0", 2);

	show(said, port);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
no_card(char said[SAID])
{
	struct io_dpdk *dpdk =
	    started(said, "--no-huge --vdev=net_ring0 --vdev=net_null0 --vdev=net_null1");
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 2);

	show(said, port);
	io_dpdk_port_close(port);
	tell(said, ", ");
	port = opened(said, dpdk, "net_null0,net_null1", 4); /* which of the two was it? */
	show(said, port);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_key_and_table_are_read_from_the_device(void)
{
	check_says(a_card, "steering 2 types 3 size 128 table 0 1 0 key 6d5a6d5a");
}

static void
test_what_cannot_tell_is_unknown(void)
{
	check_says(no_card, "steering 0, steering 0");
}

/* -- the hash ------------------------------------------------------------------------ */

static void
some_bytes(struct rng *rng, uint8_t *to, size_t n)
{
	while (n-- > 0)
		*to++ = (uint8_t)rng_u64(rng);
}

static void
test_the_hash_is_that_of_dpdk(void)
{
	struct rng rng = { 7 };
	uint16_t table[RSS_TABLE_SIZE] = { 0 };
	struct rss r;

	for (unsigned i = 0; i < 1000; i++) {
		uint8_t key[RSS_KEY_LEN];
		uint32_t src = (uint32_t)rng_u64(&rng), dst = (uint32_t)rng_u64(&rng);
		uint16_t sport = (uint16_t)rng_u64(&rng), dport = (uint16_t)rng_u64(&rng);
		struct ip_addr a = ip_addr_v4(src), b = ip_addr_v4(dst);

		some_bytes(&rng, key, sizeof key);
		CU_ASSERT_TRUE_FATAL(rss_init(&r, key, table, RSS_TABLE_SIZE));
		CU_ASSERT_EQUAL(rss_hash(&r, &a, &b, sport, dport),
		                by_dpdk4(key, src, dst, sport, dport));
		CU_ASSERT_EQUAL(rss_hash_tcp4(key, src, dst, sport, dport),
		                by_dpdk4(key, src, dst, sport, dport));
		some_bytes(&rng, a.b, sizeof a.b);
		some_bytes(&rng, b.b, sizeof b.b);
		a.b[0] &= 0x3f; /* not link-local, whose scope does not count */
		b.b[0] &= 0x3f;
		CU_ASSERT_EQUAL(rss_hash(&r, &a, &b, sport, dport),
		                by_dpdk6(key, a.b, b.b, sport, dport));
	}
}

void
io_dpdk_rss_tests(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_rss", NULL, NULL);

	CU_add_test(s, "key and table are read from the device",
	            test_key_and_table_are_read_from_the_device);
	CU_add_test(s, "what cannot tell is unknown", test_what_cannot_tell_is_unknown);
	CU_add_test(s, "the hash is that of DPDK", test_the_hash_is_that_of_dpdk);
}
