/* SPDX-License-Identifier: BSD-3-Clause */
/* One end's turn: connect, write, read, finish. */

#include "test/sim/flow.h"

#include <stdio.h>

#include "core/stack_priv.h"
#include "tcp/tcp_rare.h"

#define FASTOPEN_TEXT 2000u /* more than a SYN can carry */
#define CONNECT_TRIES 1000u
#define GULP_MAX      65536u

static uint8_t
byte_at(const struct flows *f, uint32_t id, unsigned from, uint32_t at)
{
	return (uint8_t)(at * 131 + (at >> 8) * 17 + (at >> 16) * 29 + id * 57 + from * 101 +
	                 (uint32_t)f->swarm->net.seed);
}

static void
broken(struct flows *f, const struct flow *w, unsigned k, const char *why)
{
	const struct flow_end *e = &w->end[k];

	if (f->broken)
		return;
	f->broken = why;
	(void)snprintf(f->what, sizeof f->what,
	               "flow %u %s: wrote %u of %u, read %u of %u, facts %x err %d", w->id,
	               k ? "server" : "client", e->written, w->plan->end[k].total, e->got,
	               w->plan->end[!k].total, e->s ? sock_facts(e->s) : 0u,
	               e->s ? e->s->err : 0);
}

static struct host *
host_of(struct flows *f, const struct flow *w, unsigned k)
{
	return &f->host[k ? !w->plan->client : w->plan->client];
}

static int64_t
now_of(const struct flows *f)
{
	return net_now(f->host[0].net);
}

/* End `k`, if it may: what is reset for want of memory is what its other end has closed. */
static bool
may_fail(const struct flows *f, const struct flow *w, unsigned k)
{
	return w->plan->may_fail || (f->orphans && w->end[!k].done) || swarm_lenient(f->swarm);
}

static bool
connects(const struct flow *w, unsigned k)
{
	return k == 0 || w->plan->cross;
}

/* ------------------------------------------------------------ connecting -- */

static void
connect_later(struct flow *w, unsigned k, int64_t at)
{
	struct flow_end *e = &w->end[k];

	e->connecting = false;
	e->s = NULL;
	e->try_at = at;
	e->written = 0;
	if (k == 0)
		w->lport = 0;
}

/* What there is to say first goes with the SYN, if the stack can. */
static void
write_ahead(struct flows *f, struct flow *w, unsigned k)
{
	struct flow_end *e = &w->end[k];
	uint8_t buf[FASTOPEN_TEXT];
	uint32_t n = min(w->plan->end[k].total, (uint32_t)sizeof buf);

	for (uint32_t i = 0; i < n; i++)
		buf[i] = byte_at(f, w->id, k, i);
	e->written = host_write_ahead(host_of(f, w, k), e->s, buf, n);
}

static uint64_t
dropped_for_backlog(struct flows *f, struct flow *w, unsigned k)
{
	return host_of(f, w, !k)->st->fates[DROP_BACKLOG];
}

static void
try_connect(struct flows *f, struct flow *w, unsigned k)
{
	struct host *h = host_of(f, w, k);
	struct flow_end *e = &w->end[k];
	struct ip_addr any = ip_addr_v4(0);
	uint16_t bind = swarm_bind(f->swarm, w->id, k);

	if (!host_call_done(h) || !(e->s = host_socket(h))) {
		connect_later(w, k, now_of(f) + MS(100));
		return;
	}
	e->tries++;
	e->full = dropped_for_backlog(f, w, k);
	e->connecting = true;
	if (bind && host_bind(h, e->s, &any, bind)) {
		host_close(h, e->s);
		connect_later(w, k, now_of(f) + SEC(1));
		return;
	}
	atomic_store(&e->s->opt_bits,
	             w->plan->end[k].opt_bits | (f->swarm->v6 ? SOCK_OPT_V6 : 0));
	if (w->plan->fastopen) {
		atomic_fetch_or(&e->s->opt_bits, SOCK_OPT_FASTOPEN);
		write_ahead(f, w, k);
	}
	host_connect(h, e->s, &host_of(f, w, !k)->ip, swarm_target(f->swarm, w->id, k));
}

/* An address that nobody resolves is no fault of TCP's, nor a full table: again, later.  Who
 * connects to somebody who is not yet connecting too is refused. */
