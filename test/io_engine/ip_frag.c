/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/io_engine/ip_frag.h"

#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>

static struct rte_mempool *pool;
static struct rte_ip_frag_tbl *table;

bool
dpdk_frag_start(void)
{
	pool = rte_pktmbuf_pool_create("frags", 2047, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM, 0);
	table = rte_ip_frag_table_create(64, 16, 1024, UINT64_C(1) << 40, 0);
	return pool && table;
}

static uint32_t
copy_out(struct rte_mbuf *m, uint8_t *out)
{
	uint32_t n = m->pkt_len - m->l3_len, at = 0;

	for (struct rte_mbuf *part = m; part; part = part->next) {
		uint32_t skip = part == m ? m->l3_len : 0;

		rte_memcpy(out + at, rte_pktmbuf_mtod(part, uint8_t *) + skip,
		           part->data_len - skip);
		at += part->data_len - skip;
	}
	rte_pktmbuf_free(m);
	return n;
}

uint32_t
dpdk_frag_in(const uint8_t *ip, uint32_t len, uint64_t now, uint8_t *out)
{
	static struct rte_ip_frag_death_row row;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *whole;

	if (!m)
		return 0;
	rte_memcpy(rte_pktmbuf_append(m, (uint16_t)len), ip, len);
	m->l2_len = 0;
	m->l3_len = 20;
	whole = rte_ipv4_frag_reassemble_packet(table, &row, m, now,
	                                        rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *));
	rte_ip_frag_free_death_row(&row, 0);
	return whole ? copy_out(whole, out) : 0;
}
