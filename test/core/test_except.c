/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose is a packet: ours, the kernel's beside us, or both's.  The kernel is the far end of a
 * pair of sockets. */
#include <CUnit/CUnit.h>

#include <sys/socket.h>
#include <unistd.h>

#include "io_engine/io_kernel.h"
#include "test/core/world.h"
#include "wire/nd.h"

void suite_except(void);

#define RATE 1000u

struct beside {
	struct world w;
	struct io *io;
	struct craft_way way; /* the stranger's to us */
	int kernel;
	uint8_t out[CRAFT_MAX], in[4 * CRAFT_MAX];
};

static void
begin_as(struct beside *b, uint32_t rate, void (*cfg)(struct stack_cfg *, unsigned who))
{
	int fd[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	world_init(&b->w, 1, cfg);
	b->way = world_way(&b->w, 0);
	b->io = io_kernel_on(fd[0], b->way.dmac.b, 1500);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->io);
	b->kernel = fd[1];
	except_begin(world_stack(&b->w, 0), 0, b->io, rate, net_now(b->w.net));
}

static void
begin(struct beside *b, uint32_t rate)
{
	begin_as(b, rate, NULL);
}

/* The stranger and we speak IPv6. */
static void
begin_v6(struct beside *b)
{
	begin_as(b, RATE, world_v6);
}

static void
end(struct beside *b)
{
	world_fini(&b->w);
	b->io->ops->close(b->io);
	close(b->kernel);
}

/* The next frame that the kernel gets is this one. */
static bool
kernel_gets(struct beside *b, const uint8_t *frame, uint32_t len)
{
	ssize_t n = read(b->kernel, b->in, sizeof b->in);

	return n == (ssize_t)len && memcmp(b->in, frame, len) == 0;
}

static bool
kernel_is_silent(struct beside *b)
{
	return read(b->kernel, b->in, sizeof b->in) < 0;
}

static void
kernel_sends(struct beside *b, const uint8_t *frame, uint32_t len)
{
	CU_ASSERT_EQUAL(write(b->kernel, frame, len), len);
	world_run(&b->w, MS(1));
	world_step(&b->w, 0);
	world_run(&b->w, MS(1));
}

static uint32_t
knock(struct beside *b, uint16_t port, uint8_t flags)
{
	struct tcp_seg s = { .seq = { 7 }, .flags = flags, .sport = 1000, .dport = port, .wnd = 1000 };

	return craft_tcp(b->out, &b->way, &s, NULL);
}

/* Sends what knock() and its like have made. */
static uint64_t
fate_of(struct beside *b, uint32_t len, enum fate fate)
{
	uint64_t before = world_fate(&b->w, 0, fate);

	world_frame(&b->w, 0, b->out, len);
	return world_fate(&b->w, 0, fate) - before;
}

static void
test_what_nobody_listens_for_is_the_kernels(void)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_ACK, TCP_SYN | TCP_ACK, TCP_RST,
		                         TCP_FIN | TCP_ACK };
	struct beside b;

	begin(&b, RATE);
	for (size_t i = 0; i < array_len(flags); i++) {
		uint32_t len = knock(&b, 22, flags[i]);

		CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
		CU_ASSERT(kernel_gets(&b, b.out, len));
		CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0); /* no RST */
	}
	end(&b);
}

static void
test_what_somebody_listens_for_is_ours(void)
{
	struct tcp_seg s;
	struct beside b;
	struct call k;

	begin(&b, RATE);
	(void)world_listen(&b.w, 0, WORLD_PORT, 10);
	CU_ASSERT_TRUE(world_calls(&b.w, 0, 2000, WORLD_PORT, &k));
	world_tells(&b.w, 0, &k, TCP_PSH, 100);
	CU_ASSERT(kernel_is_silent(&b));
	/* Also what its listener refuses. */
	(void)world_skips(&b.w, 0);
	CU_ASSERT_EQUAL(fate_of(&b, knock(&b, WORLD_PORT, TCP_ACK), DROP_NO_CONN), 1);
	CU_ASSERT_TRUE(world_hears(&b.w, 0, &s) && (s.flags & TCP_RST));
	CU_ASSERT(kernel_is_silent(&b));
	end(&b);
}

static void
test_echo_and_other_protocols_are_the_kernels(void)
{
	static const uint8_t udp[8] = { 0x10, 0, 0, 53, 0, 8, 0, 0 };
	static const uint8_t text[8] = "whatever";
	struct beside b;
	uint32_t len;

	begin(&b, RATE);
	len = craft_echo(b.out, &b.way, 1, text, sizeof text);
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	len = craft_ip(b.out, &b.way, IP_PROTO_UDP, udp, sizeof udp); /* to port 53 */
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	len = craft_ip(b.out, &b.way, 89, text, sizeof text); /* OSPF */
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	b.out[12] = 0x88; /* LLDP */
	b.out[13] = 0xcc;
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	end(&b);
}

