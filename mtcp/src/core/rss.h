/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive side scaling as network cards do it: a Toeplitz hash over the packet's
 * addresses and ports, and a table that maps the hash to a queue.
 */
#pragma once

#include "base/base.h"

#define RSS_KEY_LEN    40u
#define RSS_TABLE_SIZE 128u

/* The key that most drivers start with, and that Microsoft's verification suite uses. */
extern const uint8_t rss_default_key[RSS_KEY_LEN];

/* Hash of `len` bytes (at most RSS_KEY_LEN - 4) in the order of the packet. */
uint32_t rss_toeplitz(const uint8_t key[RSS_KEY_LEN], const uint8_t *data, size_t len);

/* Hash of a TCP packet over IPv4; everything in host order, as the packet has it. */
uint32_t rss_hash_tcp4(const uint8_t key[RSS_KEY_LEN], uint32_t src, uint32_t dst,
                       uint16_t sport, uint16_t dport);
