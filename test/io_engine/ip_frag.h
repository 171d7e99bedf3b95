/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's reassembly, apart since its headers need flags of their own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In a process where DPDK runs; false: it has no memory. */
bool dpdk_frag_start(void);

/* An IPv4 packet, a fragment; what has become whole by it is copied to `out` without its header:
 * how many bytes, 0: nothing has. */
uint32_t dpdk_frag_in(const uint8_t *ip, uint32_t len, uint64_t now, uint8_t *out);
