/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports over devices that need nothing from the machine: what is sent on
 * net_ring comes back, so faults and captures can be seen at work.
 */
#include "test/io_engine/dpdk_child.h"

#include <sys/stat.h>

#include "api/ports.h"

void suite_ports(void);

static struct config *
config_of(const char *const line[])
{
	struct config *cfg = malloc(sizeof *cfg);

	if (!cfg)
		abort();
	config_default(cfg);
	for (; *line; line++)
		if (config_set(cfg, *line, stderr))
			abort();
	return cfg;
}

/* Sends `n` frames and counts what comes back. */
static unsigned
echo(struct io *io, unsigned n)
{
	unsigned got = 0;
	struct io_pkt pkt[IO_BURST];

	for (unsigned i = 0; i < n; i++) {
		if (io_alloc(io, pkt, 1) != 1)
			return 1000;
		memset(pkt[0].data, 0x55, 60);
		pkt[0].len = 60;
		if (io_tx(io, 1, pkt, 1) != 1)
			io_release(io, pkt, 1);
		for (unsigned k = io_rx(io, 1, pkt, IO_BURST); k > 0; k = io_rx(io, 1, pkt, IO_BURST)) {
			got += k;
			io_release(io, pkt, k);
		}
	}
	return got;
}

static void
plain(char said[SAID])
{
	const char *const lines[] = { "eal_args = --no-huge --vdev=net_ring0", "num_cores = 1",
		                      "memory = 64M", NULL };
	struct config *cfg = config_of(lines);
	struct io *ios[STACK_PORTS_MAX];
	struct ports *p;
	char err[256] = "";

	if (ports_open(cfg, &p, err, sizeof err) || ports_engines(p, 0, ios, err, sizeof err)) {
		tell(said, "%s", err);
		return;
	}
	tell(said, "%s %u", ios[0]->ops->name, echo(ios[0], 100));
	ios[0]->ops->close(ios[0]);
	ports_close(p, false);
	free(cfg);
}

static void
dressed(char said[SAID])
{
	char pcap[64], line[96], err[256] = "";
	const char *const lines[] = { "eal_args = --no-huge --vdev=net_ring0", "num_cores = 1",
		                      "memory = 64M", "fault_tx_loss = 50%", line, NULL };
	struct io *ios[STACK_PORTS_MAX];
	struct config *cfg;
	struct ports *p;
	struct stat st;
	unsigned got;

	snprintf(pcap, sizeof pcap, "/tmp/mtcp-test-%d-%%q.pcap", (int)getpid());
	snprintf(line, sizeof line, "pcap = %s", pcap);
	cfg = config_of(lines);
	if (ports_open(cfg, &p, err, sizeof err) || ports_engines(p, 0, ios, err, sizeof err)) {
		tell(said, "%s", err);
		return;
	}
	got = echo(ios[0], 400);
	ios[0]->ops->close(ios[0]);
	ports_close(p, false);
	snprintf(pcap, sizeof pcap, "/tmp/mtcp-test-%d-0.pcap", (int)getpid());
	tell(said, "%s, capture %s", got > 100 && got < 300 ? "about half" : "another share",
	     stat(pcap, &st) == 0 && st.st_size > 400 * 60 ? "written" : "missing");
	unlink(pcap);
	free(cfg);
}

static void
missing(char said[SAID])
{
	const char *const lines[] = { "eal_args = --no-huge --no-pci", "num_cores = 1",
		                      "memory = 64M", NULL };
	struct config *cfg = config_of(lines);
	struct ports *p = NULL;
	char err[256] = "";

	tell(said, "%d %d %s", ports_open(cfg, &p, err, sizeof err) < 0, p == NULL, err);
	free(cfg);
}

static void
test_a_port_carries_packets(void)
{
	check_says(plain, io_dpdk_built() ? "dpdk 100" :
	                                    "this build has no DPDK (configured --without-dpdk)");
}

static void
test_faults_and_capture_stand_around_it(void)
{
	check_says(dressed, io_dpdk_built() ? "about half, capture written" :
	                                      "this build has no DPDK (configured --without-dpdk)");
}

static void
test_a_missing_port_is_one_line(void)
{
	check_holds(missing, io_dpdk_built() ? "1 1 port dpdk0: no such device" : "1 1 this build");
}

void
suite_ports(void)
{
	CU_pSuite s = CU_add_suite("api/ports", NULL, NULL);

	CU_add_test(s, "a port carries packets", test_a_port_carries_packets);
	CU_add_test(s, "faults and capture stand around it",
	            test_faults_and_capture_stand_around_it);
	CU_add_test(s, "a missing port is one line", test_a_missing_port_is_one_line);
}
