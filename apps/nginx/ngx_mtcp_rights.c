/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker is nobody's superuser, and yet opens a device.  So of the superuser's rights it keeps those that DPDK's
 * drivers ask for; its stack's threads get them by birth, and nginx's own loses them again once
 * the stack has started (ngx_mtcp_rights_drop()).
 */
#include "ngx_mtcp.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "ngx_mtcp_rights.h"

int __real_setuid(uid_t uid);

/* TAP and AF_PACKET; raw and XDP sockets; pages that stay; the program of an XDP socket. */
static const unsigned needed[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_BPF };

static int
caps(long call, struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return (int)syscall(call, &head, data);
}

/* Those of `needed` that are permitted stay, or none. */
static int
reduce(ngx_flag_t keep)
{
	struct __user_cap_data_struct now[2], next[2];
	size_t i;

	ngx_memzero(next, sizeof next);
	if (caps(SYS_capget, now) < 0)
		return -1;
	for (i = 0; keep && i < sizeof needed / sizeof needed[0]; i++) {
		uint32_t bit = CAP_TO_MASK(needed[i]) & now[CAP_TO_INDEX(needed[i])].permitted;

		next[CAP_TO_INDEX(needed[i])].permitted |= bit;
		next[CAP_TO_INDEX(needed[i])].effective |= bit;
	}
	return caps(SYS_capset, next);
}

int
ngx_mtcp_setuid_keeping(uid_t uid)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -1;
	if (__real_setuid(uid) < 0)
		return -1;
	return reduce(1);
}

/* Of this thread alone; who never was the superuser has ambient rights, and keeps what was given. */
void
ngx_mtcp_rights_drop(ngx_log_t *log)
{
	if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 1)
		return;
	if (reduce(0) < 0)
		ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "mtcp: capset() failed");
}
