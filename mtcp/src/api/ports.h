/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports of the configuration, opened through DPDK, and what each core sees
 * of them: the engine of its queue, with impairment and capture around it where
 * the configuration says so.
 */
#pragma once

#include "api/config.h"
#include "api/party.h"
#include "io_engine/io.h"

struct ports;

/* Starts DPDK and opens every port for cfg->num_cores cores.  `cfg` must outlive
 * the ports.  0 and *out; or -errno, one line in `err`, and nothing left behind. */
int ports_open(const struct config *cfg, struct ports **out, char *err, size_t errlen);

/* Asks the links whether another host has an address of ours; about 100 ms, and what
 * arrives meanwhile is lost.  0, or -EADDRINUSE and one line in `err`.  Before any
 * ports_engines(). */
int ports_claim(struct ports *p, char *err, size_t errlen);

/* Core `core`'s engines, one a port, into ios[]: whoever gets them closes them.
 * 0, or -errno and one line in `err`.  Once for a core at a time; from its thread. */
int ports_engines(struct ports *p, unsigned core, struct io *ios[STACK_PORTS_MAX], char *err,
                  size_t errlen);

/* The kernel beside each port, as core `core` reaches it, into kernels[], NULL where there is none:
 * whoever gets them closes them.  0, or -errno and one line in `err`. */
int ports_kernels(struct ports *p, struct io *const ios[], struct io *kernels[STACK_PORTS_MAX],
                  char *err, size_t errlen);

/* Impairment and capture around `bare`, as the configuration has them; the engine owns
 * `bare` from now on.  `wall_offset_ns` added to `now` is the time of the capture's packets.
 * NULL and one line in `err`: `bare` is closed. */
struct io *ports_wrap(const struct config *cfg, struct io *bare, unsigned port, unsigned core,
                      int64_t wall_offset_ns, char *err, size_t errlen);

/* What the first port tells of its steering by Toeplitz; NULL: there is none. */
const struct io_rss *ports_rss(struct ports *p);

/* The link addresses shall be those of the other processes.  0, or -errno and a line in `err`. */
int ports_agree(struct ports *p, struct party *party, char *err, size_t errlen);

/* After all engines are closed.  `in_use': other processes use the same devices, which stay
 * as they are until this process ends.  NULL is allowed. */
void ports_close(struct ports *p, bool in_use);
