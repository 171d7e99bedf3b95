/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which addresses stay with the kernel.  All others belong to the stack: an address that a
 * listener is bound to as well as one that is connected to.  Whatever is not of an Internet
 * family stays, and so does loopback, which no device carries.
 */
#pragma once

#include <sys/socket.h>

#include "base/ip_addr.h"

/* One line of the list: a prefix, a port, or both. */
struct bypass_rule {
	struct ip_addr ip;
	uint8_t bits;      /* of the mapped form, 0..128: how many must agree */
	uint16_t port;     /* 0: any                                          */
};

struct bypass {
	struct bypass_rule *rule;
	unsigned n;
};

/*
 * "10.0.0.0/8", "10.0.0.1", "10.0.0.1:53", "2001:db8::/32", "[2001:db8::1]:53", "[2001:db8::]/32",
 * "*:8080".  False, and *rule as it was, when `text` is none of these.
 */
bool bypass_parse(const char *text, struct bypass_rule *rule);

/* Appends a rule: 0, or -ENOMEM. */
int bypass_add(struct bypass *b, const struct bypass_rule *rule);

/* Makes the list empty again and frees it. */
void bypass_clear(struct bypass *b);

/* Whether an address, `len` bytes long as far as the caller knows, stays with the kernel. */
bool bypass_takes(const struct bypass *b, const struct sockaddr *addr, socklen_t len);
