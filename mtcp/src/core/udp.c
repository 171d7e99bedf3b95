/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One map holds three kinds of entries: sockets that take what anybody sends, by their port;
 * connected ones by a port of another name, so that many of them do not stand in the way of
 * those; and connected ones once more by all four numbers.
 */

#include "core/stack_priv.h"
#include "wire/udp_wire.h"

#define TALKS 0x5bd1e995u /* makes another hash of a port                        */
#define TRIES 64u         /* ports looked at by chance, for each core            */

enum {
	E_CONNREFUSED = 111, E_MSGSIZE = 90, E_HOSTUNREACH = 113, E_NOPROTO = 92, E_PROTO = 71,
	E_OPNOTSUPP = 95, E_HOSTDOWN = 112, E_NONET = 64,
};

bool
udp_init(struct stack *st, struct region *mem)
{
	struct udp *u = &st->udp;

	u->key.k0 = siphash24(&st->cfg.secret, "datagrams 0", 11);
	u->key.k1 = siphash24(&st->cfg.secret, "datagrams 1", 11);
	list_init(&u->tx);
	return pool_init(&u->socks, mem, sizeof(struct udp_sock), st->cfg.max_socks) &
	       hashmap_init(&u->map, mem, 2 * st->cfg.max_socks);
}

/* ------------------------------------------------------------------- maps -- */

static struct sock *
sock_at(const struct stack *st, uint32_t number)
{
	return &st->ch.socks[number];
}

/* NULL: it has no port yet. */
static struct udp_sock *
record_of(const struct stack *st, const struct sock *s)
{
	return s->dgram ? pool_at(&st->udp.socks, s->dgram - 1) : NULL;
}

static uint32_t
port_hash(uint16_t port, bool connected)
{
	return port * 0x9e3779b1u ^ (connected ? TALKS : 0);
}

static bool
map_add(struct stack *st, const struct udp_sock *u)
{
	struct hashmap *m = &st->udp.map;
	const struct sock *s = sock_at(st, u->sock);

	if (!hashmap_add(m, port_hash(s->name.lport, u->connected), u->sock))
		return false;
	if (u->connected)
		(void)hashmap_add(m, demux_hash(&st->demux, &s->name), u->sock);
	st->udp.n_connected += u->connected;
	return true;
}

static void
map_del(struct stack *st, const struct udp_sock *u)
{
	struct hashmap *m = &st->udp.map;
	const struct sock *s = sock_at(st, u->sock);

	(void)hashmap_del(m, port_hash(s->name.lport, u->connected), u->sock);
	if (u->connected)
		(void)hashmap_del(m, demux_hash(&st->demux, &s->name), u->sock);
	st->udp.n_connected -= u->connected;
}

/* The next socket with this port, connected or not; NULL: no more. */
static const struct sock *
next_of_port(const struct stack *st, uint16_t port, bool connected, uint32_t *i)
{
	uint32_t number;

	while (hashmap_next(&st->udp.map, port_hash(port, connected), i, &number)) {
		const struct sock *s = sock_at(st, number);

		if (s->name.lport == port && record_of(st, s)->connected == connected)
			return s;
	}
	return NULL;
}

static uint32_t
first_of_port(const struct stack *st, uint16_t port, bool connected)
{
	return hashmap_first(&st->udp.map, port_hash(port, connected));
}

/* Other cores send here what is for the port, unless all who have it are where their peers'
 * datagrams come by themselves. */
static void
tell_others(struct stack *st, uint16_t port)
{
	const struct sock *s;
	bool on = false;

	if (!st->steer.hall)
		return;
	for (unsigned connected = 0; connected < 2; connected++)
		for (uint32_t i = first_of_port(st, port, connected);
		     !on && (s = next_of_port(st, port, connected, &i));)
			on = !connected || !record_of(st, s)->homed;
	hall_take_dgrams(st->steer.hall, st->steer.me, port, on);
}

