/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Splitmix64: the whole state is the seed, so a run is its seed.  For tests,
 * faults and jitter; never for secrets, which come from siphash.h under a key
 * that api/ took from the operating system.
 */
#pragma once

#include "base/base.h"

struct rng {
	uint64_t state;
};

static inline uint64_t
rng_u64(struct rng *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number in 0..n-1; n > 0. */
static inline uint32_t
rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_u64(r) >> 32) * n) >> 32);
}

/* True `ppm` times in a million. */
static inline bool
rng_chance_ppm(struct rng *r, uint32_t ppm)
{
	return rng_below(r, 1000000) < ppm;
}