/* The packet in b->out becomes a part of one. */
static void
make_part(struct beside *b, uint32_t at, bool more)
{
	uint8_t *ip = b->out + ETH_LEN;
	struct ip4_hdr h;

	CU_ASSERT_EQUAL_FATAL(wire_ip4_parse(ip, CRAFT_MAX - ETH_LEN, true, &h), WIRE_IP_OK);
	h.df = false;
	h.mf = more;
	h.frag_off = (uint16_t)at;
	wire_ip4_build(ip, &h, true);
}

static void
test_a_fragmented_packet_comes_whole(void)
{
	struct ip4_hdr whole;
	struct beside b;
	uint8_t text[64];
	uint32_t len;

	begin(&b, RATE);
	memset(text, 'f', sizeof text);
	len = craft_ip(b.out, &b.way, 89, text, 32);
	make_part(&b, 0, true);
	CU_ASSERT_EQUAL(fate_of(&b, len, IN_FRAGMENT), 1);
	CU_ASSERT(kernel_is_silent(&b));
	len = craft_ip(b.out, &b.way, 89, text, 32);
	make_part(&b, 32, false);
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT_EQUAL(read(b.kernel, b.in, sizeof b.in), ETH_LEN + IP4_LEN + 64);
	CU_ASSERT_EQUAL(wire_ip4_parse(b.in + ETH_LEN, IP4_LEN + 64, true, &whole), WIRE_IP_OK);
	CU_ASSERT_EQUAL(memcmp(b.in + ETH_LEN + IP4_LEN, text, 64), 0);
	CU_ASSERT(kernel_is_silent(&b)); /* not the last part once more */
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	end(&b);
}

/* What concerns connections both hear: nobody knows whose. */
static void
test_icmp_errors_are_boths(void)
{
	struct beside b;
	uint32_t len;

	begin(&b, RATE);
	len = craft_icmp_error(b.out, &b.way, ICMP4_UNREACHABLE, 1, 0, &b.way.src, 80, 5000, seq_of(1));
	CU_ASSERT_EQUAL(fate_of(&b, len, IN_ICMP), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	end(&b);
}

static struct arp_pkt
arp_about(const struct beside *b, uint16_t op, const struct ip_addr *sender, uint32_t target)
{
	return (struct arp_pkt){ .op = op, .sha = b->way.smac, .spa = ip_addr_v4_host(sender),
		                 .tpa = target };
}

static void
test_both_hear_arp_and_one_answers(void)
{
	struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	uint32_t us, len;
	struct beside b;
	struct arp_pkt a;

	begin(&b, RATE);
	us = ip_addr_v4_host(&b.way.dst);
	a = arp_about(&b, ARP_REQUEST, &b.way.src, us);
	len = craft_arp(b.out, &all, &a);
	CU_ASSERT_EQUAL(fate_of(&b, len, IN_ARP), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1); /* our reply */
	a = arp_about(&b, ARP_REPLY, &b.way.dst, 0); /* the kernel's: a second one */
	kernel_sends(&b, b.out, craft_arp(b.out, &b.way.smac, &a));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	a.spa = us + 77; /* an address that the kernel alone has */
	kernel_sends(&b, b.out, craft_arp(b.out, &b.way.smac, &a));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1);
	a = arp_about(&b, ARP_REQUEST, &b.way.dst, ip_addr_v4_host(&b.way.src));
	kernel_sends(&b, b.out, craft_arp(b.out, &all, &a));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1); /* what it asks it may ask */
	end(&b);
}

static void
test_ipv6_is_shared_alike(void)
{
	struct beside b;
	uint32_t len;

	begin_v6(&b);
	CU_ASSERT_FATAL(!ip_addr_is_v4(&b.way.dst));
	len = knock(&b, 22, TCP_SYN);
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	len = craft_echo(b.out, &b.way, 1, b.in, 8);
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	len = craft_ip(b.out, &b.way, 89, b.in, 8); /* OSPF: no complaint of ours */
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	end(&b);
}

static void
test_both_hear_neighbour_discovery_and_one_answers(void)
{
	struct craft_way ask, tell;
	struct nd_neigh n = { .has_mac = true };
	struct beside b;
	uint32_t len;

	begin_v6(&b);
	(void)world_skips(&b.w, 0);
	ask = b.way;
	n.target = b.way.dst;
	n.mac = b.way.smac;
	len = craft_nd(b.out, &ask, &n);
	CU_ASSERT_EQUAL(fate_of(&b, len, IN_ND), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1); /* our advertisement */
	tell = craft_back(&b.way);
	n = (struct nd_neigh){ .advert = true, .solicited = true, .has_mac = true,
		               .mac = tell.smac, .target = tell.src };
	kernel_sends(&b, b.out, craft_nd(b.out, &tell, &n)); /* the kernel's: a second one */
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	n.target.b[15] ^= 0x40; /* an address that the kernel alone has */
	kernel_sends(&b, b.out, craft_nd(b.out, &tell, &n));
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1);
	end(&b);
}

