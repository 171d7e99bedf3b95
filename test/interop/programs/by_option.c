/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same calls on the kernel's sockets and on ours, and what each returned: a line a
 * call, to be compared.  Compiled twice, once with -DKERNEL.
 * usage: by_option FILE ADDRESS, of an echo server on port 7; nobody listens on port 9,
 * and port 13 has urgent text for whoever comes
 */
#include <mtcp_api.h>
#include <mtcp_epoll.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef KERNEL
#define CALL(name, ...) name(__VA_ARGS__)
#define IOCTL ioctl
#else
#define CALL(name, ...) mtcp_##name(ctx, __VA_ARGS__)
#define IOCTL socket_ioctl
#endif
#define DO(name, ...) CALL(name, __VA_ARGS__)

#define OURS_ADDR "198.18.0.2"

static mctx_t ctx;
static const char *server;

/* ---- lines ----------------------------------------------------------------- */

static const char *
why(long rc)
{
	static char text[32];

	if (rc >= 0)
		snprintf(text, sizeof text, "%ld", rc);
	else
		snprintf(text, sizeof text, "%s", strerrorname_np(errno));
	return text;
}

static void
line(const char *title, long rc)
{
	printf("%s: %s\n", title, why(rc));
}

struct known {
	const char *title;
	int level, name;
};

#define S(name) { #name, SOL_SOCKET, name }
#define T(name) { #name, IPPROTO_TCP, name }
#define I(name) { #name, IPPROTO_IP, name }

static const struct known ints[] = {
	S(SO_REUSEADDR), S(SO_REUSEPORT), S(SO_SNDBUF), S(SO_RCVBUF), S(SO_KEEPALIVE),
	S(SO_ERROR), S(SO_ACCEPTCONN), S(SO_TYPE), S(SO_DOMAIN), S(SO_PROTOCOL),
	S(SO_MAX_PACING_RATE), T(TCP_NODELAY), T(TCP_CORK), T(TCP_QUICKACK), T(TCP_MAXSEG),
	T(TCP_KEEPIDLE), T(TCP_KEEPINTVL), T(TCP_KEEPCNT), T(TCP_SYNCNT), T(TCP_LINGER2),
	T(TCP_DEFER_ACCEPT), T(TCP_WINDOW_CLAMP), T(TCP_USER_TIMEOUT), T(TCP_NOTSENT_LOWAT),
	T(TCP_FASTOPEN), T(TCP_FASTOPEN_CONNECT), I(IP_TOS), I(IP_TTL),
	I(IP_BIND_ADDRESS_NO_PORT),
};
#define N_INTS (sizeof ints / sizeof ints[0])

static const int values[] = { 0, 1, -1, 2, 5, 87, 88, 120, 121, 127, 128, 255, 256, 1500, 32767,
	                      32768, 100000, INT32_MAX, INT32_MIN };
#define N_VALUES (sizeof values / sizeof values[0])

static int
new_socket(void)
{
	return DO(socket, AF_INET, SOCK_STREAM, 0);
}

static void
get_line(const char *when, int s, const struct known *o)
{
	int v = 0x5a5a5a5a;
	socklen_t len = sizeof v;
	int rc = DO(getsockopt, s, o->level, o->name, &v, &len);

	printf("%s get %s: %s", when, o->title, why(rc));
	if (rc == 0)
		printf(" %d length %u", v, len);
	printf("\n");
}

static void
all_ints(const char *when, int s)
{
	for (size_t i = 0; i < N_INTS; i++)
		get_line(when, s, &ints[i]);
}

/* Each option with each value, on a socket of its own. */
static void
set_ints(void)
{
	char title[64];

	for (size_t i = 0; i < N_INTS; i++) {
		for (size_t n = 0; n < N_VALUES; n++) {
			int s = new_socket();

			snprintf(title, sizeof title, "set %s %d", ints[i].title, values[n]);
			line(title, DO(setsockopt, s, ints[i].level, ints[i].name, &values[n], 4));
			get_line(title, s, &ints[i]);
			DO(close, s);
		}
	}
}

/* ---- lengths and pointers ----------------------------------------------------- */

