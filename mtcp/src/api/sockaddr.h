/* SPDX-License-Identifier: BSD-3-Clause */
/* The system's struct sockaddr, to and from the stack's addresses. */
#pragma once

#include <sys/socket.h>

#include "core/sock.h"

/* 0 and *out, or EFAULT, EINVAL, EAFNOSUPPORT. */
int sockaddr_parse(const struct sockaddr *addr, socklen_t len, struct sock_addr *out);

/* As much of the address as *len has room for; *len becomes its whole length. */
void sockaddr_write(const struct sock_addr *a, struct sockaddr *addr, socklen_t *len);