/* ------------------------------------------------------------------- ports -- */

static bool
has_bit(const struct sock *s, uint16_t bit)
{
	return (atomic_load_explicit(&s->opt_bits, memory_order_relaxed) & bit) != 0;
}

enum { FAMILY_V4 = 1, FAMILY_V6 = 2 };

/* Whose datagrams a socket of these options can have at this address. */
static unsigned
families(uint16_t bits, const struct ip_addr *a)
{
	if (!ip_addr_is_any(a))
		return ip_addr_is_v4(a) ? FAMILY_V4 : FAMILY_V6;
	if (!(bits & SOCK_OPT_V6))
		return FAMILY_V4;
	return bits & SOCK_OPT_V6ONLY ? FAMILY_V6 : FAMILY_V4 | FAMILY_V6;
}

static unsigned
families_of(const struct sock *s)
{
	return families(atomic_load_explicit(&s->opt_bits, memory_order_relaxed), &s->name.local);
}

static bool
overlap(const struct ip_addr *a, unsigned of_a, const struct sock *o)
{
	const struct ip_addr *b = &o->name.local;

	return (ip_addr_is_any(a) || ip_addr_is_any(b) || ip_addr_eq(a, b)) &&
	       (of_a & families_of(o));
}

/* Somebody has the port, and `s` (NULL: whoever) cannot have it, too. */
static bool
taken(const struct stack *st, const struct sock *s, const struct ip_addr *ip, uint16_t port)
{
	uint16_t bits = s ? atomic_load_explicit(&s->opt_bits, memory_order_relaxed)
	                  : SOCK_OPT_V6;
	unsigned of_ip = families(bits, ip);
	const struct sock *o;

	for (unsigned connected = 0; connected < 2; connected++)
		for (uint32_t i = first_of_port(st, port, connected);
		     (o = next_of_port(st, port, connected, &i));)
			if (o != s && overlap(ip, of_ip, o) &&
			    !(s && has_bit(s, SOCK_OPT_REUSEADDR) && has_bit(o, SOCK_OPT_REUSEADDR)) &&
			    !(s && has_bit(s, SOCK_OPT_REUSEPORT) && has_bit(o, SOCK_OPT_REUSEPORT)))
				return true;
	return false;
}

/* Whether what `to` sends to `port` here comes to this core. */
static bool
comes_here(const struct stack *st, const struct ip_addr *local, uint16_t port,
           const struct sock_addr *to)
{
	struct tcp_tuple t = { *local, to->ip, port, to->port };
	unsigned in = ip_port_of(st, local);

	return !st->steer.hall || st->port[in].steer.origin ||
	       steer_home(st, in, &t) == st->steer.me;
}

/* Ports that nobody can guess (RFC 6056 3.3.1, RFC 8085 5.1), first by chance, then any.  Where
 * anybody may send to it, it is one of those that only this core chooses; a reply of `to` (NULL: of
 * nobody) comes here if that can be. */
static uint16_t
choose_port(struct stack *st, const struct ip_addr *local, const struct sock_addr *to,
            bool connects)
{
	const struct port_table *p = &st->ports;
	uint32_t range = (uint32_t)p->hi - p->lo + 1, first = 0, tries = TRIES * p->cores;

	for (uint32_t i = 0; i < tries; i++) {
		uint64_t n = st->udp.choices++;
		uint16_t port;

		first = (uint32_t)(siphash24(&st->udp.key, &n, sizeof n) % range);
		port = (uint16_t)(p->lo + first);
		if (!connects && port % p->cores != p->core)
			continue;
		if (to && i < tries / 2 && !comes_here(st, local, port, to))
			continue;
		if (!taken(st, NULL, local, port))
			return port;
	}
	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = (uint16_t)(p->lo + (first + i) % range);

		if (!taken(st, NULL, local, port))
			return port;
	}
	return 0;
}