static void
lengths(void)
{
	static const struct known more[] = {
		S(SO_LINGER), S(SO_RCVTIMEO), S(SO_MEMINFO), T(TCP_INFO), T(TCP_CONGESTION),
		T(TCP_FASTOPEN_KEY), { "unknown SOL_SOCKET", SOL_SOCKET, 4711 },
		{ "unknown TCP", IPPROTO_TCP, 4711 }, { "unknown IP", IPPROTO_IP, 4711 },
		{ "unknown level", 4711, 1 }, S(SO_KEEPALIVE), T(TCP_NODELAY), I(IP_TOS), I(IP_TTL),
	};
	static const socklen_t lens[] = { 0, 1, 3, 4, 8, 16, UINT32_MAX };
	char title[80], room[512];

	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		for (size_t n = 0; n < sizeof lens / sizeof lens[0]; n++) {
			int s = new_socket();
			socklen_t len = lens[n];
			int rc;

			memset(room, 0, sizeof room);
			snprintf(title, sizeof title, "length %d of %s, set", (int)len, more[i].title);
			line(title, DO(setsockopt, s, more[i].level, more[i].name, room, len));
			snprintf(title, sizeof title, "length %d of %s, get", (int)len, more[i].title);
			rc = DO(getsockopt, s, more[i].level, more[i].name, room, &len);
			printf("%s: %s length %d\n", title, why(rc), rc ? 0 : (int)len);
			DO(close, s);
		}
	}
}

