/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two streams of a connection as its TCP sees them, and its name: one pointer to where a
 * socket begins.
 * What a thread writes stands in a line of its own; the rest of the line is its owner's.
 */
#pragma once

#include "base/bytestream.h"
#include "base/ip_addr.h"

struct tcp_eor;

/* Who talks to whom; "local" is this side. */
struct tcp_tuple {
	struct ip_addr local, remote;
	uint16_t lport, rport;
};

#define TCP_STREAMS_REST \
	(CACHE_LINE - sizeof(struct stream_writer) - sizeof(struct stream_reader))

struct tcp_streams {
	/* -- the application's line -- */
	_Alignas(CACHE_LINE) struct stream_writer snd_w;
	struct stream_reader rcv_r;
	_Atomic(struct tcp_eor *) eor; /* with snd_w.marked: the ends of records in what is sent */
	uint8_t user[TCP_STREAMS_REST - sizeof(void *)];
	/* -- the stack's -- */
	struct stream_writer rcv_w;   /* where received text goes                  */
	struct stream_reader snd_r;   /* what is read to be sent                   */
	uint8_t stack[TCP_STREAMS_REST - sizeof(uint32_t)];
	struct tcp_tuple name;        /* the connection's, tcp_name()              */
};
