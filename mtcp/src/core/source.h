/* SPDX-License-Identifier: BSD-3-Clause */
/* Which address of ours speaks to somebody (RFC 6724 5), as far as it concerns who has static
 * addresses: rules 1 (the same), 2 (scope), 6 (label) and 8 (longest prefix). */
#pragma once

#include "core/stack_cfg.h"

/* The best of those addresses that are of IPv6, first come first; NULL: none is. */
const struct ip_addr *source_choose(const struct stack_addr *addr, unsigned n,
                                    const struct ip_addr *dst);
