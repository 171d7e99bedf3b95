/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is an address of ours somebody else's already?  Asked on the link before the
 * first connection (RFC 5227 2.1), since two hosts with one address break each
 * other's connections in ways that nobody can explain.  For IPv6 this is duplicate
 * address detection (RFC 4862 5.4).
 */
#pragma once

#include "core/stack_cfg.h"
#include "io_engine/io.h"
#include "wire/eth.h"

/* Who was in the way. */
struct claim_rival {
	struct ip_addr ip;
	struct mac_addr mac;
};

/* Sends one probe for each address of `port`.  What does not fit into
 * the port's queue is not sent: the caller asks more than once. */
void claim_ask(struct io *io, const struct stack_port_cfg *port, int64_t now);

/* Takes all that has arrived, and drops it.  True, with *rival, if some other
 * host has one of the addresses or is asking for it as well. */
bool claim_heard(struct io *io, const struct stack_port_cfg *port, int64_t now,
                 struct claim_rival *rival);
