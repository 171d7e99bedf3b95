/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting and stopping DPDK's environment, without privilege and hugepages. */
#include <sched.h>
#include <signal.h>

#include "base/rng.h"
#include "core/reass_ip.h"
#include "test/base/memory.h"
#include "test/io_engine/dpdk_child.h"
#include "test/io_engine/ip_frag.h"
#include "wire/ip4.h"

static void
start_and_stop(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0 --vdev=net_ring0");
	char name[IO_DPDK_NAME];

	if (!dpdk)
		return;
	tell(said, "%u devices:", io_dpdk_devices(dpdk));
	for (unsigned i = 0; io_dpdk_device_name(dpdk, i, name); i++)
		tell(said, " %s", name);
	io_dpdk_stop(dpdk);
}

static void
test_it_starts_tells_its_devices_and_stops(void)
{
	check_says(start_and_stop, "2 devices: net_null0 net_ring0");
}

static void
keep_signals_and_affinity(char said[SAID])
{
	cpu_set_t before, after;
	struct sigaction sa;
	struct io_dpdk *dpdk;

	CPU_ZERO(&before);
	CPU_ZERO(&after);
	sched_getaffinity(0, sizeof before, &before);
	signal(SIGRTMIN + 3, exit);
	dpdk = started(said, "--no-huge --vdev=net_null0");
	sched_getaffinity(0, sizeof after, &after);
	sigaction(SIGRTMIN + 3, NULL, &sa);
	tell(said, "affinity %d, handler %d", CPU_EQUAL(&before, &after), sa.sa_handler == exit);
	sigaction(SIGRTMIN + 4, NULL, &sa);
	tell(said, ", ignored %d", sa.sa_handler == SIG_IGN);
	io_dpdk_stop(dpdk);
	sigaction(SIGRTMIN + 4, NULL, &sa);
	tell(said, ", restored %d", sa.sa_handler == SIG_DFL);
	tell(said, ", environment %d", getenv("RUNTIME_DIRECTORY") == NULL);
}

static void
test_the_process_stays_its_own(void)
{
	check_says(keep_signals_and_affinity,
	           "affinity 1, handler 1, ignored 1, restored 1, environment 1");
}

static void
leave_nothing(char said[SAID])
{
	char path[64];
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0");

	snprintf(path, sizeof path, "/var/run/dpdk/mtcp-%d", getpid());
	tell(said, "folder %d", access(path, F_OK) == 0);
	tell(said, " %d", getenv("RUNTIME_DIRECTORY") != NULL);
	io_dpdk_stop(dpdk);
	tell(said, " %d", access(path, F_OK) == 0);
	tell(said, ", ");
	started(said, "--no-huge --vdev=net_null0");
}

static void
test_nothing_stays_behind_and_a_second_start_says_why_not(void)
{
	check_says(leave_nothing, "folder 0 0 0, DPDK can be started only once in a process");
}

static void
wrong_option(char said[SAID])
{
	started(said, "--no-huge --frobnicate");
}

static void
device_that_fails(char said[SAID])
{
	started(said, "--no-huge --vdev=net_af_packet0,iface=mtcp-none");
}

static void
open_quote(char said[SAID])
{
	started(said, "--vdev='net_null0");
}

static void
test_each_failure_is_one_line_that_quotes_the_reason(void)
{
	check_holds(wrong_option, "DPDK does not start: mtcp: unrecognized option '--frobnicate'");
	check_holds(device_that_fails, "device net_af_packet0 does not start: ");
	check_says(open_quote, "eal_args: a quote is not closed");
}

/* ------------------------------------------------------- fragments (core/reass_ip.h) -- */

#define PACKETS 4u /* under way at a time: DPDK keeps 8 fragments of one */

struct cut {
	uint32_t off, len, id;
	bool more;
};

