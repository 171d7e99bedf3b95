/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_softrss() takes words in host order. */
#include "test/io_engine/thash.h"

#include <rte_thash.h>

/* DPDK has names of ours; what its headers wanted with them is done. */
#undef NS_PER_S
#undef container_of

#include "base/be.h"

uint32_t
by_dpdk4(const uint8_t *key, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	uint32_t words[RTE_THASH_V4_L4_LEN] = { src, dst, (uint32_t)sport << 16 | dport };

	return rte_softrss(words, RTE_THASH_V4_L4_LEN, key);
}

uint32_t
by_dpdk6(const uint8_t *key, const uint8_t src[16], const uint8_t dst[16], uint16_t sport,
         uint16_t dport)
{
	uint32_t words[RTE_THASH_V6_L4_LEN];

	for (unsigned i = 0; i < 4; i++) {
		words[i] = get_be32(src + 4 * i);
		words[4 + i] = get_be32(dst + 4 * i);
	}
	words[8] = (uint32_t)sport << 16 | dport;
	return rte_softrss(words, RTE_THASH_V6_L4_LEN, key);
}