/* ------------------------------------------------------------------- calls -- */

void
udp_limits(struct stack *st, struct sock *s)
{
	const struct tcp_opts *o = sock_opts(st, s);
	struct udp_sock *u = record_of(st, s);

	if (o->set & 1u << TCP_OPTION_SNDBUF)
		atomic_store_explicit(&s->snd_limit, (uint32_t)o->value[TCP_OPTION_SNDBUF],
		                      memory_order_release);
	if (u)
		u->rcv_limit = o->set & 1u << TCP_OPTION_RCVBUF
		                   ? (uint32_t)o->value[TCP_OPTION_RCVBUF]
		                   : DGRAM_LIMIT;
}

/* What a datagram that must not be fragmented may be long. */
static void
publish_mtu(struct stack *st, struct sock *s, uint16_t mtu)
{
	for (unsigned i = 0; mtu == 0 && i < st->cfg.n_ports; i++)
		mtu = st->port[i].mtu;
	atomic_store_explicit(&s->rcv_step, mtu, memory_order_release);
}

/* The socket has this address from now on. */
static int
get_port(struct stack *st, struct sock *s, const struct sock_addr *a, bool chosen)
{
	struct udp_sock *u = pool_get(&st->udp.socks);

	if (!u)
		return E_NOBUFS;
	*u = (struct udp_sock){
		.sock = sock_number(&st->ch, s),
		.bound = a->ip,
		.chosen = chosen,
	};
	sock_set_local(s, a);
	s->dgram = pool_index(&st->udp.socks, u) + 1;
	if (!map_add(st, u)) {
		s->dgram = 0;
		pool_put(&st->udp.socks, u);
		return E_NOBUFS;
	}
	udp_limits(st, s);
	publish_mtu(st, s, 0);
	tell_others(st, a->port);
	return 0;
}

int
udp_bind(struct stack *st, struct sock_call *k, struct sock *s)
{
	struct sock_addr a = k->addr;
	bool chosen = a.port == 0;

	if (s->dgram)
		return E_INVAL;
	if (!ip_addr_is_any(&a.ip) && !ip_is_ours(st, &a.ip))
		return E_ADDRNOTAVAIL;
	if (chosen && (a.port = choose_port(st, &a.ip, NULL, false)) == 0)
		return E_ADDRINUSE;
	if (!chosen && taken(st, s, &a.ip, a.port))
		return E_ADDRINUSE;
	k->addr = a;
	return get_port(st, s, &a, false);
}

int
udp_open(struct stack *st, struct sock_call *k, struct sock *s)
{
	struct sock_addr to = k->addr, a = { .ip = IP_ANY };
	struct ip_addr src;
	uint16_t mtu;

	if (s->dgram)
		return 0;
	if (!ip_source(st, &to.ip, &src, &mtu))
		a.port = choose_port(st, &a.ip, NULL, false);
	else
		a.port = choose_port(st, &src, &to, false);
	return a.port ? get_port(st, s, &a, true) : E_ADDRNOTAVAIL;
}

static void
put_port(struct stack *st, struct udp_sock *u)
{
	struct sock *s = sock_at(st, u->sock);
	uint16_t port = s->name.lport;

	map_del(st, u);
	link_remove(&u->tx);
	s->dgram = 0;
	pool_put(&st->udp.socks, u);
	tell_others(st, port);
}

/* A port that it did not ask for goes, too, as on Linux. */
static int
disconnect(struct stack *st, struct sock *s)
{
	struct udp_sock *u = record_of(st, s);

	if (!u || !u->connected)
		return 0;
	if (u->chosen && stream_used(&s->snd_w, &s->snd_r) == 0) {
		put_port(st, u);
		s->name = (struct tcp_tuple){ .local = IP_ANY, .remote = IP_ANY };
		return 0;
	}
	map_del(st, u);
	u->connected = false;
	s->name.local = u->bound;
	s->name.remote = IP_ANY;
	s->name.rport = 0;
	(void)map_add(st, u);
	publish_mtu(st, s, 0);
	tell_others(st, s->name.lport);
	return 0;
}

