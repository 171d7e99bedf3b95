/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast a device is without any stack: packets a second of bare rte_eth_rx_burst() and
 * rte_eth_tx_burst(), one queue, one thread at each end.
 *
 *	limit EAL_ARGUMENTS... -- send SIZE SECONDS     sends, takes what comes back
 *	limit EAL_ARGUMENTS... -- echo SIZE SECONDS     sends back what comes
 *	limit EAL_ARGUMENTS... -- drop SIZE SECONDS     only takes
 *
 * The seconds are counted from the first packet.  A reflected packet costs its end as
 * much as a request and its reply cost a server at least.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define BURST  32
#define RING   1024
#define MBUFS  16383
#define WAIT_S 20 /* for the other end */

struct end {
	uint16_t port;
	struct rte_mempool *pool;
	uint16_t size;
	double seconds;
	uint64_t received, sent;
	double began; /* 0: nothing has come yet */
};

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
give_up(const char *what)
{
	fprintf(stderr, "limit: %s\n", what);
	exit(EXIT_FAILURE);
}

static void
open_port(struct end *e)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	e->pool = rte_pktmbuf_pool_create("limit", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
	                                  (int)rte_socket_id());
	if (!e->pool || rte_eth_dev_count_avail() == 0)
		give_up("no memory or no device");
	if (rte_eth_dev_configure(e->port, 1, 1, &conf) != 0 ||
	    rte_eth_rx_queue_setup(e->port, 0, RING, SOCKET_ID_ANY, NULL, e->pool) != 0 ||
	    rte_eth_tx_queue_setup(e->port, 0, RING, SOCKET_ID_ANY, NULL) != 0 ||
	    rte_eth_dev_start(e->port) != 0)
		give_up("the device does not start");
}

/* What the device does not take is thrown away: the limit is what it takes. */
static void
transmit(struct end *e, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t taken = rte_eth_tx_burst(e->port, 0, pkts, n);

	e->sent += taken;
	if (taken < n)
		rte_pktmbuf_free_bulk(pkts + taken, (unsigned)(n - taken));
}

static void
send_some(struct end *e)
{
	struct rte_mbuf *pkts[BURST];

	if (rte_pktmbuf_alloc_bulk(e->pool, pkts, BURST) != 0)
		return;
	for (int i = 0; i < BURST; i++) {
		char *data = rte_pktmbuf_append(pkts[i], e->size);

		memset(data, 0xff, 12); /* for everybody */
		data[12] = (char)0x88;  /* an experiment of this place */
		data[13] = (char)0xb5;
	}
	transmit(e, pkts, BURST);
}

static void
receive_some(struct end *e, bool echo)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t n = rte_eth_rx_burst(e->port, 0, pkts, BURST);

	if (n == 0)
		return;
	if (e->began == 0)
		e->began = seconds_now();
	e->received += n;
	if (echo)
		transmit(e, pkts, n);
	else
		rte_pktmbuf_free_bulk(pkts, n);
}

static void
run(struct end *e, const char *role)
{
	bool sends = strcmp(role, "send") == 0, echo = strcmp(role, "echo") == 0;
	double give_up_at = seconds_now() + WAIT_S, now = 0;

	do {
		for (int i = 0; i < 256; i++) {
			if (sends)
				send_some(e);
			receive_some(e, echo);
		}
		now = seconds_now();
	} while (e->began == 0 ? now < give_up_at : now - e->began < e->seconds);
	if (e->began == 0)
		give_up("nothing came");
	printf("limit: role=%s size=%u received_per_s=%.0f sent_per_s=%.0f\n", role, e->size,
	       (double)e->received / (now - e->began), (double)e->sent / (now - e->began));
}

int
main(int argc, char **argv)
{
	struct end e = {.port = 0};
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		give_up("the EAL does not start");
	argc -= used;
	argv += used;
	if (argc != 4)
		give_up("usage: limit EAL_ARGUMENTS... -- send|echo|drop SIZE SECONDS");
	e.size = (uint16_t)atoi(argv[2]);
	e.seconds = atof(argv[3]);
	if (e.size < 64 || e.size > 1514 || e.seconds <= 0)
		give_up("SIZE is from 64 to 1514, SECONDS above 0");
	open_port(&e);
	run(&e, argv[1]);
	rte_eth_dev_stop(e.port);
	rte_eth_dev_close(e.port);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
