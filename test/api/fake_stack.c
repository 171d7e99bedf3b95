/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/api/fake_stack.h"

#include <CUnit/CUnit.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "tcp/tcp_eor.h"

#define MEM_SIZE (2u << 20)

static struct fake_stack *
of_pair(struct pair *p)
{
	return container_of(p, struct fake_stack, pair);
}

/* -- the pair ------------------------------------------------------------- */

static void
fake_wake(struct pair *p)
{
	of_pair(p)->wakes++;
}

static uint32_t
fake_posted(struct pair *p)
{
	return of_pair(p)->posted;
}

static int
fake_wait(struct pair *p, uint32_t seen, int64_t deadline)
{
	struct fake_stack *f = of_pair(p);
	fake_script *script = f->script;

	f->waits++;
	fake_step(f);
	if (f->posted != seen)
		return 0;
	f->script = NULL;
	if (script && deadline > 0)
		script(f, f->script_arg);
	fake_step(f);
	if (f->posted != seen)
		return 0;
	if (deadline == TIME_NEVER)
		return -EINTR;
	f->now = max(f->now, deadline);
	return -ETIMEDOUT;
}

static int64_t
fake_now(struct pair *p)
{
	return of_pair(p)->now;
}

static int
fake_fd(struct pair *p)
{
	(void)p;
	return 99;
}

static bool
fake_arm(struct pair *p, uint32_t seen)
{
	struct fake_stack *f = of_pair(p);

	if (f->posted != seen)
		return false;
	f->armed = true;
	return true;
}

static void
fake_ring(struct pair *p)
{
	struct fake_stack *f = of_pair(p);

	f->rung = f->rung || f->armed;
}

static void
fake_disarm(struct pair *p)
{
	struct fake_stack *f = of_pair(p);

	f->armed = false;
	f->rung = false;
}

static const struct pair_ops fake_ops = {
	.wake_stack = fake_wake,
	.posted = fake_posted,
	.wait = fake_wait,
	.now = fake_now,
	.fd = fake_fd,
	.arm = fake_arm,
	.ring = fake_ring,
	.disarm = fake_disarm,
};

/* -- set-up --------------------------------------------------------------- */

