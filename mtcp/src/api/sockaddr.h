/* SPDX-License-Identifier: BSD-3-Clause */
/* The system's struct sockaddr, to and from the stack's addresses. */
#pragma once

#include <sys/socket.h>

#include "core/sock.h"

/* Of a socket of IPv6 (`v6`) or of IPv4.  0 and *out, or EFAULT, EINVAL, EAFNOSUPPORT. */
int sockaddr_parse(const struct sockaddr *addr, socklen_t len, bool v6, struct sock_addr *out);

/* As much of the address as *len has room for; *len becomes its whole length. */
void sockaddr_write(const struct sock_addr *a, bool v6, struct sockaddr *addr, socklen_t *len);
