/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port tried by hand, without a stack: answers ARP and ICMP echo on every queue
 * of a DPDK device, or asks another that does.  One thread serves all queues and
 * sleeps between packets where the device can.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/be.h"
#include "io_engine/io_dpdk.h"
#include "wire/sum.h"

#define CORES_MAX 16

struct echo {
	const char *eal_args, *devices, *log;
	uint32_t ip;       /* ours, host order                     */
	uint32_t ask;      /* whom to ping; 0: only answer         */
	unsigned count;    /* pings to send                        */
	unsigned cores, seconds, size;
	int nap_ms;        /* longest sleep without a packet       */
	uint16_t mtu;
	bool poll_only, no_offload;
	uint64_t rx[CORES_MAX], answered, replies, sleeps, bad;
	uint8_t mac[6], peer_mac[6];
	bool peer_known;
	unsigned asked;
};

static volatile sig_atomic_t stop_asked;

static void
on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
put_sum(uint8_t *at, uint16_t sum)
{
	memcpy(at, &sum, sizeof sum);
}

/* ---- frames -------------------------------------------------------------- */

static void
eth_turn(struct echo *e, uint8_t *f)
{
	memcpy(f, f + 6, 6);
	memcpy(f + 6, e->mac, 6);
}

/* ARP: answers a request for us, learns from a reply.  Whether to send it back. */
static bool
arp(struct echo *e, uint8_t *f, uint32_t len)
{
	uint8_t *a = f + 14;

	if (len < 42 || get_be32(a + 24) != e->ip)
		return false;
	if (get_be16(a + 6) == 2) {
		memcpy(e->peer_mac, a + 8, 6);
		e->peer_known = true;
		return false;
	}
	put_be16(a + 6, 2);
	memcpy(a + 18, a + 8, 10);
	memcpy(a + 8, e->mac, 6);
	put_be32(a + 14, e->ip);
	eth_turn(e, f);
	return true;
}

static bool
icmp(struct echo *e, struct io_pkt *pkt)
{
	uint8_t *ip = pkt->data + 14, addr[4];
	uint32_t len = pkt->len < 34 ? 0 : get_be16(ip + 2), hlen = (ip[0] & 15u) * 4u;

	if (len < hlen + 8 || len > pkt->len - 14 || ip[9] != 1 || get_be32(ip + 16) != e->ip)
		return false;
	if (wire_sum_finish(wire_sum_add(0, ip + hlen, len - hlen))) {
		e->bad++;
		return false;
	}
	e->replies += ip[hlen] == 0;
	if (ip[hlen] != 8)
		return false;
	ip[hlen] = 0;
	put_sum(ip + hlen + 2, 0);
	put_sum(ip + hlen + 2, wire_sum_finish(wire_sum_add(0, ip + hlen, len - hlen)));
	memcpy(addr, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, addr, 4);
	eth_turn(e, pkt->data);
	pkt->len = 14 + len;
	return true;
}

static bool
answer(struct echo *e, struct io_pkt *pkt)
{
	uint16_t type = pkt->len < 14 ? 0 : get_be16(pkt->data + 12);

	pkt->flags = 0;
	return type == 0x0806 ? arp(e, pkt->data, pkt->len) : type == 0x0800 && icmp(e, pkt);
}

/* ---- asking -------------------------------------------------------------- */

static uint32_t
make_arp(const struct echo *e, uint8_t *f)
{
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(f, 0, 60);
	memset(f, 0xff, 6);
	memcpy(f + 6, e->mac, 6);
	put_be16(f + 12, 0x0806);
	memcpy(f + 14, head, sizeof head);
	memcpy(f + 22, e->mac, 6);
	put_be32(f + 28, e->ip);
	put_be32(f + 38, e->ask);
	return 60;
}