/* All fragments of some packets, in any order. */
static unsigned
cut_some(struct rng *rng, uint32_t first_id, struct cut cut[PACKETS * 8])
{
	unsigned n = 0;

	for (uint32_t id = first_id; id < first_id + PACKETS; id++) {
		uint32_t parts = 2 + rng_below(rng, 7), off = 0;

		for (uint32_t i = 0; i < parts; i++) {
			uint32_t len = i + 1 < parts ? 8 * (1 + rng_below(rng, 180))
			                             : 1 + rng_below(rng, 1400);

			cut[n++] = (struct cut){ off, len, id, i + 1 < parts };
			off += len;
		}
	}
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rng_below(rng, i);
		struct cut c = cut[k];

		cut[k] = cut[i - 1];
		cut[i - 1] = c;
	}
	return n;
}

static uint32_t
by_us(struct reass_ip *r, const struct cut *c, const uint8_t *ip, uint8_t *out)
{
	struct reass_ip_frag f = {
		.key = { ip_addr_v4(9), ip_addr_v4(8), c->id, 17, 0, 0 },
		.off = c->off, .more = c->more, .data = ip + IP4_LEN, .len = c->len,
		.head = ip, .head_len = IP4_LEN,
	};
	struct reass_ip_pkt *p;
	uint32_t n;

	if (reass_ip_in(r, &f, 0, &p) != REASS_IP_WHOLE)
		return 0;
	n = p->end;
	reass_ip_copy(p, out, n);
	reass_ip_free(r, p);
	return n;
}

static void
put_together(char said[SAID])
{
	static uint8_t ours[UINT16_MAX], theirs[UINT16_MAX], ip[IP4_LEN + 1480];
	static const struct siphash_key key = { 1, 2 };
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0");
	struct region mem = memory_new((size_t)1024 * CHUNK_SIZE + (2u << 20));
	struct tcp_env env = { 0 };
	struct rng rng = { 4 };
	struct reass_ip r;
	unsigned whole = 0, differ = 0;

	if (!dpdk || !pool_init(&env.chunks, &mem, CHUNK_SIZE, 1024) ||
	    !reass_ip_init(&r, &mem, &env, &key) || !dpdk_frag_start())
		return;
	for (uint32_t id = 1; id < 8000; id += PACKETS) {
		struct cut cut[PACKETS * 8];
		unsigned n = cut_some(&rng, id, cut);

		for (unsigned i = 0; i < n; i++) {
			struct ip4_hdr h = { .src = ip_addr_v4(9), .dst = ip_addr_v4(8), .proto = 17,
				             .ttl = 9, .id = (uint16_t)cut[i].id, .mf = cut[i].more,
				             .frag_off = to_u16(cut[i].off),
				             .total_len = to_u16(IP4_LEN + cut[i].len) };
			uint32_t a, b;

			wire_ip4_build(ip, &h, true);
			for (uint32_t k = 0; k < cut[i].len; k++)
				ip[IP4_LEN + k] = (uint8_t)rng_u64(&rng);
			a = by_us(&r, &cut[i], ip, ours);
			b = dpdk_frag_in(ip, h.total_len, id, theirs);
			whole += a > 0;
			differ += a != b || memcmp(ours, theirs, a) != 0;
		}
	}
	tell(said, "%u whole, %u differ", whole, differ);
	io_dpdk_stop(dpdk);
}

static void
test_fragments_make_what_dpdk_makes_of_them(void)
{
	check_says(put_together, "8000 whole, 0 differ");
}

void
io_dpdk_eal_tests(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_eal", NULL, NULL);

	CU_add_test(s, "it starts, tells its devices and stops",
	            test_it_starts_tells_its_devices_and_stops);
	CU_add_test(s, "the process stays its own", test_the_process_stays_its_own);
	CU_add_test(s, "nothing stays behind and a second start says why not",
	            test_nothing_stays_behind_and_a_second_start_says_why_not);
	CU_add_test(s, "each failure is one line that quotes the reason",
	            test_each_failure_is_one_line_that_quotes_the_reason);
	CU_add_test(s, "fragments make what DPDK makes of them", test_fragments_make_what_dpdk_makes_of_them);
}
