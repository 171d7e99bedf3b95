/* SPDX-License-Identifier: BSD-3-Clause */
/* Impairment stands between the capture and the port: like tcpdump, the capture
 * shows what this host sent, also when the line then loses it. */
#include "api/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/claim.h"
#include "api/config_except.h"
#include "api/config_value.h"
#include "api/handoff.h"
#include "api/template.h"
#include "io_engine/io_dpdk.h"
#include "io_engine/io_fault.h"
#include "io_engine/io_kernel.h"
#include "io_engine/io_pcap.h"

#define MB (1u << 20)

struct ports {
	const struct config *cfg;
	struct io_dpdk *dpdk;
	struct io_dpdk_port *port[STACK_PORTS_MAX];
	unsigned n;
};

/* -- ports ---------------------------------------------------------------- */

static int
start_dpdk(struct ports *p, char *err, size_t errlen)
{
	const struct config *cfg = p->cfg;
	char args[4 * CONFIG_TEXT_MAX];
	struct io_dpdk_config dc = {
		.eal_args = args,
		.log_level = cfg->dpdk_log[0] ? cfg->dpdk_log : NULL,
		.mem_mb = (unsigned)(cfg->memory / MB),
		.mem_channels = cfg->num_mem_ch,
		.telemetry = cfg->telemetry,
		.shared = cfg->shared_dpdk[0] ? cfg->shared_dpdk : NULL,
		.secondary = cfg->secondary,
	};

	if (!template_args(cfg->eal_args, cfg->first_core, cfg->num_cores, args, sizeof args)) {
		snprintf(err, errlen, "eal_args: too long with every %%q in it");
		return -E2BIG;
	}
	return io_dpdk_start(&dc, &p->dpdk, err, errlen);
}

static int
open_port(struct ports *p, unsigned i, char *err, size_t errlen)
{
	const struct config *cfg = p->cfg;
	char devices[4 * CONFIG_NAME_MAX];
	struct io_dpdk_port_config pc = {
		.devices = devices,
		.cores = cfg->num_cores,
		.first_core = cfg->first_core,
		.all_cores = cfg->num_cores * max(cfg->processes, 1u),
		.rx_desc = cfg->rx_ring,
		.tx_desc = cfg->tx_ring,
		.mbufs = cfg->mbufs,
		.mtu = cfg->port[i].ip.mtu,
		.numa_node = -1,
		.no_rx_wait = !cfg->rx_interrupts,
		.no_offload = !cfg->checksum_offload,
		.promiscuous = cfg->promiscuous,
		.rss_key = cfg->has_rss_key ? cfg->rss_key : NULL,
	};

	if (!template_devices(cfg->port[i].name, cfg->first_core, cfg->num_cores, devices,
	                      sizeof devices)) {
		snprintf(err, errlen, "port: too long with every %%q in it");
		return -E2BIG;
	}
	return io_dpdk_port_open(p->dpdk, &pc, &p->port[i], err, errlen);
}

int
ports_open(const struct config *cfg, struct ports **out, char *err, size_t errlen)
{
	struct ports *p = calloc(1, sizeof *p);
	int rc;

	if (!p) {
		snprintf(err, errlen, "no memory");
		return -ENOMEM;
	}
	p->cfg = cfg;
	rc = start_dpdk(p, err, errlen);
	while (!rc && p->n < cfg->n_ports) {
		rc = open_port(p, p->n, err, errlen);
		if (!rc)
			p->n++;
	}
	if (rc)
		ports_close(p, false);
	else
		*out = p;
	return rc;
}

void
ports_close(struct ports *p, bool in_use)
{
	if (!p)
		return;
	if (in_use)
		io_dpdk_leave(p->dpdk);
	while (p->n > 0)
		io_dpdk_port_close(p->port[--p->n]);
	io_dpdk_stop(p->dpdk);
	free(p);
}

/* -- addresses ------------------------------------------------------------ */

/* RFC 5227 2.1.1 would take up to seven seconds; a host that is there answers in
 * less than one millisecond, so this finds all but the unlucky. */
#define CLAIM_LOOKS 10
#define CLAIM_PAUSE MS(10)
#define CLAIM_ASK   5 /* at the first look and at this one */

