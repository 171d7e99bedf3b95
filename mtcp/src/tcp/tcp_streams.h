/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two streams of a connection as its TCP sees them: one pointer to where a socket begins.
 * What a thread writes stands in a line of its own; the rest of the line is its owner's.
 */
#pragma once

#include "base/bytestream.h"

struct tcp_eor;

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
};
