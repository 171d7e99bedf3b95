/* SPDX-License-Identifier: BSD-3-Clause */
/* Each bit of the input that is set adds the 32 bits of the key that stand at its
 * place: a product of polynomials without carries. */
#include "core/rss.h"

#include "base/be.h"

const uint8_t rss_default_key[RSS_KEY_LEN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

uint32_t
rss_toeplitz(const uint8_t key[RSS_KEY_LEN], const uint8_t *data, size_t len)
{
	uint64_t window = (uint64_t)get_be32(key) << 32;
	uint32_t hash = 0;

	assert(len <= RSS_KEY_LEN - 4);
	for (size_t i = 0; i < len; i++) {
		window |= (uint64_t)key[i + 4] << 24;
		for (int bit = 7; bit >= 0; bit--) {
			if (data[i] >> bit & 1)
				hash ^= (uint32_t)(window >> 32);
			window <<= 1;
		}
	}
	return hash;
}

uint32_t
rss_hash_tcp4(const uint8_t key[RSS_KEY_LEN], uint32_t src, uint32_t dst, uint16_t sport,
              uint16_t dport)
{
	uint8_t tuple[12];

	put_be32(tuple, src);
	put_be32(tuple + 4, dst);
	put_be16(tuple + 8, sport);
	put_be16(tuple + 10, dport);
	return rss_toeplitz(key, tuple, sizeof tuple);
}