static bool
rival_on(struct ports *p, unsigned port, struct claim_rival *rival)
{
	bool heard = false;

	/* No port promises on which queue an answer comes. */
	for (unsigned core = 0; core < p->cfg->num_cores && !heard; core++)
		heard = claim_heard(io_dpdk_queue(p->port[port], core), &p->cfg->port[port].ip,
		                    handoff_now(), rival);
	return heard;
}

static int
claim_look(struct ports *p, bool ask, char *err, size_t errlen)
{
	struct claim_rival r;

	for (unsigned i = 0; i < p->n; i++) {
		const uint8_t *m = r.mac.b;
		char ip[VALUE_TEXT];

		if (ask)
			claim_ask(io_dpdk_queue(p->port[i], 0), &p->cfg->port[i].ip, handoff_now());
		if (!rival_on(p, i, &r))
			continue;
		value_format_ip(ip, &r.ip);
		snprintf(err, errlen, "address %s is taken on port %.60s: "
		         "%02x:%02x:%02x:%02x:%02x:%02x has it (address_check = off does not ask)",
		         ip, p->cfg->port[i].name, m[0], m[1], m[2], m[3], m[4], m[5]);
		return -EADDRINUSE;
	}
	return 0;
}

int
ports_claim(struct ports *p, char *err, size_t errlen)
{
	const struct timespec pause = { .tv_nsec = CLAIM_PAUSE };
	int rc = 0;

	if (!p->cfg->address_check || p->cfg->multiprocess)
		return 0;
	for (int look = 0; look < CLAIM_LOOKS && !rc; look++) {
		rc = claim_look(p, look % CLAIM_ASK == 0, err, errlen);
		if (!rc)
			nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < p->n; i++) {
		for (unsigned core = 0; core < p->cfg->num_cores; core++) {
			struct io *io = io_dpdk_queue(p->port[i], core);

			io->ops->close(io);
		}
	}
	return rc;
}

int
ports_agree(struct ports *p, struct party *party, char *err, size_t errlen)
{
	int rc = 0;

	for (unsigned i = 0; i < p->n && !rc; i++) {
		struct io *io = io_dpdk_queue(p->port[i], 0);
		struct io_info info;

		io->ops->info(io, &info);
		rc = party_agree(party, i, p->cfg->port[i].name, info.mac, err, errlen);
	}
	return rc;
}

/* -- engines -------------------------------------------------------------- */

static bool
impairs(const struct config_fault *f)
{
	return f->loss_ppm || f->dup_ppm || f->corrupt_ppm || f->reorder_ppm || f->delay_ns ||
	       f->jitter_ns || f->rate_bps;
}

static struct io_fault_dir
direction(const struct config_fault *f)
{
	return (struct io_fault_dir){
		.loss_ppm = f->loss_ppm,
		.dup_ppm = f->dup_ppm,
		.corrupt_ppm = f->corrupt_ppm,
		.reorder_ppm = f->reorder_ppm,
		.reorder_ns = f->reorder_ns,
		.delay_ns = f->delay_ns,
		.jitter_ns = f->jitter_ns,
		.rate_bps = f->rate_bps,
		.hold = f->hold,
		.queue_bytes = f->queue_bytes,
		.mark_bytes = f->mark_bytes,
	};
}

/* Every queue draws faults of its own. */
static struct io *
with_faults(const struct config *cfg, struct io *io, unsigned port, unsigned core)
{
	struct io_fault_config fc = {
		.seed = cfg->fault_rx.seed + (uint64_t)core * STACK_PORTS_MAX + port,
		.rx = direction(&cfg->fault_rx),
		.tx = direction(&cfg->fault_tx),
	};

	if (!impairs(&cfg->fault_rx) && !impairs(&cfg->fault_tx))
		return io;
	return io_fault_new(io, &fc);
}

/* Each queue writes a file of its own: %q in the name is the core's number; else
 * a second core's, and a second port's, is appended. */