static void
pointers(void)
{
	int s = new_socket(), v = 1;
	socklen_t len = 4;

	line("set from NULL", DO(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
	line("set TCP from NULL", DO(setsockopt, s, IPPROTO_TCP, TCP_NODELAY, NULL, 4));
	line("set IP from NULL", DO(setsockopt, s, IPPROTO_IP, IP_TOS, NULL, 4));
	line("set linger from NULL", DO(setsockopt, s, SOL_SOCKET, SO_LINGER, NULL, 8));
	line("set congestion from NULL", DO(setsockopt, s, IPPROTO_TCP, TCP_CONGESTION, NULL, 4));
	line("get into NULL", DO(getsockopt, s, SOL_SOCKET, SO_KEEPALIVE, NULL, &len));
	line("get with NULL length", DO(getsockopt, s, SOL_SOCKET, SO_KEEPALIVE, &v, NULL));
	line("get of a closed number", DO(getsockopt, 4000, SOL_SOCKET, SO_KEEPALIVE, &v, &len));
	line("bind to NULL", DO(bind, s, NULL, 16));
	line("connect to NULL", DO(connect, s, NULL, 16));
	DO(close, s);
}

/* ---- values that are no int ----------------------------------------------------- */

static void
times_and_names(void)
{
	static const struct timeval tvs[] = {
		{ 0, 0 }, { 1, 0 }, { 3, 200000 }, { 1, 1000000 }, { 1, -1 }, { -1, 0 }
	};
	static const struct linger ls[] = { { 1, 5 }, { 0, 9 }, { 1, 0 } };
	static const char *const names[] = { "reno", "cubic", "nothing", "" };
	struct timeval tv;
	struct linger l;
	char title[64], name[32];
	int s = new_socket();
	socklen_t len;

	for (size_t i = 0; i < sizeof tvs / sizeof tvs[0]; i++) {
		snprintf(title, sizeof title, "time %ld %ld", (long)tvs[i].tv_sec, (long)tvs[i].tv_usec);
		line(title, DO(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tvs[i], sizeof tv));
		len = sizeof tv;
		DO(getsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
		printf("%s got: %ld %ld\n", title, (long)tv.tv_sec, (long)tv.tv_usec);
	}
	for (size_t i = 0; i < sizeof ls / sizeof ls[0]; i++) {
		snprintf(title, sizeof title, "linger %d %d", ls[i].l_onoff, ls[i].l_linger);
		line(title, DO(setsockopt, s, SOL_SOCKET, SO_LINGER, &ls[i], sizeof l));
		len = sizeof l;
		DO(getsockopt, s, SOL_SOCKET, SO_LINGER, &l, &len);
		printf("%s got: %d %d\n", title, l.l_onoff, l.l_linger);
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(title, sizeof title, "congestion \"%s\"", names[i]);
		line(title, DO(setsockopt, s, IPPROTO_TCP, TCP_CONGESTION, names[i],
		               (socklen_t)strlen(names[i])));
		memset(name, 0, sizeof name);
		len = sizeof name;
		line(title, DO(getsockopt, s, IPPROTO_TCP, TCP_CONGESTION, name, &len));
		printf("%s got: %s length %u\n", title, name, len);
	}
	DO(close, s);
}

/* ---- addresses ------------------------------------------------------------------ */

static struct sockaddr_in
at(const char *host, int port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_addr.s_addr = inet_addr(host);
	a.sin_port = htons((uint16_t)port);
	return a;
}

#define SA(a) ((struct sockaddr *)&(a)), sizeof(a)

static void
with_option(int s, int name)
{
	int on = 1;

	if (name)
		DO(setsockopt, s, SOL_SOCKET, name, &on, sizeof on);
}

/* Two sockets, one port: of the first its option, address, and whether it listens. */
static void
two_binds(int opt1, const char *host1, int listens, int opt2, const char *host2, int port)
{
	struct sockaddr_in one = at(host1, port), two = at(host2, port);
	int a = new_socket(), b = new_socket();
	char title[96];

	with_option(a, opt1);
	with_option(b, opt2);
	snprintf(title, sizeof title, "bind %d %s %s then %d %s", opt1, host1,
	         listens ? "listening" : "bound", opt2, host2);
	DO(bind, a, SA(one));
	if (listens)
		DO(listen, a, 5);
	line(title, DO(bind, b, SA(two)));
	snprintf(title + strlen(title), sizeof title - strlen(title), ", listen");
	line(title, DO(listen, b, 5));
	DO(close, a);
	DO(close, b);
}

static void
addresses(void)
{
	static const int opts[] = { 0, SO_REUSEADDR, SO_REUSEPORT };
	struct sockaddr_in bad = at("198.18.0.77", 80), any = at("0.0.0.0", 0), got;
	socklen_t len = sizeof got;
	int s = new_socket(), port = 20000, n = 0;

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			for (int l = 0; l < 2; l++)
				two_binds(opts[i], "0.0.0.0", l, opts[j], OURS_ADDR, port++);
	two_binds(0, OURS_ADDR, 1, 0, "0.0.0.0", port++);
	line("bind to an address that is not ours", DO(bind, s, SA(bad)));
	bad.sin_family = AF_UNIX;
	line("bind to another family", DO(bind, s, SA(bad)));
	line("bind with a short address", DO(bind, s, (struct sockaddr *)&any, 8));
	line("accept before listen", DO(accept, s, NULL, NULL));
	line("getpeername before connect", DO(getpeername, s, (struct sockaddr *)&got, &len));
	line("shutdown before connect", DO(shutdown, s, SHUT_WR));
	line("bind to port 0", DO(bind, s, SA(any)));
	DO(getsockname, s, (struct sockaddr *)&got, &len);
	printf("it has a port: %d\n", got.sin_port != 0);
	line("bind again", DO(bind, s, SA(any)));
	line("listen", DO(listen, s, 5));
	line("listen again", DO(listen, s, 9));
	line("connect a listener", DO(connect, s, SA(any)));
	line("shutdown of a listener, a bad way", DO(shutdown, s, 7));
	line("FIONREAD of a listener", DO(IOCTL, s, FIONREAD, &n));
	line("read from a listener", DO(read, s, (char *)&got, 1));
	all_ints("listener", s);
	DO(close, s);
	line("close again", DO(close, s));
	line("socket of another type", DO(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP));
}

/* ---- connections ------------------------------------------------------------------ */

static void
pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
non_blocking(int s)
{
	int on = 1;

	DO(IOCTL, s, FIONBIO, &on);
}

static int
so_error(int s)
{
	int err = -1;
	socklen_t len = sizeof err;

	DO(getsockopt, s, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static void
refused(void)
{
	struct sockaddr_in nobody = at(server, 9), echo = at(server, 7), got;
	socklen_t len = sizeof got;
	char c = 0;
	int s = new_socket();

	line("refused", DO(connect, s, SA(nobody)));
	line("refused again", DO(connect, s, SA(nobody)));
	line("then getpeername", DO(getpeername, s, (struct sockaddr *)&got, &len));
	line("then read", DO(read, s, &c, 1));
	line("then write", DO(send, s, &c, 1, MSG_NOSIGNAL));
	line("then connect", DO(connect, s, SA(echo)));
	line("then connect again", DO(connect, s, SA(echo)));
	DO(close, s);

	s = new_socket();
	non_blocking(s);
	line("non-blocking, refused", DO(connect, s, SA(nobody)));
	DO(getsockname, s, (struct sockaddr *)&got, &len);
	printf("it has a port at once: %d\n", got.sin_port != 0);
	pause_ms(100);
	printf("its SO_ERROR: %d\n", so_error(s));
	printf("its SO_ERROR again: %d\n", so_error(s));
	line("its second connect", DO(connect, s, SA(nobody)));
	line("its third connect", DO(connect, s, SA(nobody)));
	pause_ms(100);
	line("its fourth connect", DO(connect, s, SA(nobody)));
	DO(close, s);
}

static void
info_of(int s)
{
	struct tcp_info i;
	socklen_t len = sizeof i;

	memset(&i, 0, sizeof i);
	DO(getsockopt, s, IPPROTO_TCP, TCP_INFO, &i, &len);
	printf("info, state: length %u state %u ca %u retransmits %u options %u\n", len, i.tcpi_state,
	       i.tcpi_ca_state, i.tcpi_retransmits, i.tcpi_options);
	printf("info, sizes: mss %u %u pmtu %u cwnd %u ssthresh %u reordering %u\n", i.tcpi_snd_mss,
	       i.tcpi_advmss, i.tcpi_pmtu, i.tcpi_snd_cwnd, i.tcpi_snd_ssthresh, i.tcpi_reordering);
	printf("info, flight: %u %u %u %u notsent %u total %u\n", i.tcpi_unacked, i.tcpi_sacked,
	       i.tcpi_lost, i.tcpi_retrans, i.tcpi_notsent_bytes, i.tcpi_total_retrans);
	printf("info, counts: bytes %llu %llu %llu %llu segments %u %u\n",
	       (unsigned long long)i.tcpi_bytes_sent, (unsigned long long)i.tcpi_bytes_retrans,
	       (unsigned long long)i.tcpi_bytes_acked, (unsigned long long)i.tcpi_bytes_received,
	       i.tcpi_data_segs_out, i.tcpi_data_segs_in);
	printf("info, delivery: %u ce %u rates %d %d %d\n", i.tcpi_delivered, i.tcpi_delivered_ce,
	       i.tcpi_pacing_rate > 0, i.tcpi_max_pacing_rate == UINT64_MAX,
	       i.tcpi_delivery_rate > 0);
	printf("info, times: rto %d rtt %d rttvar %d min %d busy %d limited %llu %llu\n",
	       i.tcpi_rto >= 200000 && i.tcpi_rto < 300000, i.tcpi_rtt > 0, i.tcpi_rttvar > 0,
	       i.tcpi_min_rtt > 0, i.tcpi_busy_time > 0, (unsigned long long)i.tcpi_rwnd_limited,
	       (unsigned long long)i.tcpi_sndbuf_limited);
}

static void
talk(void)
{
	struct sockaddr_in echo = at(server, 7), got, nobody;
	socklen_t len = sizeof got;
	char text[64] = "0123456789";
	int s = new_socket(), n = -1;

	line("take cubic", DO(setsockopt, s, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5));
	line("connect", DO(connect, s, SA(echo)));
	line("getpeername", DO(getpeername, s, (struct sockaddr *)&got, &len));
	line("bind after connect", DO(bind, s, SA(echo)));
	line("listen after connect", DO(listen, s, 5));
	all_ints("connected", s);
	line("receive nothing", DO(recv, s, text, 1, MSG_DONTWAIT));
	line("send", DO(send, s, text, 10, 0));
	pause_ms(150);
	DO(IOCTL, s, FIONREAD, &n);
	printf("FIONREAD: %d\n", n);
	DO(IOCTL, s, SIOCOUTQ, &n);
	printf("SIOCOUTQ: %d\n", n);
	line("an unknown request", DO(IOCTL, s, 0x12345, &n));
	line("peek", DO(recv, s, text, 4, MSG_PEEK));
	line("receive", DO(recv, s, text, 4, 0));
	line("receive all", DO(recv, s, text, 6, MSG_WAITALL));
	line("receive nothing again", DO(recv, s, text, 64, MSG_DONTWAIT));
	info_of(s);
	line("shutdown a bad way", DO(shutdown, s, 9));
	line("shutdown writing", DO(shutdown, s, SHUT_WR));
	line("send after it", DO(send, s, text, 1, MSG_NOSIGNAL));
	line("receive the end", DO(recv, s, text, 1, 0));
	line("receive it again", DO(recv, s, text, 1, 0));
	DO(close, s);
	s = new_socket();
	line("connect another", DO(connect, s, SA(echo)));
	memset(&nobody, 0, sizeof nobody);
	nobody.sin_family = AF_UNSPEC;
	line("take it back", DO(connect, s, SA(nobody)));
	line("read from it", DO(recv, s, text, 1, 0));
	line("connect it again", DO(connect, s, SA(echo)));
	DO(close, s);
}

/* Urgent text, of which the echo makes plain text; and the other way nothing urgent. */
static void
urgent(void)
{
	struct sockaddr_in echo = at(server, 7);
	char text[64];
	int s = new_socket(), on = 1, n = -1;

	line("urgent: receive, unconnected", DO(recv, s, text, 1, MSG_OOB));
	line("urgent: send, unconnected", DO(send, s, "x", 1, MSG_OOB | MSG_NOSIGNAL));
	line("urgent: connect", DO(connect, s, SA(echo)));
	line("urgent: receive none", DO(recv, s, text, 1, MSG_OOB));
	line("urgent: peek none", DO(recv, s, text, 1, MSG_OOB | MSG_PEEK));
	line("urgent: mark", DO(IOCTL, s, SIOCATMARK, &n));
	printf("urgent: at mark: %d\n", n);
	line("urgent: send", DO(send, s, "ab!", 3, MSG_OOB));
	line("urgent: send nothing", DO(send, s, "", 0, MSG_OOB));
	pause_ms(150);
	DO(IOCTL, s, FIONREAD, &n);
	printf("urgent: what came back: %d\n", n);
	line("urgent: receive it", DO(recv, s, text, sizeof text, MSG_DONTWAIT));
	line("urgent: in line", DO(setsockopt, s, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
	line("urgent: receive in line", DO(recv, s, text, 1, MSG_OOB));
	DO(close, s);
}

/* What recv() does with text that the peer sent by MSG_OOB: port 13 sends "abc!def". */
static void
urgent_comes(int in_line)
{
	struct sockaddr_in sender = at(server, 13);
	char text[64] = "";
	int s = new_socket(), n = -1;
	long rc;

	DO(setsockopt, s, SOL_SOCKET, SO_OOBINLINE, &in_line, sizeof in_line);
	line("mark: connect", DO(connect, s, SA(sender)));
	pause_ms(150);
	DO(IOCTL, s, FIONREAD, &n);
	printf("mark: readable: %d\n", n);
	line("mark: peek urgent", DO(recv, s, text, 2, MSG_OOB | MSG_PEEK));
	line("mark: urgent", DO(recv, s, text, 2, MSG_OOB));
	line("mark: urgent again", DO(recv, s, text, 2, MSG_OOB));
	for (int i = 0; i < 5; i++) {
		DO(IOCTL, s, SIOCATMARK, &n);
		memset(text, 0, sizeof text);
		rc = DO(recv, s, text, 4, MSG_DONTWAIT);
		printf("mark: %d, then %s \"%s\"\n", n, why(rc), text);
	}
	DO(close, s);
}

int
main(int argc, char **argv)
{
	int s;

	if (argc != 3)
		return 2;
	server = argv[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
#ifndef KERNEL
	if (mtcp_init(argv[1]) != 0 || !(ctx = mtcp_create_context(0)))
		return 2;
	pause_ms(2000); /* the other end of the wire comes up */
#else
	(void)ctx;
#endif
	s = new_socket();
	all_ints("fresh", s);
	DO(close, s);
	set_ints();
	lengths();
	pointers();
	times_and_names();
	addresses();
	refused();
	talk();
	urgent();
	urgent_comes(0);
	urgent_comes(1);
#ifndef KERNEL
	mtcp_destroy_context(ctx);
	mtcp_destroy();
#endif
	return 0;
}
