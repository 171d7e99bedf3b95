/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP_INFO: the stack's numbers in the layout and units of Linux. */
#pragma once

#include "tcp/tcp_opts.h"

/* Writes as much of Linux's struct tcp_info as `room` holds: how many bytes. */
size_t tcp_info_write(const struct tcp_info_data *d, void *out, size_t room);