static bool
try_again(struct flows *f, struct flow *w, unsigned k)
{
	bool lenient = swarm_lenient(f->swarm);

	switch (w->end[k].s->err) {
	case TCP_E_HOSTUNREACH:
	case 99: /* EADDRNOTAVAIL */
		return true;
	case TCP_E_REFUSED: /* or what its server had left to say by Fast Open gave way */
		return lenient || w->plan->cross || (f->orphans && w->end[1].done);
	case TCP_E_TIMEDOUT: /* or a short queue was full whenever it asked */
		return lenient || (f->swarm->accept_pause &&
		                   dropped_for_backlog(f, w, k) > w->end[k].full);
	case TCP_E_NOBUFS:
	case TCP_E_RESET:
		return lenient;
	default:
		return false;
	}
}

static void
connect_failed(struct flows *f, struct flow *w, unsigned k)
{
	struct flow_end *e = &w->end[k];
	bool last = e->tries > CONNECT_TRIES || (w->plan->cross && w->end[!k].done);

	if (w->end[!k].failed && may_fail(f, w, k)) { /* by Fast Open it has been there already */
		host_close(host_of(f, w, k), e->s);
		e->s = NULL;
		e->done = e->failed = true;
		return;
	}
	if (!try_again(f, w, k) || (last && !may_fail(f, w, k))) {
		broken(f, w, k, "cannot connect");
		return;
	}
	host_close(host_of(f, w, k), e->s);
	if (!w->plan->cross) { /* accepted by Fast Open: in vain, even if it has finished */
		if (w->end[1].s)
			host_abort(host_of(f, w, 1), w->end[1].s);
		w->end[1] = (struct flow_end){ .s = NULL };
	}
	/* Both ends of a simultaneous open at the same moment. */
	connect_later(w, k, (now_of(f) / NS_PER_S + 1) * NS_PER_S);
	if (last)
		e->done = e->failed = true;
}

static void
connected(struct flows *f, struct flow *w, unsigned k)
{
	struct flow_end *e = &w->end[k];
	uint16_t bind = swarm_bind(f->swarm, w->id, k);

	e->connecting = false;
	e->connected = true;
	if (k == 0)
		w->lport = e->s->name.lport;
	if (!ip_addr_eq(&e->s->name.local, &host_of(f, w, k)->ip) ||
	    e->s->name.rport != swarm_target(f->swarm, w->id, k) ||
	    (bind && e->s->name.lport != bind))
		broken(f, w, k, "has wrong addresses");
}

/* -------------------------------------------------------------- accepting -- */

/* By Fast Open it can be accepted before its client has heard that it is open. */
static uint16_t
client_port(const struct flow *w)
{
	const struct sock *s = w->end[0].s;

	return w->lport || !s || !s->conn ? w->lport : tcp_name(s->conn)->lport;
}

static struct flow *
flow_of_port(struct flows *f, unsigned server, uint16_t port)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct flow *w = &f->flow[i];

		if (w->plan->client != server && !w->plan->cross && client_port(w) == port &&
		    !w->end[1].s && !w->end[1].done)
			return w;
	}
	return NULL;
}

/* Its client or, by Fast Open before that heard of it, its server has given up; or the server has
 * closed, what it had left to say gave way, and the SYN came again.  Flow 1 may have flow 0's
 * port. */
static bool
one_left(const struct flows *f, unsigned server, uint16_t port)
{
	for (unsigned i = 0; i < f->n; i++) {
		const struct flow *w = &f->flow[i];

		if (w->plan->client != server && client_port(w) == port &&
		    (w->end[0].failed || w->end[1].failed || (f->orphans && w->end[1].done)))
			return true;
	}
	return false;
}

static void
note_isn(struct flow *w)
{
	const struct sock *s = w->end[0].s;

	if (s && s->conn)
		w->iss = (struct host_isn){ true, s->conn->iss };
}

/* A SYN with text that the network kept a copy of opens once more when the connection is
 * over, which is what Fast Open costs (RFC 7413 2.1), and so does the first segment after a SYN
 * that a cookie answered (RFC 4987 3.6).  Its client knows nothing of it, and may have begun
 * another from the same port, or have closed before it was accepted. */
static bool
is_ghost(const struct host *h, const struct flow *w, const struct sock *s)
{
	struct host_isn irs = host_irs(h, s);

	if (w && w->iss.known && irs.known)
		return !seq_eq(w->iss.seq, irs.seq);
	if (w && w->end[0].s && w->end[0].s->conn)
		return true; /* over before it was told of, and its client is not */
	return s->conn && (s->conn->flags & TCPF_FASTOPEN);
}

