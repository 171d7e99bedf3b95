/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the application asked for since the last step.  A job is a socket's
 * number; what is wanted is read from the socket, so ten writes are one job.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_isn.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_urgent.h"

#define JOBS_PER_STEP  1024u
#define LOOKS_PER_STEP 4096u /* at ports for connections; what is left waits for the next step */

/* ------------------------------------------------------------- connect -- */

static void
connect_failed(struct stack *st, struct sock *s, int err)
{
	s->err = (int16_t)err;
	events_tell(st, s, SOCK_ERROR | SOCK_OVER);
}

/* The tuple of a new outgoing connection; 0 or an errno value. */
static int
choose_tuple(struct stack *st, struct sock *s, struct tcp_tuple *t, uint32_t *hash, uint16_t *mtu)
{
	struct ip_addr src;
	void *found;

	memset(t, 0, sizeof *t);
	t->remote = s->name.remote;
	t->rport = s->name.rport;
	if (!ip_source(st, &t->remote, &src, mtu))
		return E_NETUNREACH;
	t->local = ip_addr_is_any(&s->name.local) ? src : s->name.local;
	if (unlikely(ip_addr_is_v4(&t->local) != ip_addr_is_v4(&t->remote)))
		return E_INVAL;
	if (s->name.lport == 0)
		return port_choose_connect(&st->ports, steer_ports(st, &t->local), &st->demux, t,
		                           hash) ? 0 : E_ADDRNOTAVAIL;
	t->lport = s->name.lport;
	*hash = demux_hash(&st->demux, t);
	switch (demux_find(&st->demux, t, *hash, &found)) {
	case DEMUX_NONE:
		return keeper_claim(st, t, *hash) ? 0 : E_NOBUFS;
	case DEMUX_CONN:
	case DEMUX_REQ:
	case DEMUX_TW:
		break;
	}
	return E_ADDRNOTAVAIL;
}

static void
copy_bits(struct tcp_conn *c, const struct sock *s)
{
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_acquire);
	uint32_t mask = TCPF_NODELAY | TCPF_CORK | TCPF_KEEPALIVE | TCPF_MORE;
	uint32_t set = 0;

	set |= bits & SOCK_OPT_NODELAY ? TCPF_NODELAY : 0;
	set |= bits & SOCK_OPT_CORK ? TCPF_CORK : 0;
	set |= bits & SOCK_OPT_KEEPALIVE ? TCPF_KEEPALIVE : 0;
	set |= bits & SOCK_OPT_MORE ? TCPF_MORE : 0;
	if (bits & SOCK_OPT_QUICKACK) { /* the next ACK does not wait for our text */
		c->flags &= ~(uint32_t)TCPF_INTERACTIVE;
		c->quickacks = max(c->quickacks, (uint8_t)1);
	}
	if (bits & SOCK_OPT_SLOWACK) {
		c->flags |= TCPF_INTERACTIVE;
		c->quickacks = 0;
	}
	if (c->flags & TCPF_SHUT) /* nothing follows that could be waited for */
		set &= ~(uint32_t)(TCPF_CORK | TCPF_MORE);
	c->flags = (c->flags & ~mask) | set;
}

static void
do_connect(struct stack *st, struct sock *s, int64_t now)
{
	struct tcp_open o = { .opts = sock_opts(st, s) };
	struct tcp_conn *c;
	uint32_t hash = 0;
	uint16_t mtu = 0;
	int err = choose_tuple(st, s, &o.tuple, &hash, &mtu);

	s->kind = SOCK_KIND_CONN;
	if (err) {
		connect_failed(st, s, err);
		return;
	}
	o.local_mss = to_u16(mtu - wire_tcp_headers(&o.tuple.remote));
	o.iss = conn_isn(st, &o.tuple, now);
	o.ts_offset = tcp_ts_begin(&st->env, &o.tuple);
	o.streams = &s->streams;
	if (!(c = conn_new(st, &o, hash, NULL, now))) {
		keeper_look_gone(st, &o.tuple, hash);
		conn_unname(s);
		connect_failed(st, s, E_NOBUFS);
		return;
	}
	(void)opts_share(st, c->opts);
	s->conn = c;
	copy_bits(c, s);
	if (atomic_load_explicit(&s->opt_bits, memory_order_acquire) & SOCK_OPT_FASTOPEN)
		c->flags |= TCPF_FASTOPEN;
	tcp_connect(&st->env, c, now);
	conn_settle(st, c, now);
}

