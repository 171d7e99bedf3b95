/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine around an engine that writes every frame it passes, both ways, to a
 * capture file (pcap, nanoseconds, Ethernet).  Sums that the port is asked to
 * finish are finished in the captured copy, so that a clean run shows no bad
 * checksum.  Trouble with the file after opening ends the capture, never the
 * traffic.
 */
#pragma once

#include "io_engine/io.h"

struct io_pcap_config {
	const char *path;
	uint32_t snap;        /* bytes kept of a frame; 0 means all (65535)          */
	uint64_t limit;       /* bytes of the file at most; 0: no limit              */
	int64_t wall_offset_ns; /* add to `now` to get nanoseconds since 1970        */
};

struct io_pcap_stats {
	uint64_t written; /* frames in the file (or still in its buffer)             */
	uint64_t skipped; /* frames after the limit or an error                      */
	int error;        /* errno of the write that ended the capture, or 0         */
};

/* An engine around `inner`, which it owns from now on and closes with itself.
 * The file is made or emptied at once.  NULL: one line in `err` says why, and
 * `inner` stays the caller's. */
struct io *io_pcap_new(struct io *inner, const struct io_pcap_config *cfg, char *err,
                       size_t errlen);

/* Writes what is buffered.  Done once a second of `now` and on close anyway. */
void io_pcap_flush(struct io *io);

/* The counters so far.  `io` is of io_pcap_new(). */
void io_pcap_stats(struct io *io, struct io_pcap_stats *stats);
