/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every file here takes for granted: integers, time, min and max, and
 * the assertion that debug and simulator builds keep.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Time is nanoseconds since any fixed moment; only differences mean anything. */
#define TIME_NEVER INT64_MAX
#define NS_PER_US  INT64_C(1000)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_S   INT64_C(1000000000)
#define US(n)      ((int64_t)(n) * NS_PER_US)
#define MS(n)      ((int64_t)(n) * NS_PER_MS)
#define SEC(n)     ((int64_t)(n) * NS_PER_S)

#define CACHE_LINE 64

/* Each argument is evaluated once: it may be a word that another thread changes meanwhile.  The
 * result is as narrow as both of them.  The numbers keep one inside another from hiding its names. */
#define min(a, b) PICK_(a, <, b, __COUNTER__)
#define max(a, b) PICK_(a, >, b, __COUNTER__)
#define PICK_(a, than, b, n)  PICK__(a, than, b, n)
#define PICK__(a, than, b, n) PICK___(a, than, b, pick_a##n, pick_b##n, picked##n)
#define PICK___(a, than, b, x, y, z)                                                           \
	__extension__({                                                                        \
		PICK_TYPE_(a, b) x = (a), y = (b), z = x than y ? x : y;                       \
		z;                                                                             \
	})
#define PICK_TYPE_(a, b)                                                                       \
	__typeof__(__builtin_choose_expr(                                                      \
		__builtin_types_compatible_p(__typeof__(a), __typeof__(b)), (a), 1 ? (a) : (b)))

#define container_of(ptr, type, member)                                                        \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define array_len(a) (sizeof(a) / sizeof((a)[0]))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Values narrowed on purpose; debug builds check that nothing is lost. */
static inline uint16_t
to_u16(uint64_t v)
{
	assert(v <= UINT16_MAX);
	return (uint16_t)v;
}

static inline uint8_t
to_u8(uint64_t v)
{
	assert(v <= UINT8_MAX);
	return (uint8_t)v;
}

static inline uint32_t
to_u32(uint64_t v)
{
	assert(v <= UINT32_MAX);
	return (uint32_t)v;
}

/* The smallest power of two that is at least `v`; v in 1..2^31. */
static inline uint32_t
pow2_at_least(uint32_t v)
{
	return v <= 1 ? 1 : 1u << (32 - __builtin_clz(v - 1));
}

/* What was written before is seen by all threads before anything is read that is read after it. */
static inline void
fence_full(void)
{
#ifdef __SANITIZE_THREAD__ /* it knows no fences */
	_Atomic int any = 0;

	(void)atomic_exchange(&any, 1);
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline size_t
align_up(size_t v, size_t to)
{
	return (v + to - 1) & ~(to - 1);
}
