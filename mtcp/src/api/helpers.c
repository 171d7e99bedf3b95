/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small calls that programs of the original bring along or expect.
 */
#include <errno.h>
#include <unistd.h>

#include "api/instance.h"
#include "core/rss.h"
#include "mtcp_epoll.h"

int
GetNumCPUs(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (int)n;
}

int
FetchEndianType(void)
{
	return 0;
}

/* A table that counts in the other order is the one of i40e: entries of each
 * group of four 32-bit words stand reversed. */
static uint32_t
table_entry(uint32_t hash, bool other_order)
{
	uint32_t entry = hash & (RSS_TABLE_SIZE - 1);

	return other_order ? entry ^ 3 : entry;
}

int
GetRSSCPUCore(uint32_t sip, uint32_t dip, uint16_t sp, uint16_t dp, int queues,
              uint8_t endian_check)
{
	const struct io_rss *rss = instance_rss();
	uint32_t hash;

	if (queues < 1) {
		errno = EINVAL;
		return -1;
	}
	if (rss) {
		hash = rss_hash_tcp4(rss->key, sip, dip, sp, dp);
		return (int)(rss->table[hash & (rss->size - 1)] % (uint32_t)queues);
	}
	hash = rss_hash_tcp4(rss_default_key, sip, dip, sp, dp);
	return (int)(table_entry(hash, endian_check != 0) % (uint32_t)queues);
}

char *
EventToString(uint32_t event)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ (uint32_t)MTCP_EPOLLIN, "MTCP_EPOLLIN" },
		{ (uint32_t)MTCP_EPOLLPRI, "MTCP_EPOLLPRI" },
		{ (uint32_t)MTCP_EPOLLOUT, "MTCP_EPOLLOUT" },
		{ (uint32_t)MTCP_EPOLLERR, "MTCP_EPOLLERR" },
		{ (uint32_t)MTCP_EPOLLHUP, "MTCP_EPOLLHUP" },
		{ (uint32_t)MTCP_EPOLLRDNORM, "MTCP_EPOLLRDNORM" },
		{ (uint32_t)MTCP_EPOLLRDBAND, "MTCP_EPOLLRDBAND" },
		{ (uint32_t)MTCP_EPOLLWRNORM, "MTCP_EPOLLWRNORM" },
		{ (uint32_t)MTCP_EPOLLWRBAND, "MTCP_EPOLLWRBAND" },
		{ (uint32_t)MTCP_EPOLLMSG, "MTCP_EPOLLMSG" },
		{ (uint32_t)MTCP_EPOLLRDHUP, "MTCP_EPOLLRDHUP" },
		{ (uint32_t)MTCP_EPOLLONESHOT, "MTCP_EPOLLONESHOT" },
		{ (uint32_t)MTCP_EPOLLET, "MTCP_EPOLLET" },
	};
	const char *name = "MTCP_EPOLLNONE";

	for (size_t i = 0; i < array_len(names); i++)
		if (event & names[i].bit) {
			name = names[i].name;
			break;
		}
	return (char *)(uintptr_t)name;
}