static void
accepted(struct flows *f, unsigned server, struct sock *s)
{
	struct flow *w = flow_of_port(f, server, s->name.rport);

	if (w)
		note_isn(w);
	if (is_ghost(&f->host[server], w, s)) {
		host_abort(&f->host[server], s);
		return;
	}
	/* Died before it was accepted, or an end of it has left. */
	if (!(sock_facts(s) & SOCK_CONNECTED) || !w) {
		if ((sock_facts(s) & SOCK_CONNECTED) && !swarm_lenient(f->swarm) &&
		    !one_left(f, server, s->name.rport)) {
			f->broken = "accepted a connection that nobody made";
			(void)snprintf(f->what, sizeof f->what, "from port %u", s->name.rport);
		}
		host_abort(&f->host[server], s);
		return;
	}
	w->end[1].s = s;
	w->end[1].connected = true;
	atomic_store(&s->opt_bits, w->plan->end[1].opt_bits);
	(void)sock_ask(f->host[server].ch, s, 0);
}

static bool
accept_all(struct flows *f, unsigned host)
{
	struct sock *s;
	bool any = false;

	if (!f->listener[host] || now_of(f) < f->accept_at[host])
		return false;
	while ((s = host_accept(&f->host[host], f->listener[host]))) {
		accepted(f, host, s);
		any = true;
		f->accept_at[host] = now_of(f) + f->swarm->accept_pause;
		if (f->swarm->accept_pause)
			break;
	}
	return any;
}

/* --------------------------------------------------------------- transfer -- */

/* As MSG_OOB does it: where urgent text ends is said before it is written. */
static void
write_urgent(struct flow_end *e, uint32_t end)
{
	uint16_t req = sock_requests(e->s);

	atomic_store(&e->s->snd_urgent, end);
	atomic_store(&e->s->req, (uint16_t)(req | SOCK_REQ_URGENT));
	e->urgent = end;
}

/* Nobody is told of urgent text that there is not; and everybody of that which there was, once
 * all is read.  A SYN's text may be urgent for nobody, and attackers may announce anything. */
static void
judge_urgent(struct flows *f, struct flow *w, unsigned k, bool all_read)
{
	const struct sock *s = w->end[k].s;
	uint32_t said = w->end[!k].urgent;

	if (f->swarm->attack_every)
		return;
	if ((sock_facts(s) & SOCK_URGENT) && atomic_load(&s->rcv_urgent) >= said)
		broken(f, w, k, "told of urgent text that there is not");
	if (all_read && said && !w->plan->fastopen && !(sock_facts(s) & SOCK_URGENT))
		broken(f, w, k, "never told of urgent text");
}

/* Whether the next byte may be written: if a record ends in front of it that has been said. */
static bool
end_record(struct flows *f, struct flow *w, unsigned k)
{
	struct flow_end *e = &w->end[k];
	struct sock_addr local, peer;

	if (!w->plan->record || e->written == 0 || e->written % w->plan->record != 0)
		return true;
	local = sock_local(e->s);
	peer = sock_peer(e->s);
	watch_records(f->watch, &local, &peer, w->plan->record);
	return host_end_record(host_of(f, w, k), e->s);
}

static void
write_some(struct flows *f, struct flow *w, unsigned k)
{
	const struct swarm_end *plan = &w->plan->end[k];
	struct flow_end *e = &w->end[k];
	uint8_t buf[GULP_MAX];

	e->starved = false;
	while (e->written < plan->total && now_of(f) >= e->write_at) {
		uint32_t n = min(min(plan->slice, plan->total - e->written), GULP_MAX), put;

		if (!end_record(f, w, k)) {
			e->starved = true;
			return;
		}
		if (w->plan->record)
			n = min(n, w->plan->record - e->written % w->plan->record);
		for (uint32_t i = 0; i < n; i++)
			buf[i] = byte_at(f, w->id, k, e->written + i);
		if (w->plan->urgent && buf[n - 1] % 4 == 0)
			write_urgent(e, e->written + n);
		put = host_write(host_of(f, w, k), e->s, buf, n);
		e->written += put;
		if (put < n) {
			e->starved = true;
			return;
		}
		if (plan->pause)
			e->write_at = now_of(f) + plan->pause;
	}
}

static void
judge(struct flows *f, struct flow *w, unsigned k, const uint8_t *buf, uint32_t n)
{
	struct flow_end *e = &w->end[k];

	for (uint32_t i = 0; i < n; i++)
		if (buf[i] != byte_at(f, w->id, !k, e->got + i)) {
			broken(f, w, k, "read a wrong byte");
			return;
		}
	e->got += n;
	f->bytes += n;
	if (e->got > w->end[!k].written)
		broken(f, w, k, "read more than was written");
}