int
udp_connect(struct stack *st, struct sock_call *k, struct sock *s)
{
	struct sock_addr to = k->addr, a;
	struct udp_sock *u = record_of(st, s);
	uint16_t mtu;
	int err;

	if (to.port == 0)
		return disconnect(st, s);
	if (!ip_source(st, &to.ip, &a.ip, &mtu))
		return E_NETUNREACH;
	if (!u) {
		bool homed;

		if ((a.port = choose_port(st, &a.ip, &to, true)) == 0)
			return E_ADDRNOTAVAIL;
		homed = comes_here(st, &a.ip, a.port, &to);
		if ((err = get_port(st, s, &a, true)))
			return err;
		u = record_of(st, s);
		u->bound = IP_ANY;
		u->homed = homed;
	}
	map_del(st, u);
	u->homed = u->homed && comes_here(st, &a.ip, s->name.lport, &to);
	s->name.local = ip_addr_is_any(&u->bound) ? a.ip : u->bound;
	sock_set_peer(s, &to);
	u->connected = true;
	(void)map_add(st, u);
	publish_mtu(st, s, mtu);
	tell_others(st, s->name.lport);
	return 0;
}

/* --------------------------------------------------------------------- job -- */

void
udp_end(struct stack *st, struct udp_sock *u)
{
	struct sock *s = sock_at(st, u->sock);

	put_port(st, u);
	slot_release(st, s);
}

void
udp_job(struct stack *st, struct sock *s)
{
	struct udp_sock *u = record_of(st, s);
	bool sends = u && stream_used(&s->snd_w, &s->snd_r) > 0;

	if (sends && !link_on_list(&u->tx))
		list_push_back(&st->udp.tx, &u->tx);
	st->aside |= sends;
	if (!s->goodbye) {
		if (sock_requests(s) & SOCK_REQ_CHUNKS)
			st->app_starved = true;
		return;
	}
	if (u)
		u->closing = true;
	if (u && !sends)
		udp_end(st, u);
	else if (!u)
		slot_release(st, s);
}

void
udp_error(struct stack *st, struct udp_sock *u, int err)
{
	struct sock *s = sock_at(st, u->sock);

	if (u->closing)
		return;
	u->errors++;
	atomic_store_explicit(&s->dgram_error, (uint32_t)u->errors << 16 | (uint32_t)err,
	                      memory_order_release);
	events_tell(st, s, 0);
}

/* ---------------------------------------------------------------------- in -- */

static struct udp_sock *
find_connected(const struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	const struct hashmap *m = &st->udp.map;
	uint32_t number;

	if (st->udp.n_connected == 0)
		return NULL;
	for (uint32_t i = hashmap_first(m, hash); hashmap_next(m, hash, &i, &number);) {
		const struct sock *s = sock_at(st, number);
		struct udp_sock *u = record_of(st, s);

		if (u->connected && memcmp(&s->name, t, sizeof *t) == 0)
			return u;
	}
	return NULL;
}

/* Among sockets that share a port each flow keeps to one, while they are the same. */
static uint32_t
preference(uint32_t hash, uint32_t number)
{
	uint32_t x = (hash ^ number * 0x9e3779b1u) * 0x85ebca6bu;

	return x ^ x >> 15;
}

static struct udp_sock *
find_bound(const struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	const struct sock *s, *best = NULL;
	uint64_t best_score = 0;

	for (uint32_t i = first_of_port(st, t->lport, false);
	     (s = next_of_port(st, t->lport, false, &i));) {
		bool any = ip_addr_is_any(&s->name.local);
		uint64_t score = any ? 1 : 2;

		if (any ? !(families_of(s) & (ip_addr_is_v4(&t->local) ? FAMILY_V4 : FAMILY_V6))
		        : !ip_addr_eq(&s->name.local, &t->local))
			continue;
		score = score << 32 | preference(hash, sock_number(&st->ch, s));
		if (score > best_score) {
			best = s;
			best_score = score;
		}
	}
	return best ? record_of(st, best) : NULL;
}