static void
test_frames_for_other_hosts_are_nobodys(void)
{
	struct beside b;
	uint32_t len;

	begin(&b, RATE);
	b.way.dmac.b[5] ^= 0x40;
	len = knock(&b, 22, TCP_SYN);
	world_drop_in(&b.w, 0, &(struct tcp_seg){ .flags = 0 });
	world_run(&b.w, MS(1));
	(void)read(b.kernel, b.in, sizeof b.in);
	CU_ASSERT_EQUAL(fate_of(&b, len, DROP_NOT_OURS), 1);
	CU_ASSERT(kernel_is_silent(&b));
	memset(b.way.dmac.b, 0xff, 6); /* several hosts' are the kernel's, too */
	len = knock(&b, 22, TCP_SYN);
	CU_ASSERT_EQUAL(fate_of(&b, len, TO_KERNEL), 1);
	CU_ASSERT(kernel_gets(&b, b.out, len));
	end(&b);
}

static void
test_what_the_kernel_sends_leaves_as_it_is(void)
{
	const struct world_frame *f;
	struct craft_way back;
	struct beside b;
	uint32_t len;

	begin(&b, RATE);
	(void)world_skips(&b.w, 0);
	back = craft_back(&b.way);
	len = craft_ip(b.out, &back, 17, (const uint8_t *)"text", 4);
	kernel_sends(&b, b.out, len);
	f = world_next(&b.w, 0);
	CU_ASSERT(f && f->len == len && memcmp(f->data, b.out, len) == 0);
	CU_ASSERT_EQUAL(world_fate(&b.w, 0, FROM_KERNEL), 1);
	end(&b);
}

/* So many a second each way, and no more than a tenth of them at once. */
static void
test_each_way_has_a_limit(void)
{
	unsigned up = 0, down = 0;
	struct craft_way back;
	struct beside b;
	uint32_t len;

	begin(&b, 50);
	for (unsigned i = 0; i < 20; i++) {
		len = knock(&b, 22, TCP_SYN);
		up += (unsigned)fate_of(&b, len, TO_KERNEL);
		up += kernel_is_silent(&b) ? 0 : 100;
	}
	CU_ASSERT_EQUAL(up, 505);
	CU_ASSERT_EQUAL(world_fate(&b.w, 0, DROP_EXCEPTION), 15);
	(void)world_skips(&b.w, 0);
	back = craft_back(&b.way);
	len = craft_ip(b.out, &back, 17, (const uint8_t *)"text", 4);
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(write(b.kernel, b.out, len), len);
	world_run(&b.w, MS(1));
	world_step(&b.w, 0);
	world_run(&b.w, MS(1));
	down = world_skips(&b.w, 0);
	CU_ASSERT_EQUAL(down, 5);
	world_run(&b.w, SEC(1));
	kernel_sends(&b, b.out, len);
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 1);
	CU_ASSERT_EQUAL(fate_of(&b, knock(&b, 22, TCP_SYN), TO_KERNEL), 1);
	end(&b);
}

static void
test_too_long_for_the_port(void)
{
	struct craft_way back;
	struct beside b;
	uint32_t len;

	begin(&b, RATE);
	(void)world_skips(&b.w, 0);
	back = craft_back(&b.way);
	len = craft_ip(b.out, &back, 17, b.in, 1481);
	kernel_sends(&b, b.out, len);
	CU_ASSERT_EQUAL(world_skips(&b.w, 0), 0);
	CU_ASSERT_EQUAL(world_fate(&b.w, 0, DROP_EXCEPTION), 1);
	kernel_sends(&b, b.out, 3); /* no frame at all */
	CU_ASSERT(world_skips(&b.w, 0) <= 1);
	end(&b);
}

void
suite_except(void)
{
	CU_pSuite s = CU_add_suite("except", NULL, NULL);

	CU_add_test(s, "what nobody listens for is the kernel's",
	            test_what_nobody_listens_for_is_the_kernels);
	CU_add_test(s, "what somebody listens for is ours", test_what_somebody_listens_for_is_ours);
	CU_add_test(s, "echo and other protocols are the kernel's",
	            test_echo_and_other_protocols_are_the_kernels);
	CU_add_test(s, "a fragmented packet comes whole", test_a_fragmented_packet_comes_whole);
	CU_add_test(s, "ICMP errors are both's", test_icmp_errors_are_boths);
	CU_add_test(s, "both hear ARP, and one answers", test_both_hear_arp_and_one_answers);
	CU_add_test(s, "IPv6 is shared alike", test_ipv6_is_shared_alike);
	CU_add_test(s, "both hear neighbour discovery, and one answers",
	            test_both_hear_neighbour_discovery_and_one_answers);
	CU_add_test(s, "frames for other hosts are nobody's",
	            test_frames_for_other_hosts_are_nobodys);
	CU_add_test(s, "what the kernel sends leaves as it is",
	            test_what_the_kernel_sends_leaves_as_it_is);
	CU_add_test(s, "each way has a limit", test_each_way_has_a_limit);
	CU_add_test(s, "what is too long for the port", test_too_long_for_the_port);
}