/* The IP checksum is the port's to make when it can. */
static uint32_t
make_ping(const struct echo *e, struct io_pkt *pkt, uint32_t caps)
{
	uint8_t *f = pkt->data, *ip = f + 14;
	uint32_t len = 28 + e->size;

	memset(f, 0x5a, 14 + len);
	memcpy(f, e->peer_mac, 6);
	memcpy(f + 6, e->mac, 6);
	put_be16(f + 12, 0x0800);
	memset(ip, 0, 28);
	ip[0] = 0x45;
	put_be16(ip + 2, to_u16(len));
	ip[8] = 64;
	ip[9] = 1;
	put_be32(ip + 12, e->ip);
	put_be32(ip + 16, e->ask);
	ip[20] = 8;
	put_be16(ip + 26, to_u16(e->asked & 0xffff));
	put_sum(ip + 22, wire_sum_finish(wire_sum_add(0, ip + 20, len - 20)));
	if (caps & IO_CAP_TX_IP_SUM) {
		pkt->flags = IO_TX_IP_SUM;
		pkt->l2_len = 14;
		pkt->l3_len = 20;
	} else {
		put_sum(ip + 10, wire_sum_finish(wire_sum_add(0, ip, 20)));
	}
	return 14 + len;
}

/* One question: who are you, or are you there. */
static void
ask(struct echo *e, struct io *io, int64_t now)
{
	struct io_info info;
	struct io_pkt pkt;

	if (!e->ask || e->asked >= e->count || io_alloc(io, &pkt, 1) != 1)
		return;
	io->ops->info(io, &info);
	pkt.len = e->peer_known ? make_ping(e, &pkt, info.caps) : make_arp(e, pkt.data);
	if (io_tx(io, now, &pkt, 1) == 0)
		io_release(io, &pkt, 1);
	else
		e->asked += e->peer_known;
}

/* ---- the loop ------------------------------------------------------------ */

static unsigned
serve(struct echo *e, struct io *io, unsigned core, int64_t now)
{
	struct io_pkt pkts[IO_BURST], out[IO_BURST];
	unsigned n = io_rx(io, now, pkts, IO_BURST), k = 0, sent;

	e->rx[core] += n;
	for (unsigned i = 0; i < n; i++) {
		if (answer(e, &pkts[i]))
			out[k++] = pkts[i];
		else
			io_release(io, &pkts[i], 1);
	}
	sent = k ? io_tx(io, now, out, k) : 0;
	io_release(io, out + sent, k - sent);
	e->answered += sent;
	return n;
}

/* Sleeps until a packet comes on any queue, but not for ever. */
static void
sleep_all(struct echo *e, struct io_dpdk_port *port)
{
	struct pollfd fds[CORES_MAX];
	bool quiet = true;
	unsigned c;

	for (c = 0; c < e->cores && quiet; c++) {
		struct io *io = io_dpdk_queue(port, c);

		fds[c] = (struct pollfd){ .fd = io->ops->rx_fd(io), .events = POLLIN };
		quiet = !e->poll_only && fds[c].fd >= 0 && io->ops->rx_arm(io);
	}
	if (quiet) {
		e->sleeps += 1 + (uint64_t)(poll(fds, e->cores, e->nap_ms) == 0) * 1000000;
		for (c = 0; c < e->cores; c++)
			io_dpdk_queue(port, c)->ops->rx_disarm(io_dpdk_queue(port, c));
	} else if (e->poll_only || fds[0].fd < 0) {
		usleep(50);
	}
}

static void
loop(struct echo *e, struct io_dpdk_port *port)
{
	int64_t start = now_ns(), now = start, next = start;

	while (!stop_asked && now < start + SEC(e->seconds)) {
		unsigned n = 0;

		for (unsigned c = 0; c < e->cores; c++)
			n += serve(e, io_dpdk_queue(port, c), c, now);
		if (now >= next) {
			ask(e, io_dpdk_queue(port, e->asked % e->cores), now);
			next = now + (e->peer_known ? MS(1) : MS(20));
		}
		if (e->ask && e->replies >= e->count)
			return;
		if (n == 0)
			sleep_all(e, port);
		now = now_ns();
	}
}

static void
report(const struct echo *e, const struct io_dpdk_port *port)
{
	struct io_dpdk_stats st;

	io_dpdk_port_stats(port, &st);
	for (unsigned c = 0; c < e->cores; c++)
		printf("queue %u: %lu received\n", c, e->rx[c]);
	printf("answered %lu, asked %u, replies %lu, bad sums %lu, sleeps %lu (timed out %lu)\n",
	       e->answered, e->asked, e->replies, e->bad, e->sleeps % 1000000,
	       e->sleeps / 1000000);
	printf("port: rx %lu packets %lu bytes %lu missed %lu errors, tx %lu packets %lu bytes "
	       "%lu errors\n",
	       st.rx_packets, st.rx_bytes, st.rx_missed, st.rx_errors, st.tx_packets, st.tx_bytes,
	       st.tx_errors);
}