/* --------------------------------------------------------------- a job -- */

bool
jobs_urgent_wrote(struct stack *st, struct tcp_conn *c)
{
	const struct sock *s = conn_sock(c);

	if (c->flags & TCPF_ORPHAN)
		return false;
	tcp_urgent_wrote(&st->env, c,
	                 atomic_load_explicit(&s->snd_urgent, memory_order_acquire));
	return true;
}

static void
conn_job(struct stack *st, struct sock *s, uint16_t req, int64_t now)
{
	struct tcp_conn *c = s->conn;
	bool keepalive = c->flags & TCPF_KEEPALIVE, retuned;

	copy_bits(c, s);
	(void)jobs_urgent(st, c);
	retuned = keepalive != ((c->flags & TCPF_KEEPALIVE) != 0);
	if (retuned)
		tcp_set_opts(&st->env, c, c->opts, now);
	tcp_app_read(&st->env, c, now);
	tcp_app_wrote(&st->env, c, now);
	if ((req & SOCK_REQ_SHUT_WR) && !(c->flags & TCPF_SHUT))
		tcp_shutdown(&st->env, c, now);
	if (unlikely(retuned))
		conn_settle(st, c, now);
	else
		conn_asked(st, c, now);
}

/* The application has let go.  SO_LINGER of 0 asks for a reset. */
static void
goodbye(struct stack *st, struct sock *s, uint16_t req, int64_t now)
{
	struct tcp_conn *c = s->conn;

	if (bind_has_port(s))
		port_unbind(&st->ports, s->name.lport, sock_number(&st->ch, s));
	if (s->kind == SOCK_KIND_LISTENER)
		listener_close(st, s);
	if (!c) {
		slot_release(st, s);
		return;
	}
	if ((req & SOCK_REQ_ABORT) || tcp_opt_value(&st->env, c->opts, TCP_OPTION_LINGER) == 0) {
		c->flags |= TCPF_ORPHAN;
		tcp_abort(&st->env, c, TCP_E_NONE, now);
	} else {
		copy_bits(c, s);
		(void)jobs_urgent(st, c);
		tcp_close(&st->env, c, now);
	}
	conn_settle(st, c, now);
}

static void
one_job(struct stack *st, struct sock *s, int64_t now)
{
	uint16_t req = sock_requests(s);

	if (s->kind == SOCK_KIND_FREE || s->kind == SOCK_KIND_DYING)
		return;
	if (unlikely(sock_is_dgram(req))) {
		udp_job(st, s);
		return;
	}
	if (s->goodbye) {
		goodbye(st, s, req, now);
		return;
	}
	if (req & SOCK_REQ_CLOSE)
		return; /* the goodbye is on its way behind this */
	if (req & SOCK_REQ_CHUNKS)
		st->app_starved = true;
	if (s->kind == SOCK_KIND_PLAIN && (req & SOCK_REQ_CONNECT))
		do_connect(st, s, now);
	else if (s->conn)
		conn_job(st, s, req, now);
}

/* Taken in small numbers: these are done before the ring is looked at again. */
static inline bool
next_job(struct stack *st, uint32_t *job)
{
	if (st->jobs_at == st->n_jobs) {
		st->jobs_at = 0;
		st->n_jobs = sock_take_jobs(&st->ch, st->job, array_len(st->job));
	}
	if (st->n_jobs == 0)
		return false;
	*job = st->job[st->jobs_at++];
	return true;
}

unsigned
jobs_run(struct stack *st, int64_t now)
{
	uint64_t looks = st->ports.looks + LOOKS_PER_STEP;
	unsigned n = 0;
	uint32_t job;

	for (; n < JOBS_PER_STEP && st->ports.looks < looks && next_job(st, &job); n++) {
		struct sock *s = sock_of_job(&st->ch, job);

		if (likely(s != NULL))
			one_job(st, s, now);
		else
			st->call_pending = true;
	}
	return n;
}

/* --------------------------------------------------------------- calls -- */

/* listen() on an unbound socket binds it to a port of the range, as POSIX has it. */
static int
call_listen(struct stack *st, struct sock_call *k, struct sock *s)
{
	if (s->kind != SOCK_KIND_PLAIN && s->kind != SOCK_KIND_LISTENER)
		return E_INVAL;
	if (k->value == 0)
		return listener_retire(st, s);
	if (!bind_has_port(s)) {
		struct sock_call b = { .sock = k->sock, .addr = { s->name.local, 0 } };
		int err = bind_port(st, &b, s);

		if (err)
			return err;
	}
	if (!bind_may_listen(st, s))
		return E_ADDRINUSE;
	return listener_add(st, s, (uint32_t)min(max(k->value, INT64_C(1)), INT64_C(1) << 30));
}