static void
read_some(struct flows *f, struct flow *w, unsigned k)
{
	const struct swarm_end *plan = &w->plan->end[k];
	struct flow_end *e = &w->end[k];
	uint8_t buf[GULP_MAX];
	uint32_t n;

	e->more_to_read = false;
	while (host_readable(e->s) > 0 && !f->broken) {
		if (now_of(f) < e->read_at ||
		    (plan->lazy && rng_chance_ppm(&f->rng, plan->lazy))) {
			e->more_to_read = true;
			if (now_of(f) >= e->read_at)
				e->read_at = now_of(f) + MS(1 + rng_below(&f->rng, 20));
			return;
		}
		n = host_read(host_of(f, w, k), e->s, buf, plan->gulp);
		judge(f, w, k, buf, n);
		judge_urgent(f, w, k, e->got == w->plan->end[!k].total);
		if (plan->lazy) {
			e->read_at = now_of(f) + MS(1 + rng_below(&f->rng, 20));
			e->more_to_read = host_readable(e->s) > 0;
			return;
		}
	}
}

/* ----------------------------------------------------------------- ending -- */

static void
end_done(struct flows *f, struct flow *w, unsigned k, bool failed)
{
	struct flow_end *e = &w->end[k];

	e->s = NULL;
	e->done = true;
	e->failed = failed;
	if (failed)
		f->failed++;
}

static void
failed(struct flows *f, struct flow *w, unsigned k)
{
	struct flow_end *e = &w->end[k];

	if (!may_fail(f, w, k)) {
		broken(f, w, k, "lost its connection");
		return;
	}
	host_close(host_of(f, w, k), e->s);
	end_done(f, w, k, true);
}

static bool
wants_to_end(const struct flow *w, unsigned k)
{
	const struct flow_end *e = &w->end[k];
	uint16_t facts = sock_facts(e->s);
	bool all_read = e->got == w->plan->end[!k].total;

	if (e->written < w->plan->end[k].total)
		return false;
	switch (w->plan->end[k].mode) {
	case SWARM_CLOSE:
		return all_read;
	case SWARM_LINGER:
		return host_eof(e->s) && (facts & (SOCK_FIN_ACKED | SOCK_OVER));
	case SWARM_SHUT:
	case SWARM_N_MODES:
		break;
	}
	return host_eof(e->s);
}

static void
finish(struct flows *f, struct flow *w, unsigned k)
{
	const struct swarm_end *plan = &w->plan->end[k];
	struct flow_end *e = &w->end[k];
	struct host *h = host_of(f, w, k);

	if (e->written + e->got >= plan->abort_after) {
		if (plan->gently)
			host_close(h, e->s);
		else
			host_abort(h, e->s);
		end_done(f, w, k, true);
		return;
	}
	if (e->written == plan->total && !e->shut && plan->mode != SWARM_CLOSE) {
		e->shut = true;
		host_shutdown(h, e->s);
	}
	if (host_eof(e->s) && e->got < w->plan->end[!k].total) {
		failed(f, w, k); /* the stream ended early */
		return;
	}
	if (sock_facts(e->s) & SOCK_ERROR) {
		failed(f, w, k);
		return;
	}
	if (wants_to_end(w, k)) {
		host_close(h, e->s);
		end_done(f, w, k, false);
	}
}

/* Between two writes, waiting for nothing but its own clock. */
static bool
paces(const struct flow *w, unsigned k)
{
	const struct flow_end *e = &w->end[k];

	return w->plan->end[k].pause && e->written < w->plan->end[k].total && !e->starved &&
	       !e->connecting && !(sock_facts(e->s) & SOCK_OVER);
}

static bool
pause_over(const struct flows *f, const struct flow *w, unsigned k)
{
	const struct flow_end *e = &w->end[k];
	int64_t now = now_of(f);

	if (e->more_to_read && now >= e->read_at)
		return true;
	return paces(w, k) && now >= e->write_at;
}

