/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a device spreads packets over its queues, asked of the device: what a driver was told
 * is not always what it does.  A device whose answers do not make sense, and most virtual
 * ones have none, counts as one that may put any packet on any queue.
 */
#include "io_engine/io_dpdk_priv.h"

#define KEY_MAX 64u /* what drivers may write; of it 40 bytes matter for TCP */

/* The same for both directions of a flow (Woo and Park, 2012): its period is that of the
 * ports, and divides that of the addresses. */
static void
symmetric_key(uint8_t *key, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		key[i] = i % 2 ? 0x5a : 0x6d;
}

/* Most cards take a key; one that does not keeps its own. */
static void
make_symmetric(uint16_t dev, const struct rte_eth_dev_info *info, uint64_t types)
{
	uint8_t key[KEY_MAX];
	struct rte_eth_rss_conf conf = {
		.rss_key = key,
		.rss_key_len = info->hash_key_size ? info->hash_key_size : (uint8_t)IO_RSS_KEY_LEN,
		.rss_hf = types,
	};

	if (conf.rss_key_len < IO_RSS_KEY_LEN || conf.rss_key_len > KEY_MAX)
		return;
	symmetric_key(key, conf.rss_key_len);
	(void)rte_eth_dev_rss_hash_update(dev, &conf);
}

static bool
read_key(uint16_t dev, struct io_rss *rss)
{
	uint8_t key[KEY_MAX] = { 0 };
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = sizeof key };
	bool zero = true;

	if (rte_eth_dev_rss_hash_conf_get(dev, &conf) ||
	    (conf.rss_key_len != 0 && conf.rss_key_len < IO_RSS_KEY_LEN))
		return false;
	for (unsigned i = 0; i < IO_RSS_KEY_LEN; i++)
		zero &= key[i] == 0;
	memcpy(rss->key, key, sizeof rss->key);
	rss->types = conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_TCP ? IO_RSS_TCP4 : 0u;
	rss->types |= conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV6_TCP ? IO_RSS_TCP6 : 0u;
	return !zero && rss->types;
}

/* A table that leaves queues out, as some are at first, is dealt anew. */
static void
deal_table(uint16_t dev, unsigned queues, const struct io_rss *rss)
{
	struct rte_eth_rss_reta_entry64 part[IO_RSS_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	unsigned next = 0;

	for (unsigned i = 0; i < rss->size && next < queues; i++)
		next += rss->table[i] == next;
	if (next == queues)
		return; /* each is there */
	memset(part, 0, sizeof part);
	for (unsigned i = 0; i < rss->size; i++) {
		part[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		part[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
		    (uint16_t)(i % queues);
	}
	(void)rte_eth_dev_rss_reta_update(dev, part, (uint16_t)rss->size);
}

static bool
read_table(uint16_t dev, const struct rte_eth_dev_info *info, unsigned queues, struct io_rss *rss)
{
	struct rte_eth_rss_reta_entry64 part[IO_RSS_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	unsigned size = info->reta_size;

	if (size == 0 || size > IO_RSS_TABLE_MAX || (size & (size - 1)) != 0)
		return false;
	memset(part, 0, sizeof part);
	for (unsigned i = 0; i < array_len(part); i++)
		part[i].mask = UINT64_MAX;
	if (rte_eth_dev_rss_reta_query(dev, part, (uint16_t)size))
		return false;
	rss->size = size;
	for (unsigned i = 0; i < size; i++) {
		rss->table[i] = part[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
		if (rss->table[i] >= queues)
			return false;
	}
	return true;
}

bool
io_dpdk_rss(uint16_t dev, const struct rte_eth_dev_info *info, unsigned queues, uint64_t types,
            struct io_rss *rss)
{
	memset(rss, 0, sizeof *rss);
	if (queues < 2 || !read_key(dev, rss) || !read_table(dev, info, queues, rss))
		return false;
	make_symmetric(dev, info, types);
	deal_table(dev, queues, rss);
	return read_key(dev, rss) && read_table(dev, info, queues, rss);
}