/* A datagram that is not whole is not kept at all. */
static enum fate
deliver(struct stack *st, struct udp_sock *u, const struct tcp_tuple *t, const uint8_t *text,
        uint32_t len)
{
	struct sock *s = sock_at(st, u->sock);
	struct dgram_head h = { .peer = { t->remote, t->rport }, .len = len };
	struct stream_record rec;

	if (u->closing || (sock_requests(s) & SOCK_REQ_SHUT_RD) ||
	    stream_used(&s->rcv_w, &s->rcv_r) >= u->rcv_limit) {
		u->dropped++;
		return DROP_UDP_FULL;
	}
	if (tcp_mem_level(&st->env) == TCP_MEM_SCARCE ||
	    !tcp_chunks_want(&st->env, stream_chunks(dgram_size(len)))) {
		u->dropped++;
		return DROP_NO_MEMORY;
	}
	stream_begin(&rec, &s->rcv_w, &s->rcv_r);
	stream_append(&rec, &st->env.spare, (const uint8_t *)&h, sizeof h);
	stream_append(&rec, &st->env.spare, text, len);
	stream_commit(&rec);
	events_tell(st, s, 0);
	return IN_UDP;
}

static enum fate
elsewhere(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
          uint32_t hash)
{
	struct steer *r = &st->steer;
	unsigned core;

	if (!r->hall || (from->pkt->flags & STEER_KEEP))
		return DROP_UDP_NOBODY;
	if (!(from->pkt->flags & STEER_HOME) && !st->port[from->port].steer.origin) {
		core = steer_home(st, from->port, t);
		if (core != r->me)
			return handover_to(st, core, from, STEER_HOME, 0);
	}
	core = hall_dgram_taker(r->hall, r->me, t->lport, hash);
	return core == HALL_CORES_MAX ? DROP_UDP_NOBODY
	                              : handover_to(st, core, from, STEER_KEEP, 0);
}

/* Header and sum are good: SEG_OK. */
static enum fate
check(const struct segment_from *from, const struct ip_addr *src, const struct ip_addr *dst,
      const uint8_t *p, uint32_t len, struct udp_hdr *h)
{
	uint16_t judged = from->pkt->flags & (IO_RX_L4_BAD | IO_RX_L4_GOOD);
	struct ip_addr s = ip6_plain(src), d = ip6_plain(dst);

	if (!wire_udp_parse(p, len, h) || h->dport == 0)
		return DROP_UDP_HEADER;
	/* Ports differ in what they say of a datagram without a sum: bad is looked at again. */
	if (judged != IO_RX_L4_GOOD && !wire_udp_sum_ok(p, &s, &d))
		return DROP_UDP_SUM;
	return SEG_OK;
}

enum fate
udp_in(struct stack *st, const struct segment_from *from, const struct ip_addr *src,
       const struct ip_addr *dst, const uint8_t *p, uint32_t len)
{
	struct udp_hdr h;
	enum fate fate = check(from, src, dst, p, len, &h);
	struct tcp_tuple t;
	struct udp_sock *u;
	uint32_t hash;

	if (fate != SEG_OK)
		return fate;
	t = (struct tcp_tuple){ *dst, *src, h.dport, h.sport };
	hash = demux_hash(&st->demux, &t);
	if (!(u = find_connected(st, &t, hash)) && !(u = find_bound(st, &t, hash)))
		return elsewhere(st, from, &t, hash);
	return deliver(st, u, &t, p + UDP_LEN, h.len - UDP_LEN);
}