static bool
value_fits(int option, int64_t v)
{
	switch ((enum tcp_option)option) {
	case TCP_OPTION_CONGESTION:
		return v >= 0 && tcp_cc_at((unsigned)v);
	case TCP_OPTION_MAXSEG:
		return v == 0 || (v >= 88 && v <= 65535);
	case TCP_OPTION_TTL:
		return v >= 1 && v <= 255;
	case TCP_OPTION_TOS:
		return v >= 0 && v <= 255;
	case TCP_OPTION_KEEPIDLE:
	case TCP_OPTION_KEEPINTVL:
		return v >= 1 && v <= 32767;
	case TCP_OPTION_KEEPCNT:
	case TCP_OPTION_SYNCNT:
		return v >= 1 && v <= 127;
	case TCP_OPTION_MAX_PACING_RATE:
		return v >= 0;
	default:
		return v >= INT32_MIN && v <= INT32_MAX;
	}
}

/* A record of options of its own for the socket, however many shared it before. */
static struct tcp_opts *
opts_own(struct stack *st, struct sock *s)
{
	struct tcp_opts *o = pool_get(&st->opts);

	if (!o)
		return NULL;
	*o = *sock_opts(st, s);
	o->refs = 1;
	opts_drop(st, sock_opts(st, s));
	sock_set_opts(st, s, o);
	return o;
}

static int
call_set(struct stack *st, struct sock_call *k, struct sock *s, int64_t now)
{
	struct tcp_opts *o;

	if (k->option < 0 || k->option >= TCP_N_OPTIONS)
		return E_NOPROTOOPT;
	if (!value_fits(k->option, k->value))
		return E_INVAL;
	if (!(o = opts_own(st, s)))
		return E_NOBUFS;
	if (k->option == TCP_OPTION_MAX_PACING_RATE)
		o->max_pacing_rate = k->value;
	else
		o->value[k->option] = (int32_t)k->value;
	o->set |= 1u << k->option;
	if (sock_is_dgram(sock_requests(s)))
		udp_limits(st, s);
	if (s->conn) {
		opts_drop(st, s->conn->opts);
		tcp_set_opts(&st->env, s->conn, opts_share(st, o), now);
		conn_settle(st, s->conn, now);
	}
	return 0;
}

static int
call_get(struct stack *st, struct sock_call *k, const struct sock *s)
{
	if (k->option < 0 || k->option >= TCP_N_OPTIONS)
		return E_NOPROTOOPT;
	k->value = tcp_opt_value(&st->env, sock_opts(st, s), (enum tcp_option)k->option);
	if (sock_is_dgram(sock_requests(s)) && !(sock_opts(st, s)->set & 1u << k->option) &&
	    (k->option == TCP_OPTION_RCVBUF || k->option == TCP_OPTION_SNDBUF))
		k->value = DGRAM_LIMIT;
	if (k->option == TCP_OPTION_MAXSEG && (s->conn || k->value == 0))
		k->value = s->conn ? s->conn->mss : 536; /* RFC 9293 MUST-15 */
	if (s->conn && k->option == TCP_OPTION_RCVBUF) /* as they have grown */
		k->value = INT64_C(2) * s->conn->rcv_space;
	if (s->conn && k->option == TCP_OPTION_SNDBUF)
		k->value = s->conn->snd_limit;
	if (k->option == TCP_OPTION_CONGESTION) {
		const struct cc_ops *cc = s->conn ? tcp_cc(s->conn) : st->cfg.tcp.cc;

		if (!s->conn && (sock_opts(st, s)->set & 1u << TCP_OPTION_CONGESTION))
			return 0;
		for (k->value = 0; tcp_cc_at((unsigned)k->value) != cc;)
			k->value++;
	}
	return 0;
}

static int
call_info(struct stack *st, struct sock_call *k, const struct sock *s, int64_t now)
{
	if (s->conn) {
		tcp_info_fill(&st->env, s->conn, now, &k->info);
		return 0;
	}
	k->info = (struct tcp_info_data){ .state = 7 };
	if (s->kind == SOCK_KIND_LISTENER)
		k->info.state = 10;
	return 0;
}