/* ---- set-up -------------------------------------------------------------- */

static int
usage(void)
{
	fputs("usage: io_echo -e EAL_ARGS [-p DEVICES] [-a IP] [-c CORES] [-t SECONDS] [-m MTU]\n"
	      "               [-q IP -n COUNT -s BYTES] [-w MS] [-P] [-O] [-L LOG_LEVEL]\n"
	      "  answers ARP and ICMP echo for IP; -q asks another COUNT times\n"
	      "  -w is the longest sleep without a packet (10)\n"
	      "  -P polls although the device could wait, -O makes all checksums in software\n",
	      stderr);
	return 2;
}

static bool
options(struct echo *e, int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "e:p:a:c:t:m:q:n:s:w:POL:")) != -1) {
		switch (o) {
		case 'e': e->eal_args = optarg; break;
		case 'p': e->devices = optarg; break;
		case 'a': e->ip = ntohl(inet_addr(optarg)); break;
		case 'c': e->cores = (unsigned)atoi(optarg); break;
		case 't': e->seconds = (unsigned)atoi(optarg); break;
		case 'm': e->mtu = (uint16_t)atoi(optarg); break;
		case 'q': e->ask = ntohl(inet_addr(optarg)); break;
		case 'n': e->count = (unsigned)atoi(optarg); break;
		case 's': e->size = (unsigned)atoi(optarg); break;
		case 'w': e->nap_ms = atoi(optarg); break;
		case 'P': e->poll_only = true; break;
		case 'O': e->no_offload = true; break;
		case 'L': e->log = optarg; break;
		default: return false;
		}
	}
	return optind == argc && e->cores > 0 && e->cores <= CORES_MAX;
}

static void
introduce(struct echo *e, struct io_dpdk_port *port)
{
	struct io *io = io_dpdk_queue(port, 0);
	struct io_info info;

	io->ops->info(io, &info);
	memcpy(e->mac, info.mac, 6);
	printf("%s: mac %02x:%02x:%02x:%02x:%02x:%02x mtu %u queues %u caps%s%s%s%s%s link %s\n",
	       e->devices, info.mac[0], info.mac[1], info.mac[2], info.mac[3], info.mac[4],
	       info.mac[5], info.mtu, info.queues, info.caps & IO_CAP_TX_IP_SUM ? " tx-ip" : "",
	       info.caps & IO_CAP_TX_TCP_SUM ? " tx-tcp" : "",
	       info.caps & IO_CAP_RX_IP_SUM ? " rx-ip" : "",
	       info.caps & IO_CAP_RX_L4_SUM ? " rx-l4" : "",
	       info.caps & IO_CAP_RX_WAIT ? " wait" : "", io_dpdk_port_link(port) ? "up" : "down");
	fflush(stdout);
}

static int
run(struct echo *e, struct io_dpdk *dpdk)
{
	struct io_dpdk_port_config cfg = { .devices = e->devices, .cores = e->cores,
		.mtu = e->mtu, .numa_node = -1, .no_offload = e->no_offload };
	struct io_dpdk_port *port;
	char err[512];

	if (io_dpdk_port_open(dpdk, &cfg, &port, err, sizeof err)) {
		fprintf(stderr, "io_echo: %s\n", err);
		return 1;
	}
	introduce(e, port);
	loop(e, port);
	report(e, port);
	io_dpdk_port_close(port);
	return e->ask && e->replies < e->count;
}

int
main(int argc, char **argv)
{
	struct echo e = { .devices = "dpdk0", .cores = 1, .seconds = 5, .count = 10, .size = 56,
		.nap_ms = 10 };
	struct io_dpdk_config cfg = { 0 };
	struct io_dpdk *dpdk;
	char err[512];
	int rc;

	if (!options(&e, argc, argv))
		return usage();
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	cfg.eal_args = e.eal_args;
	cfg.log_level = e.log;
	if (io_dpdk_start(&cfg, &dpdk, err, sizeof err)) {
		fprintf(stderr, "io_echo: %s\n", err);
		return 1;
	}
	rc = run(&e, dpdk);
	io_dpdk_stop(dpdk);
	return rc;
}