enum fate
udp_broadcast_in(struct stack *st, const struct segment_from *from, const struct ip_addr *src,
                 const struct ip_addr *dst, const uint8_t *p, uint32_t len)
{
	struct udp_hdr h;
	enum fate fate = check(from, src, dst, p, len, &h);
	const struct sock *s;
	struct tcp_tuple t;
	unsigned n = 0;

	if (fate != SEG_OK)
		return fate;
	t = (struct tcp_tuple){ *dst, *src, h.dport, h.sport };
	for (uint32_t i = first_of_port(st, h.dport, false);
	     (s = next_of_port(st, h.dport, false, &i)); n++)
		if (ip_addr_is_any(&s->name.local))
			fate = deliver(st, record_of(st, s), &t, p + UDP_LEN, h.len - UDP_LEN);
	if (n == 0)
		fate = elsewhere(st, from, &t, demux_hash(&st->demux, &t));
	return fate == SEG_OK || fate == DROP_UDP_NOBODY ? DROP_NOT_OURS : fate;
}

/* ------------------------------------------------------------------ errors -- */

/* What Linux tells a connected socket; 0: nothing, since it may pass. */
static int
errno_of(const struct icmp_error *e)
{
	static const uint8_t unreachable[] = {
		0, 0, E_NOPROTO, E_CONNREFUSED, E_MSGSIZE, E_OPNOTSUPP, E_NETUNREACH, E_HOSTDOWN,
		E_NONET, E_NETUNREACH, E_HOSTUNREACH, 0, 0, E_HOSTUNREACH, E_HOSTUNREACH,
		E_HOSTUNREACH,
	};

	if (e->type == ICMP4_PARAM_PROBLEM)
		return E_PROTO;
	if (e->type != ICMP4_UNREACHABLE || e->code >= array_len(unreachable))
		return 0;
	return unreachable[e->code];
}

/* To the core that has the port, as a datagram would find it. */
static bool
pass_on(struct stack *st, const struct icmp_error *err, const struct tcp_tuple *t, uint32_t hash,
        unsigned hop)
{
	struct steer *r = &st->steer;
	struct hall_word w = { .op = HALL_OP_ICMP, .kind = to_u8(hop + 1), .icmp = *err };
	unsigned core;

	if (!r->hall || hop >= 2 || !ip_is_ours(st, &t->local))
		return false;
	core = hop == 0 ? steer_home(st, ip_port_of(st, &t->local), t) : r->me;
	if (core == r->me) {
		core = hall_dgram_taker(r->hall, r->me, t->lport, hash);
		w.kind = 2;
	}
	return core != HALL_CORES_MAX && words_say(st, core, &w);
}

static void
lower_mtu(struct sock *s, uint16_t mtu)
{
	if (mtu < atomic_load_explicit(&s->rcv_step, memory_order_relaxed))
		atomic_store_explicit(&s->rcv_step, mtu, memory_order_release);
}

void
udp_icmp_error(struct stack *st, const struct icmp_error *err, unsigned hop, int64_t now)
{
	struct tcp_tuple t = { err->src, err->dst, err->sport, err->dport };
	uint32_t hash = demux_hash(&st->demux, &t);
	struct udp_sock *u = find_connected(st, &t, hash);
	bool too_big = err->type == ICMP4_UNREACHABLE && err->code == ICMP4_CODE_FRAG_NEEDED;
	int e = errno_of(err);

	if (!u && !find_bound(st, &t, hash)) {
		if (!pass_on(st, err, &t, hash, hop))
			st->fates[DROP_ICMP_QUOTE]++;
		return;
	}
	if (too_big)
		udp_path_learn(st, &err->dst, err->mtu, now);
	if (u && too_big)
		lower_mtu(sock_at(st, u->sock), max(err->mtu, (uint16_t)UDP_PATH_MIN));
	if (u && e)
		udp_error(st, u, e);
}