static bool
end_act(struct flows *f, struct flow *w, unsigned k, bool woken)
{
	struct flow_end *e = &w->end[k];

	if (!e->s)
		return false;
	if (!host_news(host_of(f, w, k), e->s) && !(woken && e->starved) &&
	    !pause_over(f, w, k))
		return false;
	if (e->connecting) {
		if (sock_facts(e->s) & SOCK_CONNECTED) {
			connected(f, w, k);
		} else {
			if (sock_facts(e->s) & SOCK_ERROR)
				connect_failed(f, w, k);
			return true;
		}
	}
	if (!(sock_facts(e->s) & SOCK_OVER))
		write_some(f, w, k);
	read_some(f, w, k);
	if (!f->broken)
		finish(f, w, k);
	return true;
}

/* ------------------------------------------------------------------- all -- */

void
flows_init(struct flows *f, const struct swarm *s, struct host host[2],
           struct watch *watch, uint64_t seed)
{
	struct ip_addr any = ip_addr_v4(0);

	memset(f, 0, sizeof *f);
	f->swarm = s;
	f->host = host;
	f->watch = watch;
	f->rng.state = seed;
	f->n = s->n_flows;
	for (unsigned i = 0; i < 2; i++) {
		f->listener[i] = host_socket(&host[i]);
		if (s->v6)
			atomic_fetch_or(&f->listener[i]->opt_bits, SOCK_OPT_V6);
		if (host_bind(&host[i], f->listener[i], &any, SWARM_PORT) ||
		    host_listen(&host[i], f->listener[i], s->backlog))
			f->broken = "cannot listen";
	}
	for (unsigned i = 0; i < f->n; i++) {
		f->flow[i].plan = &s->flow[i];
		f->flow[i].id = i;
		for (unsigned k = 0; k < 2; k++)
			f->flow[i].end[k].try_at = s->flow[i].start;
	}
}

/* One end: what it does of its own accord, or because it was told something. */
static bool
flow_act(struct flows *f, struct flow *w, unsigned k, bool woken)
{
	struct flow_end *e = &w->end[k];
	bool any = false;

	note_isn(w);
	if (connects(w, k) && !e->s && !e->done && now_of(f) >= e->try_at) {
		try_connect(f, w, k);
		any = true;
	}
	return end_act(f, w, k, woken) || any;
}

/* Host 0's program ends: everything is to be finished, and then let go of. */
static bool
quiesce(struct flows *f)
{
	struct host *h = &f->host[0];

	if (f->quiesced || now_of(f) < f->swarm->quiesce_at)
		return false;
	if (!f->quiescing) {
		h->ch->call.value = f->swarm->quiesce_ms;
		host_ask(h, SOCK_CALL_QUIESCE, NULL);
		return f->quiescing = true;
	}
	if (!host_call_done(h))
		return false;
	for (unsigned i = 0; i < f->n; i++) {
		unsigned k = f->flow[i].plan->client == 0 ? 0 : 1;
		struct flow_end *e = &f->flow[i].end[k];

		if (e->s)
			host_close(h, e->s);
		if (!e->done)
			end_done(f, &f->flow[i], k, true);
	}
	return f->quiesced = true;
}

bool
flows_act(struct flows *f, unsigned host)
{
	bool woken = f->host[host].woken, any = woken;

	if (host == 0 && f->quiescing && !f->quiesced)
		return quiesce(f); /* the program waits for its call */
	if (!woken && now_of(f) < f->next)
		return false;
	if (woken)
		host_drain(&f->host[host]);
	any |= accept_all(f, host);
	for (unsigned i = 0; i < f->n && !f->broken; i++) {
		struct flow *w = &f->flow[i];

		any |= flow_act(f, w, w->plan->client == host ? 0 : 1, woken);
	}
	if (host == 0)
		any |= quiesce(f);
	if (any)
		f->next = now_of(f);
	else
		host_rest(&f->host[host]);
	return any;
}

/* The last window that an end showed its peer was none, and it has nothing left to read.
 * Before its handshake is over it can show no other (RFC 7413). */
static bool
shut_out(const struct flows *f, const struct flow *w, unsigned k)
{
	const struct flow_end *e = &w->end[k];
	const struct watch_dir *d;
	struct sock_addr local, peer;

	if (e->s && e->s->conn && e->s->conn->state == TCP_SYN_RCVD)
		return false;
	if (!e->s || !e->connected || host_readable(e->s) ||
	    (sock_facts(e->s) & (SOCK_PEER_FIN | SOCK_OVER)))
		return false;
	local = sock_local(e->s);
	peer = sock_peer(e->s);
	d = watch_find(f->watch, &local, &peer);
	return d && d->acked_any && seq_eq(d->ack, d->offer);
}

