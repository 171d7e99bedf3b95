/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What any peer may demand of the wire, whatever a stack believes: a table of
 * what each direction of each connection has shown, and the rules that hold
 * for any TCP.  It sees frames as they are sent, and no stack's memory.
 */
#pragma once

#include "test/sim/craft.h"
#include "test/sim/host.h"

#define WATCH_MAX 4096u

/* One direction of a connection. */
struct watch_dir {
	struct sock_addr from, to;
	bool known;     /* its SYN has been seen                            */
	bool acked_any; /* it has sent an ACK: `ack` and `offer` are valid  */
	bool scale_offered;
	uint8_t scale;
	uint16_t mss; /* that it accepts                                  */
	seq_t isn;
	seq_t sent;    /* end of what it has sent                          */
	seq_t ack;     /* what it has acknowledged                         */
	seq_t offer;   /* the right edge it has offered                    */
	unsigned dark; /* frames sent into the dead link                   */
	uint32_t record; /* no segment crosses a multiple of this; 0: any may    */
};

struct watch {
	int64_t dark_from, dark_to; /* count from..to                             */
	uint16_t mtu[NET_PORTS];
	const char *broken;
	char what[160];
	unsigned n;
	struct watch_dir dir[WATCH_MAX];
};

/* Addresses that only ever send resets: nobody may answer them. */
struct ip_addr watch_silent_ip(bool v6);
/* An address behind port 2, for everything else an attacker sends. */
struct ip_addr watch_ghost_ip(bool v6);

void watch_init(struct watch *w);
void watch_frame(struct watch *w, unsigned from, int64_t now, const uint8_t *frame,
                 uint32_t len);

/* What is sent this way are records of so many bytes (MSG_EOR). */
void watch_records(struct watch *w, const struct sock_addr *from, const struct sock_addr *to,
                   uint32_t record);

/* The direction from one address to another, or NULL. */
const struct watch_dir *watch_find(const struct watch *w, const struct sock_addr *from,
                                   const struct sock_addr *to);