static void
make_channel(struct fake_stack *f, struct region *mem)
{
	struct channel *ch = &f->ch;
	uint8_t *chunks;

	ch->n_socks = FAKE_SOCKS;
	ch->socks = region_take(mem, FAKE_SOCKS * sizeof *ch->socks);
	CU_ASSERT_FATAL(spsc_init_numbers(&ch->jobs, mem, 2 * FAKE_SOCKS + 1));
	CU_ASSERT_FATAL(spsc_init_numbers(&ch->events, mem, FAKE_SOCKS));
	CU_ASSERT_FATAL(spsc_init_numbers(&ch->ids, mem, FAKE_SOCKS));
	CU_ASSERT_FATAL(spsc_init(&ch->chunks_down, mem, 2));
	CU_ASSERT_FATAL(spsc_init(&ch->chunks_up, mem, FAKE_CHUNKS));
	chunks = region_take(mem, (size_t)FAKE_CHUNKS * CHUNK_SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(chunks);
	for (unsigned i = 0; i < FAKE_CHUNKS; i++)
		chunk_list_put(&f->chunks, (struct chunk *)(void *)(chunks + i * CHUNK_SIZE));
}

void
fake_init(struct fake_stack *f)
{
	fake_init_on(f, &f->pair);
}

void
fake_init_on(struct fake_stack *f, struct pair *pair)
{
	struct region mem = { .size = MEM_SIZE };

	memset(f, 0, sizeof *f);
	f->mem = aligned_alloc(CACHE_LINE, MEM_SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->mem);
	memset(f->mem, 0, MEM_SIZE);
	mem.base = f->mem;
	f->pair.ops = &fake_ops;
	f->now = SEC(1);
	make_channel(f, &mem);
	for (uint32_t n = FAKE_SOCKS; n-- > 0;)
		f->free_ids[f->n_free++] = n;
	context_init(&f->ctx, &f->ch, pair);
	fake_step(f);
}

static struct sock *
at(struct fake_stack *f, int n)
{
	CU_ASSERT_FATAL(n >= 0 && (uint32_t)n < FAKE_SOCKS);
	return &f->ch.socks[n];
}

void
fake_fini(struct fake_stack *f)
{
	for (uint32_t n = 0; n < FAKE_SOCKS; n++)
		if (ref_at(&f->ctx, n)->type == MTCP_SOCK_STREAM ||
		    ref_at(&f->ctx, n)->type == MTCP_SOCK_LISTENER)
			sockref_close(&f->ctx, ref_at(&f->ctx, n), SOCK_REQ_ABORT);
	context_fini(&f->ctx);
	context_return_chunks(&f->ctx, true);
	while (f->ctx.empty.n)
		chunk_list_put(&f->chunks, chunk_list_get(&f->ctx.empty));
	f->starve = true;
	fake_step(f);
	context_drain(&f->ctx);
	fake_step(f);
	for (uint64_t word; spsc_pop(&f->ch.chunks_down, &word);)
		f->chunks.n += CHANNEL_BATCH;
	CU_ASSERT_EQUAL(f->chunks.n, FAKE_CHUNKS);
	free(f->mem);
}

/* -- a step --------------------------------------------------------------- */

static void
tell(struct fake_stack *f, struct sock *s, uint16_t facts)
{
	sock_tell(&f->ch, s, facts);
	f->posted++;
}

/* Only whoever was refused hears that there is room again. */
static void
tell_space(struct fake_stack *f, struct sock *s)
{
	struct fake_sock *fs = &f->sock[sock_number(&f->ch, s)];
	uint32_t want = atomic_load(&s->want_space);

	if (want == fs->told_space ||
	    stream_used(&s->snd_w, &s->snd_r) > atomic_load(&s->snd_limit) / 3 * 2)
		return;
	fs->told_space = want;
	tell(f, s, 0);
}

static void
drop_streams(struct fake_stack *f, struct sock *s)
{
	if (atomic_load(&s->snd_w.marked))
		tcp_eor_free(atomic_load(&s->eor), &f->chunks);
	stream_dismantle(&s->snd_w, &s->snd_r, &f->chunks);
	stream_dismantle(&s->rcv_w, &s->rcv_r, &f->chunks);
}

static void
bury(struct fake_stack *f, struct sock *s)
{
	uint32_t n = sock_number(&f->ch, s);

	drop_streams(f, s);
	f->sock[n] = (struct fake_sock){ .req = sock_requests(s) };
	atomic_store(&s->req, 0);
	atomic_store(&s->facts, 0);
	atomic_store(&s->opt_bits, 0);
	atomic_store(&s->accepts, 0);
	atomic_store(&s->accepted, 0);
	atomic_store(&s->want_space, 0);
	s->err = 0;
	s->goodbye = false;
	f->free_ids[f->n_free++] = n;
}

static void
do_job(struct fake_stack *f, struct sock *s)
{
	uint16_t req = sock_requests(s);
	struct fake_sock *fs = &f->sock[sock_number(&f->ch, s)];

	fs->wakes++;
	if (req & SOCK_REQ_CONNECT)
		fs->connecting = true;
	if (s->goodbye)
		s->kind = SOCK_KIND_DYING;
	else if (!(req & SOCK_REQ_CLOSE))
		tell_space(f, s);
}

/* Numbers that were closed are free when no event of theirs is on the ring. */
static void
bury_the_dead(struct fake_stack *f)
{
	for (uint32_t n = 0; n < FAKE_SOCKS; n++) {
		struct sock *s = &f->ch.socks[n];

		if (s->kind != SOCK_KIND_DYING || s->events_pushed != atomic_load(&s->events_taken))
			continue;
		s->kind = SOCK_KIND_FREE;
		bury(f, s);
	}
}

static int
do_bind(struct fake_stack *f, struct sock_call *call)
{
	struct sock_addr *a = &call->addr;

	if (ip_addr_is_v4(&a->ip) && ip_addr_v4_host(&a->ip) == 0x7f000001)
		return EADDRNOTAVAIL;
	if (a->port == 0)
		a->port = to_u16(40000 + call->sock);
	for (uint32_t n = 0; n < FAKE_SOCKS; n++)
		if (f->sock[n].port == a->port)
			return EADDRINUSE;
	f->sock[call->sock].port = a->port;
	sock_set_local(&f->ch.socks[call->sock], a);
	return 0;
}

static void
do_unconnect(struct fake_stack *f, struct sock *s)
{
	drop_streams(f, s);
	f->sock[sock_number(&f->ch, s)].connecting = false;
	atomic_store(&s->facts, 0);
	s->err = 0;
}

static int
do_key(struct fake_stack *f, struct sock_call *call)
{
	if (call->value > 0) {
		memcpy(f->fastopen_key, call->key, (size_t)call->value);
		f->fastopen_key_len = call->value;
		return 0;
	}
	memcpy(call->key, f->fastopen_key, sizeof call->key);
	call->value = f->fastopen_key_len;
	return 0;
}

static int
do_call(struct fake_stack *f, struct sock_call *call)
{
	switch (call->op) {
	case SOCK_CALL_BIND:
		return do_bind(f, call);
	case SOCK_CALL_LISTEN:
		f->sock[call->sock].listening = call->value > 0;
		return 0;
	case SOCK_CALL_SET:
		f->sock[call->sock].option[call->option] = call->value;
		return 0;
	case SOCK_CALL_GET:
		call->value = f->sock[call->sock].option[call->option];
		return 0;
	case SOCK_CALL_INFO:
		call->info = (struct tcp_info_data){ .state = 1, .rto_ns = MS(204), .snd_mss = 1448 };
		return 0;
	case SOCK_CALL_NAME:
		call->addr = sock_local(&f->ch.socks[call->sock]);
		return 0;
	case SOCK_CALL_UNCONNECT:
		do_unconnect(f, &f->ch.socks[call->sock]);
		return 0;
	case SOCK_CALL_FASTOPEN_ROOM:
		call->value = f->fastopen_room;
		return 0;
	case SOCK_CALL_FASTOPEN_KEY:
		return do_key(f, call);
	default:
		return 0;
	}
}

static void
answer(struct fake_stack *f)
{
	struct sock_call *call = &f->ch.call;

	call->err = do_call(f, call);
	atomic_store(&call->done, atomic_load(&call->asked));
	f->posted++;
}

static void
take_chunks_up(struct fake_stack *f)
{
	uint64_t word;

	while (spsc_pop(&f->ch.chunks_up, &word)) {
		struct chunk *k = (struct chunk *)(uintptr_t)word;

		while (k) {
			struct chunk *next = atomic_load(&k->next);

			chunk_list_put(&f->chunks, k);
			k = next;
		}
	}
}

static void
send_chunks_down(struct fake_stack *f)
{
	while (!f->starve && f->chunks.n > CHANNEL_BATCH && spsc_room(&f->ch.chunks_down) > 0) {
		struct chunk_list l = { 0 };

		while (l.n < CHANNEL_BATCH)
			chunk_list_put(&l, chunk_list_get(&f->chunks));
		spsc_push(&f->ch.chunks_down, (uintptr_t)l.first);
	}
}

void
fake_step(struct fake_stack *f)
{
	uint32_t job[FAKE_JOBS];
	unsigned n;

	while ((n = sock_take_jobs(&f->ch, job, array_len(job)))) {
		for (unsigned i = 0; i < n; i++) {
			struct sock *s = sock_of_job(&f->ch, job[i]);

			if (s)
				do_job(f, s);
			else
				answer(f);
		}
	}
	take_chunks_up(f);
	bury_the_dead(f);
	send_chunks_down(f);
	while (f->n_free > FAKE_SOCKS / 2 && spsc_room(&f->ch.ids) > FAKE_SOCKS - FAKE_IDS)
		spsc_push_number(&f->ch.ids, f->free_ids[--f->n_free]);
}

/* -- what happens to connections ------------------------------------------ */

static void
set_addresses(struct sock *s, uint16_t local, const struct sock_addr *peer)
{
	sock_set_local(s, &(struct sock_addr){ ip_addr_v4(0x0a000001), local });
	sock_set_peer(s, peer);
	atomic_store(&s->snd_limit, FAKE_SND_LIMIT);
	atomic_store(&s->rcv_step, 2048);
}

uint32_t
fake_accept(struct fake_stack *f, int parent, uint16_t peer_port)
{
	struct sock_addr peer = { ip_addr_v4(0x0a000002), peer_port };
	uint32_t n;
	struct sock *s;

	CU_ASSERT_FATAL(f->n_free > 0);
	n = f->free_ids[--f->n_free];
	s = &f->ch.socks[n];
	s->kind = SOCK_KIND_CONN;
	s->parent = (uint32_t)parent;
	set_addresses(s, f->sock[parent].port, &peer);
	tell(f, s, SOCK_BORN | SOCK_CONNECTED);
	return n;
}

void
fake_establish(struct fake_stack *f, int n)
{
	struct sock *s = at(f, n);
	struct sock_addr peer = sock_peer(s);

	CU_ASSERT(f->sock[n].connecting);
	set_addresses(s, 40000, &peer);
	tell(f, s, SOCK_CONNECTED);
}

void
fake_receive(struct fake_stack *f, int n, const void *data, uint32_t len)
{
	struct sock *s = at(f, n);

	CU_ASSERT_EQUAL(stream_write(&s->rcv_w, &s->rcv_r, &f->chunks, data, len), len);
	tell(f, s, 0);
}

void
fake_fin(struct fake_stack *f, int n)
{
	tell(f, at(f, n), SOCK_PEER_FIN);
}

void
fake_error(struct fake_stack *f, int n, int err)
{
	struct sock *s = at(f, n);

	s->err = (int16_t)err;
	tell(f, s, SOCK_ERROR | SOCK_OVER);
}

void
fake_fact(struct fake_stack *f, int n, uint16_t facts)
{
	tell(f, at(f, n), facts);
}

uint32_t
fake_take(struct fake_stack *f, int n, void *data, uint32_t max)
{
	struct sock *s = at(f, n);
	uint32_t used = stream_used(&s->snd_w, &s->snd_r), len = min(max, used);

	if (data)
		stream_peek(&s->snd_r, &s->snd_w, NULL, 0, data, len);
	stream_consume(&s->snd_r, &s->snd_w, NULL, len, &f->chunks);
	tell_space(f, s);
	return len;
}

void
fake_on_wait(struct fake_stack *f, fake_script *script, void *arg)
{
	f->script = script;
	f->script_arg = arg;
}

/* -- short ways ----------------------------------------------------------- */

int
fake_connected(struct fake_stack *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
	int id = mtcp_socket(&f->ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(id >= 0);
	to.sin_addr.s_addr = htonl(0x0a000002);
	CU_ASSERT_EQUAL(mtcp_connect(&f->ctx, id, (struct sockaddr *)&to, sizeof to), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	fake_step(f);
	fake_establish(f, id);
	context_drain(&f->ctx);
	return id;
}

int
fake_listener(struct fake_stack *f, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int id = mtcp_socket(&f->ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(id >= 0);
	CU_ASSERT_EQUAL(mtcp_bind(&f->ctx, id, (struct sockaddr *)&to, sizeof to), 0);
	CU_ASSERT_EQUAL(mtcp_listen(&f->ctx, id, 16), 0);
	return id;
}
