/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * The addresses that connections come from, as --source lists them.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SOURCE_RANGES_MAX 16u
#define SOURCES_MAX       65536u
#define SOURCE_TEXT_MAX   48

struct source_range {
	uint8_t first[16]; /* network order; IPv4 in the first 4 */
	uint32_t count;
};

/* All zero: none, and the stack chooses. */
struct sources {
	int family; /* of them all */
	unsigned ranges;
	uint32_t total;
	struct source_range range[SOURCE_RANGES_MAX];
};

/*
 * Reads a comma-separated list of ADDRESS, FIRST-LAST and ADDRESS/PREFIX (the hosts of that
 * network; without the network's own and its broadcast address in IPv4).
 * NULL, or what is wrong; then *where is the item that is.
 */
const char *sources_parse(struct sources *s, const char *list, char where[64]);

/* Address i modulo total, with port 0; its length. */
socklen_t sources_at(const struct sources *s, uint64_t i, struct sockaddr_storage *out);

/* The same in text, which it returns. */
const char *sources_text(const struct sources *s, uint64_t i, char text[SOURCE_TEXT_MAX]);
