/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Someone who can send whatever he likes to either host, knows all addresses,
 * ports and roughly the sequence numbers, but sees no traffic: nothing he does
 * may end a connection, change a byte or draw an answer to a reset.
 */
#pragma once

#include "test/sim/flow.h"
#include "test/sim/watch.h"

struct attack {
	struct rng rng;
	struct net *net;
	const struct watch *watch;
	const struct flows *flows;
	uint64_t frames;
	unsigned syns; /* half-open records it may have taken: a flood is not meant */
};

/* Sends one frame or none. */
void attack_once(struct attack *a);
