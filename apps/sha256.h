/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* SHA-256 (FIPS 180-4), to tell whether a body arrived as it was sent. */
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
	uint32_t state[8];
	uint64_t total; /* bytes so far */
	uint8_t block[64];
};

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* The digest of all that was added; s is spent. */
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_SIZE]);