static bool
capture_name(const struct config *cfg, unsigned port, unsigned core, char *name, size_t room)
{
	const char *q = strstr(cfg->pcap, "%q");
	int n;

	if (q)
		n = snprintf(name, room, "%.*s%u%s", (int)(q - cfg->pcap), cfg->pcap, core, q + 2);
	else if (core > 0)
		n = snprintf(name, room, "%s.%u", cfg->pcap, core);
	else
		n = snprintf(name, room, "%s", cfg->pcap);
	if (port > 0 && n > 0 && (size_t)n < room)
		n += snprintf(name + n, room - (size_t)n, ".port%u", port);
	return n > 0 && (size_t)n < room;
}

static int64_t
wall_offset(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return SEC(ts.tv_sec) + ts.tv_nsec - handoff_now();
}

static struct io *
with_capture(const struct config *cfg, struct io *io, unsigned port, unsigned core,
             int64_t wall_offset_ns, char *err, size_t errlen)
{
	char name[2 * CONFIG_NAME_MAX];
	struct io_pcap_config pc = {
		.path = name,
		.snap = cfg->pcap_snaplen,
		.limit = cfg->pcap_max_bytes,
		.wall_offset_ns = wall_offset_ns,
	};

	if (!cfg->pcap[0])
		return io;
	if (!capture_name(cfg, port, core, name, sizeof name)) {
		snprintf(err, errlen, "pcap: the name of the file is too long");
		return NULL;
	}
	return io_pcap_new(io, &pc, err, errlen);
}

struct io *
ports_wrap(const struct config *cfg, struct io *bare, unsigned port, unsigned core,
           int64_t wall_offset_ns, char *err, size_t errlen)
{
	struct io *io = with_faults(cfg, bare, port, core), *outer;

	if (!io) {
		snprintf(err, errlen, "no memory");
		bare->ops->close(bare);
		return NULL;
	}
	outer = with_capture(cfg, io, port, core, wall_offset_ns, err, errlen);
	if (!outer)
		io->ops->close(io);
	return outer;
}

static struct io *
engine(struct ports *p, unsigned port, unsigned core, char *err, size_t errlen)
{
	return ports_wrap(p->cfg, io_dpdk_queue(p->port[port], core), port,
	                  p->cfg->first_core + core, wall_offset(), err, errlen);
}

int
ports_engines(struct ports *p, unsigned core, struct io *ios[STACK_PORTS_MAX], char *err,
              size_t errlen)
{
	unsigned i;

	for (i = 0; i < p->n; i++) {
		ios[i] = engine(p, i, core, err, errlen);
		if (!ios[i])
			goto undo;
	}
	return 0;
undo:
	while (i-- > 0)
		ios[i]->ops->close(ios[i]);
	return -EIO;
}

/* -- the kernel beside them ------------------------------------------------- */

static int
kernel_open(const struct config *cfg, unsigned port, struct io *beside, struct io **out, char *err,
            size_t errlen)
{
	const struct stack_port_cfg *ip = &cfg->port[port].ip;
	struct io_kernel_addr addr[STACK_PORT_ADDRS_MAX];
	struct io_kernel_config kc = {
		.name = exceptions_tap(cfg, port), .addr = addr, .n_addrs = ip->n_addrs,
	};
	struct io_info info;

	if (!kc.name)
		return 0;
	beside->ops->info(beside, &info);
	memcpy(kc.mac, info.mac, sizeof kc.mac);
	kc.mtu = ip->mtu ? min(ip->mtu, info.mtu) : info.mtu;
	for (unsigned i = 0; i < ip->n_addrs; i++)
		addr[i] = (struct io_kernel_addr){ ip->addr[i].ip, ip->addr[i].prefix };
	return io_kernel_open(&kc, out, err, errlen);
}

int
ports_kernels(struct ports *p, struct io *const ios[], struct io *kernels[STACK_PORTS_MAX],
              char *err, size_t errlen)
{
	int rc = 0;

	memset(kernels, 0, STACK_PORTS_MAX * sizeof kernels[0]);
	for (unsigned i = 0; i < p->n && !rc; i++)
		rc = kernel_open(p->cfg, i, ios[i], &kernels[i], err, errlen);
	for (unsigned i = 0; i < p->n && rc; i++)
		if (kernels[i])
			kernels[i]->ops->close(kernels[i]);
	return rc;
}

const struct io_rss *
ports_rss(struct ports *p)
{
	struct io *io = io_dpdk_queue(p->port[0], 0);
	struct io_info info;

	io->ops->info(io, &info);
	return info.rss;
}
