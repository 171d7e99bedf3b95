/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Millions of idle connections in one process, without a device: the server is an embedded
 * stack with a listener; its clients are no stacks but a few lines that say SYN and ACK and
 * remember nothing, so that all memory is the server's.  Prints, for each million, how long
 * it took and what a connection costs, with everything that the stack and the sockets API
 * hold of it.  In the end some of them are sent a byte, which must arrive.
 *
 *	idlers 10000000
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mtcp_api.h"
#include "mtcp_embed.h"

#define BATCH   64u
#define PORTS   50000u      /* of each client address, from 1024 on       */
#define CLIENTS 0xc6120001u /* 198.18.0.1: the first of their addresses   */
#define SERVER  0xc6130001u /* 198.19.0.1                                 */
#define ISN     1000u       /* the server's, always                       */
#define SAMPLE  10000u      /* one in so many is sent a byte              */
#define HEADERS 40u
#define STEP    100000      /* ns between two steps                       */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct idlers {
	struct mtcp_embed *stack;
	mctx_t ctx;
	int64_t now;
	uint32_t n, accepted, answered;
	int listener;
	int *sample;
};

static void
give_up(const char *what)
{
	fprintf(stderr, "idlers: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes of this process that are in memory. */
static double
resident(void)
{
	unsigned long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2)
		give_up("/proc/self/statm");
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* ---- the clients --------------------------------------------------------- */

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* From client i; the stack was told that checksums are good. */
static void
say(struct idlers *k, uint32_t i, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
	static const uint8_t options[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1 };
	uint32_t n_options = flags & SYN ? sizeof options : 0, len = (uint32_t)strlen(text);
	uint8_t p[HEADERS + sizeof options + 8] = { 0x45 };

	put16(p + 2, HEADERS + n_options + len);
	p[8] = 64;
	p[9] = IPPROTO_TCP;
	put32(p + 12, CLIENTS + i / PORTS);
	put32(p + 16, SERVER);
	put16(p + 20, 1024 + i % PORTS);
	put16(p + 22, 80);
	put32(p + 24, seq);
	put32(p + 28, ack);
	p[32] = (uint8_t)((20 + n_options) / 4 << 4);
	p[33] = (uint8_t)flags;
	put16(p + 34, 65535);
	memcpy(p + HEADERS, options, n_options);
	memcpy(p + HEADERS + n_options, text, len);
	if (mtcp_embed_give(k->stack, p, HEADERS + n_options + len) != 0)
		give_up("giving a packet");
}

/* Takes what the server says: how many of it were SYN-ACKs, each of the clients
 * first .. first + BATCH - 1 once. */
static uint32_t
hear(struct idlers *k)
{
	uint8_t p[2048];
	uint32_t n = 0;
	ssize_t len;

	while ((len = mtcp_embed_take(k->stack, p, sizeof p, NULL)) > 0) {
		if (len < (ssize_t)HEADERS || (p[33] & RST)) {
			errno = ECONNRESET;
			give_up("a packet of the server");
		}
		n += (p[33] & (SYN | ACK)) == (SYN | ACK);
	}
	return n;
}

static void
step(struct idlers *k)
{
	k->now += STEP;
	mtcp_embed_step(k->stack, k->now);
}

/* ---- the server ---------------------------------------------------------- */

static void
accept_all(struct idlers *k)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;
	int sockid;

	while ((sockid = mtcp_accept(k->ctx, k->listener, (struct sockaddr *)&peer, &len)) >= 0) {
		uint32_t i = (ntohl(peer.sin_addr.s_addr) - CLIENTS) * PORTS + ntohs(peer.sin_port) -
		             1024;

		if (i % SAMPLE == 0)
			k->sample[i / SAMPLE] = sockid;
		k->accepted++;
	}
	if (errno != EAGAIN)
		give_up("accepting");
}

static void
start(struct idlers *k)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(80) };
	char config[256], wrong[256] = "";
	struct mtcp_embed_cfg cfg = {
		.config = config,
		.address = "198.19.0.1/15",
		.isn = ISN,
		.flags = MTCP_EMBED_TRUST_CHECKSUMS | MTCP_EMBED_FIXED_ISN,
		.error = wrong,
		.error_size = sizeof wrong,
	};

	snprintf(config, sizeof config, "max_concurrency = %u\nrx_ring = 1024\ntx_ring = 1024\n",
	         k->n);
	k->stack = mtcp_embed_new(&cfg);
	if (!k->stack) {
		fputs(wrong, stderr);
		give_up("a stack");
	}
	k->ctx = mtcp_embed_context(k->stack);
	k->listener = mtcp_socket(k->ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (mtcp_bind(k->ctx, k->listener, (struct sockaddr *)&any, sizeof any) != 0 ||
	    mtcp_listen(k->ctx, k->listener, 4 * BATCH) != 0)
		give_up("a listener");
}

/* ---- the run ------------------------------------------------------------- */

static void
open_some(struct idlers *k, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		say(k, i, SYN, i, 0, "");
	step(k);
	if (hear(k) != n)
		give_up("SYNs that were not answered");
	for (uint32_t i = first; i < first + n; i++)
		say(k, i, ACK, i + 1, ISN + 1, "");
	step(k);
	accept_all(k);
}

static void
tell(const struct idlers *k, double before, double *since)
{
	double now = seconds_now();

	printf("idlers: connections=%u seconds=%.2f bytes=%.1f\n", k->accepted, now - *since,
	       (resident() - before) / k->accepted);
	fflush(stdout);
	*since = now;
}

static void
ask_some(struct idlers *k)
{
	char byte;

	for (uint32_t i = 0; i < k->n; i += SAMPLE) {
		say(k, i, ACK | PSH, i + 1, ISN + 1, "x");
		step(k);
		(void)hear(k);
		k->answered += mtcp_read(k->ctx, k->sample[i / SAMPLE], &byte, 1) == 1;
	}
	printf("idlers: asked=%u answered=%u\n", (k->n + SAMPLE - 1) / SAMPLE, k->answered);
}

int
main(int argc, char **argv)
{
	struct idlers k = { .n = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0 };
	double before, since = seconds_now();

	if (k.n == 0 || k.n > 50000000) {
		fputs("usage: idlers CONNECTIONS, up to 50000000\n", stderr);
		return 2;
	}
	k.sample = calloc(k.n / SAMPLE + 1, sizeof *k.sample);
	if (!k.sample)
		give_up("memory");
	start(&k);
	before = resident();
	printf("idlers: empty_bytes=%.0f\n", before);
	for (uint32_t i = 0; i < k.n; i += BATCH) {
		open_some(&k, i, k.n - i < BATCH ? k.n - i : BATCH);
		if (k.accepted % 1000000 == 0)
			tell(&k, before, &since);
	}
	if (k.accepted % 1000000)
		tell(&k, before, &since);
	ask_some(&k);
	mtcp_embed_free(k.stack);
	free(k.sample);
	return k.answered == (k.n + SAMPLE - 1) / SAMPLE ? EXIT_SUCCESS : EXIT_FAILURE;
}