static int
call_fastopen_key(struct stack *st, struct sock_call *k)
{
	if (k->value == 0) {
		k->value = (int64_t)tcp_fastopen_get_keys(&st->env.fastopen, k->key);
		return 0;
	}
	return tcp_fastopen_set_keys(&st->env.fastopen, k->key, (size_t)k->value) ? 0 : E_INVAL;
}

static int
call_fastopen_room(struct stack *st, struct sock_call *k, int64_t now)
{
	struct ip_addr src;
	uint16_t mtu;

	k->value = 0;
	if (ip_source(st, &k->addr.ip, &src, &mtu))
		k->value = tcp_fastopen_room(&st->env, &k->addr.ip,
		                             to_u16(mtu - wire_tcp_headers(&k->addr.ip)), now);
	return 0;
}

/* Everything is asked to finish; what has not when time is up is reset. */
static void
quiesce_start(struct stack *st, int64_t timeout_ms, int64_t now)
{
	st->quiesce_until = now + MS(max(timeout_ms, INT64_C(0)));
	listeners_quiesce(st);
	for (uint32_t i = 0; i < st->conns.fresh; i++) {
		struct tcp_conn *c = pool_at(&st->conns, i);

		if (c->in_use != TCP_CONN_IN_USE)
			continue;
		if (c->streams && !(c->flags & TCPF_ORPHAN))
			tcp_close(&st->env, c, now);
		conn_settle(st, c, now);
	}
}

static void
abort_all(struct stack *st, int64_t now)
{
	for (uint32_t i = 0; i < st->conns.fresh; i++) {
		struct tcp_conn *c = pool_at(&st->conns, i);

		if (c->in_use != TCP_CONN_IN_USE)
			continue;
		tcp_abort(&st->env, c, TCP_E_NONE, now);
		conn_settle(st, c, now);
	}
}

static bool
quiesced(struct stack *st, int64_t now)
{
	if (st->conns.used > 0 && now >= st->quiesce_until)
		abort_all(st, now);
	return conns_open(st) == 0 || now >= st->quiesce_until;
}

void
stack_quiesce(struct stack *st, int64_t timeout_ns, int64_t now)
{
	quiesce_start(st, timeout_ns / NS_PER_MS, now);
}

bool
stack_is_quiet(struct stack *st, int64_t now)
{
	return quiesced(st, now);
}

static int
call_run(struct stack *st, struct sock_call *k, struct sock *s, int64_t now)
{
	switch (k->op) {
	case SOCK_CALL_BIND:
		return bind_socket(st, k, s);
	case SOCK_CALL_LISTEN:
		return call_listen(st, k, s);
	case SOCK_CALL_SET:
		return call_set(st, k, s, now);
	case SOCK_CALL_GET:
		return call_get(st, k, s);
	case SOCK_CALL_INFO:
		return call_info(st, k, s, now);
	case SOCK_CALL_NAME:
		k->addr = sock_local(s);
		return 0;
	case SOCK_CALL_UNCONNECT:
		return conn_forget(st, s, now) ? 0 : E_INVAL;
	case SOCK_CALL_FASTOPEN_KEY:
		return call_fastopen_key(st, k);
	case SOCK_CALL_FASTOPEN_ROOM:
		return call_fastopen_room(st, k, now);
	case SOCK_CALL_DGRAM_CONNECT:
		return udp_connect(st, k, s);
	case SOCK_CALL_DGRAM_OPEN:
		return udp_open(st, k, s);
	case SOCK_CALL_QUIESCE:
	case SOCK_CALL_STEP:
		break;
	}
	return 0;
}

/* Called after the jobs that were pushed before the call. */
void
jobs_calls(struct stack *st, int64_t now)
{
	struct sock_call *k = &st->ch.call;

	if (!st->call_pending)
		return;
	if (k->op == SOCK_CALL_QUIESCE) {
		if (st->quiesce_until == TIME_NEVER)
			quiesce_start(st, k->value, now);
		if (!quiesced(st, now))
			return;
		st->quiesce_until = TIME_NEVER;
	}
	k->err = call_run(st, k, &st->ch.socks[min(k->sock, st->ch.n_socks - 1)], now);
	st->call_pending = false;
	atomic_store_explicit(&k->done, atomic_load_explicit(&k->asked, memory_order_acquire),
	                      memory_order_seq_cst);
	st->posted = true;
}
