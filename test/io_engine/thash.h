/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's Toeplitz, apart since its headers need flags of their own. */
#pragma once

#include <stdint.h>

/* Hash of a TCP packet; everything in host order, but for IPv6 addresses. */
uint32_t by_dpdk4(const uint8_t *key, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport);
uint32_t by_dpdk6(const uint8_t *key, const uint8_t src[16], const uint8_t dst[16],
                  uint16_t sport, uint16_t dport);
