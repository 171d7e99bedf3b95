/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker is nobody's superuser, and yet opens a device.  So of the superuser's rights it keeps those that DPDK's
 * drivers ask for; its stack's threads get them by birth, and nginx's own loses them again once
 * the stack has started (ngx_mtcp_rights_drop()).  Those that count as much as all of them go before
 * there is a stack (ngx_mtcp_rights_lessen()).
 */
#include "ngx_mtcp.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "ngx_mtcp_rights.h"

int __real_setuid(uid_t uid);

/* TAP and AF_PACKET; raw and XDP sockets; pages that stay; the program of an XDP socket. */
static const unsigned needed[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_BPF };

/* To find the program that a process before this one has given to the interface, and libxdp's lock in /run/xdp:
 * without that lock it takes the program off. */
static const unsigned for_xdp[] = { CAP_SYS_ADMIN, CAP_DAC_OVERRIDE };

static int
caps(long call, struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return (int)syscall(call, &head, data);
}

/* Of `wanted` what is permitted now. */
static void
add(struct __user_cap_data_struct next[2], const struct __user_cap_data_struct now[2],
    const unsigned *wanted, size_t n)
{
	for (; n > 0; n--, wanted++) {
		uint32_t bit = CAP_TO_MASK(*wanted) & now[CAP_TO_INDEX(*wanted)].permitted;

		next[CAP_TO_INDEX(*wanted)].permitted |= bit;
		next[CAP_TO_INDEX(*wanted)].effective |= bit;
	}
}

static int
reduce(ngx_flag_t keep, ngx_flag_t xdp)
{
	struct __user_cap_data_struct now[2], next[2];

	ngx_memzero(next, sizeof next);
	if (caps(SYS_capget, now) < 0)
		return -1;
	if (keep)
		add(next, now, needed, sizeof needed / sizeof needed[0]);
	if (xdp)
		add(next, now, for_xdp, sizeof for_xdp / sizeof for_xdp[0]);
	return caps(SYS_capset, next);
}

int
ngx_mtcp_setuid_keeping(uid_t uid, ngx_flag_t xdp)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -1;
	if (__real_setuid(uid) < 0)
		return -1;
	return reduce(1, xdp);
}

/* Of this thread alone; who never was the superuser has ambient rights, and keeps what was given. */
static void
give_back(ngx_flag_t keep, ngx_log_t *log)
{
	if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 1)
		return;
	if (reduce(keep, 0) < 0)
		ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "mtcp: capset() failed");
}

void
ngx_mtcp_rights_lessen(ngx_log_t *log)
{
	give_back(1, log);
}

void
ngx_mtcp_rights_drop(ngx_log_t *log)
{
	give_back(0, log);
}