void
flows_check_windows(struct flows *f)
{
	if (now_of(f) < f->windows_at || (f->quiescing && !f->quiesced))
		return;
	f->windows_at = now_of(f) + NS_PER_S;
	for (unsigned i = 0; i < f->n; i++)
		for (unsigned k = 0; k < 2; k++) {
			struct flow *w = &f->flow[i];
			bool before = w->end[k].shut_out;

			w->end[k].shut_out = shut_out(f, w, k);
			if (before && w->end[k].shut_out)
				broken(f, w, k, "keeps its window closed");
		}
}

/* What was closed has been reset, to make room, and perhaps nothing else ever happens: it may be
 * the last thing.  Whose other end is held by a program does not ask: in a blackout it would give
 * up what is alive. */
bool
flows_note_orphans(struct flows *f)
{
	bool any = false;

	for (unsigned i = 0; i < 2; i++)
		f->orphans |= stack_fate_count(f->host[i].st, ORPHAN_RESET) > 0;
	for (unsigned i = 0; f->orphans && i < 2 * f->n; i++) {
		struct flow *w = &f->flow[i / 2];
		struct sock *s = w->end[i % 2].s;

		if (!s || !w->end[!(i % 2)].done ||
		    (atomic_load(&s->opt_bits) & SOCK_OPT_KEEPALIVE))
			continue;
		atomic_fetch_or(&s->opt_bits, SOCK_OPT_KEEPALIVE);
		(void)sock_ask(host_of(f, w, i % 2)->ch, s, 0);
		any = true;
	}
	return any;
}

static int64_t
end_next(const struct flows *f, const struct flow *w, unsigned k)
{
	const struct flow_end *e = &w->end[k];
	int64_t at = TIME_NEVER;

	if (f->quiescing && !f->quiesced && w->plan->client == k)
		return TIME_NEVER; /* host 0's */
	if (!e->s)
		return connects(w, k) && !e->done ? e->try_at : TIME_NEVER;
	if (e->more_to_read)
		at = min(at, e->read_at);
	if (paces(w, k))
		at = min(at, e->write_at);
	return at;
}

/* Flow 1 may have waited for the end of flow 0. */
static void
start_successor(struct flows *f)
{
	struct flow_end *e = &f->flow[1].end[0];

	if (f->n > 1 && e->try_at == TIME_NEVER && f->flow[0].end[0].done &&
	    f->flow[0].end[1].done)
		e->try_at = now_of(f) + MS(rng_below(&f->rng, 1000));
}

int64_t
flows_next(struct flows *f)
{
	int64_t at = TIME_NEVER;

	start_successor(f);
	for (unsigned i = 0; i < f->n; i++)
		at = min(at, min(end_next(f, &f->flow[i], 0), end_next(f, &f->flow[i], 1)));
	for (unsigned i = 0; i < 2; i++)
		if (f->listener[i] && f->accept_at[i] > now_of(f))
			at = min(at, f->accept_at[i]);
	if (!f->quiescing)
		at = min(at, max(f->swarm->quiesce_at, now_of(f) + MS(10)));
	return f->next = at;
}

bool
flows_done(const struct flows *f)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!f->flow[i].end[0].done || !f->flow[i].end[1].done)
			return false;
	return true;
}

void
flows_forgive(struct flows *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct flow *w = &f->flow[i];

		if (may_fail(f, w, 1) && w->end[0].done && !w->end[1].s)
			w->end[1].done = true;
	}
}

void
flows_close_listeners(struct flows *f)
{
	for (unsigned i = 0; i < 2; i++) {
		host_close(&f->host[i], f->listener[i]);
		f->listener[i] = NULL;
	}
}

void
flows_print(const struct flows *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		const struct flow *w = &f->flow[i];

		for (unsigned k = 0; k < 2; k++) {
			const struct flow_end *e = &w->end[k];
			const struct tcp_conn *c = e->s ? e->s->conn : NULL;

			if (e->done)
				continue;
			printf("  flow %u %s port %u: wrote %u of %u, read %u of %u%s%s%s, "
			       "facts %x err %d, %s\n",
			       i, k ? "server" : "client", w->lport, e->written,
			       w->plan->end[k].total, e->got, w->plan->end[!k].total,
			       e->shut ? ", shut" : "", e->starved ? ", starved" : "",
			       e->more_to_read ? ", lazy" : "", e->s ? sock_facts(e->s) : 0u,
			       e->s ? e->s->err : 0, c ? tcp_facts[c->state].name : "-");
		}
	}
}
