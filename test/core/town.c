/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/core/town.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <sys/mman.h>

#include "test/base/memory.h"

#define TICK US(20)
#define CALM 8u /* ticks after which nothing can be on the wire any more */

static void
core_open(struct town *t, unsigned side, unsigned core)
{
	struct town_side *s = &t->side[side];
	struct io *io = io_mem_end(t->wire, side, core);
	struct stack_cfg c;

	host_cfg(&c, side, 100 * (side + 1) + core);
	c.core = core;
	c.cores = s->cores;
	c.max_conns = c.max_socks = TOWN_TALKS;
	c.max_half_open = TOWN_TALKS;
	if (t->tune)
		t->tune(&c, side, core);
	host_init_on(&s->core[core], &c, t->clock, &io, SEC(100));
	if (s->hall)
		CU_ASSERT_TRUE_FATAL(stack_join(s->core[core].st, s->view[core]));
}

/* One hall, or a view of it for each process. */
static void
hall_open(struct town_side *s, unsigned per, const uint8_t key[RSS_KEY_LEN])
{
	struct hall_plan p = { .cores = s->cores, .mine = per, .frame = 1536, .frames = 64 };

	memcpy(p.key, key, sizeof p.key);
	s->per = per;
	s->hall_mem = memory_new(per ? hall_shared_size(&p) : hall_size(s->cores));
	if (!per)
		s->hall = hall_new(&s->hall_mem, s->cores, key);
	for (unsigned i = 0; i < s->cores; i++) {
		if (per && i % per == 0) {
			p.first = i;
			s->view_mem[i] = memory_new(hall_own_size(&p));
			s->hall = hall_share(&s->view_mem[i], &p, s->hall_mem.base);
			CU_ASSERT_PTR_NOT_NULL_FATAL(s->hall);
		}
		s->view[i] = s->hall;
	}
}

void
town_open(struct town *t, unsigned cores0, unsigned cores1)
{
	unsigned cores[2] = { cores0, cores1 };
	uint8_t key[RSS_KEY_LEN];

	t->n_served = t->n_talks = 0;
	t->clock_cfg = (struct net_cfg){ .seed = 1 };
	t->clock = net_new(&t->clock_cfg);
	t->wire = io_mem_wire_new(&t->cfg);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->wire);
	memset(t->side, 0, sizeof t->side);
	for (unsigned side = 0; side < 2; side++) {
		struct town_side *s = &t->side[side];

		s->cores = cores[side];
		for (unsigned i = 0; i < sizeof key; i++)
			key[i] = (uint8_t)rng_u64(&t->rng);
		if (s->cores > 1)
			hall_open(s, side == 0 ? t->per : 0, key);
		for (unsigned i = 0; i < s->cores; i++)
			core_open(t, side, i);
	}
}

void
town_leave(struct town *t, unsigned side, unsigned core)
{
	struct town_side *s = &t->side[side];

	CU_ASSERT_EQUAL_FATAL(core, s->left);
	s->left++;
	stack_delete(s->core[core].st);
}

void
town_kill(struct town *t, unsigned side, unsigned core)
{
	struct town_side *s = &t->side[side];
	struct host *h = &s->core[core];

	h->st->steer.hall = NULL;
	stack_delete(h->st); /* its buffers go with its memory */
	s->dead[core] = true;
	s->deaths++;
	s->listener[core] = NULL;
	for (unsigned i = 0; i < t->n_served; i++)
		t->served[i].over |= t->served[i].host == h;
	for (unsigned i = 0; i < t->n_talks; i++)
		t->talk[i].over |= t->talk[i].host == h;
}

void
town_revive(struct town *t, unsigned side, unsigned core)
{
	struct town_side *s = &t->side[side];

	host_forget(&s->core[core]);
	s->dead[core] = false;
	core_open(t, side, core);
}

void
town_close(struct town *t)
{
	for (unsigned side = 0; side < 2; side++) {
		struct town_side *s = &t->side[side];
		struct io_mem_stats stats;
		uint64_t held = 0;

		CU_ASSERT_TRUE(s->left > 0 || s->deaths > 0 ||
		               town_out(t, side) == town_in(t, side));
		while (s->left < s->cores) {
			if (s->dead[s->left])
				s->left++;
			else
				town_leave(t, side, s->left);
		}
		for (unsigned i = 0; i < s->cores; i++) {
			io_mem_stats(io_mem_end(t->wire, side, i), &stats);
			held += stats.held;
			host_forget(&s->core[i]);
		}
		CU_ASSERT_EQUAL(held, 0);
		if (s->hall)
			memory_free(&s->hall_mem);
		for (unsigned i = 0; i < s->cores; i++)
			if (s->view_mem[i].base)
				memory_free(&s->view_mem[i]);
	}
	io_mem_wire_free(t->wire);
	net_free(t->clock);
}

/* ---------------------------------------------------------- programs -- */

void
town_listen(struct town *t, unsigned side, unsigned cores)
{
	struct ip_addr any = ip_addr_v4(0);
	struct town_side *s = &t->side[side];

	for (unsigned i = 0; i < s->cores; i++) {
		struct host *h = &s->core[i];

		if (!(cores >> i & 1) || s->listener[i] || s->dead[i])
			continue;
		host_step(h);
		s->listener[i] = host_socket(h);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s->listener[i]);
		CU_ASSERT_EQUAL(host_bind(h, s->listener[i], &any, 80), 0);
		CU_ASSERT_EQUAL(host_listen(h, s->listener[i], TOWN_TALKS), 0);
	}
}

void
town_deaf(struct town *t, unsigned side, unsigned core)
{
	host_close(&t->side[side].core[core], t->side[side].listener[core]);
	t->side[side].listener[core] = NULL;
}

struct town_talk *
town_talk(struct town *t, unsigned side, unsigned core, uint16_t bound, bool keep)
{
	struct host *h = &t->side[side].core[core];
	struct town_talk *k = &t->talk[t->n_talks++];
	struct ip_addr to = host_ip(!side), any = ip_addr_v4(0);

	CU_ASSERT_TRUE_FATAL(t->n_talks <= TOWN_TALKS);
	host_step(h);
	*k = (struct town_talk){ .host = h, .s = host_socket(h), .kept = keep };
	CU_ASSERT_PTR_NOT_NULL_FATAL(k->s);
	if (bound)
		CU_ASSERT_EQUAL(host_bind(h, k->s, &any, bound), 0);
	host_connect(h, k->s, &to, 80);
	return k;
}

void
town_again(struct town_talk *k)
{
	k->said = k->over = false;
	k->got = 0;
}

static void
accept_all(struct town *t, unsigned side, unsigned core)
{
	struct town_side *s = &t->side[side];
	struct sock *conn;

	while (s->listener[core] && (conn = host_accept(&s->core[core], s->listener[core]))) {
		CU_ASSERT_TRUE_FATAL(t->n_served < TOWN_TALKS);
		t->served[t->n_served++] = (struct town_talk){ .host = &s->core[core], .s = conn };
		s->accepted[core]++;
	}
}

static void
serve(struct town_talk *k)
{
	uint8_t text[512];
	uint32_t n;

	if (k->over)
		return;
	while ((n = host_read(k->host, k->s, text, sizeof text)))
		CU_ASSERT_EQUAL(host_write(k->host, k->s, text, n), n);
	k->failed |= (sock_facts(k->s) & SOCK_ERROR) != 0;
	if (!host_eof(k->s) && !k->failed)
		return;
	host_close(k->host, k->s);
	k->over = true;
}

static void
talk(struct town_talk *k)
{
	static const uint8_t text[TOWN_SAYS] = "tell me";
	uint8_t heard[TOWN_SAYS];
	uint32_t n;

	if (k->over)
		return;
	if ((sock_facts(k->s) & SOCK_CONNECTED) && !k->said)
		k->said = host_write(k->host, k->s, text, TOWN_SAYS) == TOWN_SAYS;
	while ((n = host_read(k->host, k->s, heard, sizeof heard)))
		k->got += n;
	k->failed |= (sock_facts(k->s) & SOCK_ERROR) != 0;
	if (k->got < TOWN_SAYS && !k->failed)
		return;
	k->over = true;
	if (!k->kept)
		host_close(k->host, k->s);
}

/* ---------------------------------------------------------------- time -- */

/* All that a core has lies in one mapping; the hall and the wire lie elsewhere. */
static void
fence(const struct town *t, const struct host *but, int access)
{
	for (unsigned side = 0; t->fenced && side < 2; side++)
		for (unsigned i = 0; i < t->side[side].cores; i++)
			if (&t->side[side].core[i] != but)
				CU_ASSERT_EQUAL(mprotect(t->side[side].core[i].mem,
				                         t->side[side].core[i].mem_size, access), 0);
}

static void
step(const struct town *t, struct host *h)
{
	fence(t, h, PROT_NONE);
	host_step(h);
	fence(t, h, PROT_READ | PROT_WRITE);
}

static void
tick(struct town *t)
{
	for (unsigned side = 0; side < 2; side++) {
		for (unsigned i = t->side[side].left; i < t->side[side].cores; i++) {
			if (t->side[side].dead[i])
				continue;
			step(t, &t->side[side].core[i]);
			host_drain(&t->side[side].core[i]);
			accept_all(t, side, i);
		}
	}
	for (unsigned i = 0; i < t->n_served; i++)
		serve(&t->served[i]);
	for (unsigned i = 0; i < t->n_talks; i++)
		talk(&t->talk[i]);
}

/* The next moment at which anybody wants anything, or the next tick. */
static int64_t
next_tick(const struct town *t, int64_t end)
{
	int64_t now = net_now(t->clock), at = end;

	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = t->side[side].left; i < t->side[side].cores; i++)
			if (!t->side[side].dead[i])
				at = min(at, t->side[side].core[i].deadline);
	return max(at, now + TICK);
}

void
town_run(struct town *t, int64_t ns)
{
	int64_t end = net_now(t->clock) + ns;
	unsigned calm = 0;

	/* What is on the wire shows in no deadline: a few ticks more before time jumps. */
	while (net_now(t->clock) < end) {
		int64_t at = next_tick(t, end);

		calm = at > net_now(t->clock) + TICK ? calm + 1 : 0;
		net_time(t->clock, calm == CALM ? at : net_now(t->clock) + TICK);
		calm %= CALM;
		tick(t);
	}
}

/* ---------------------------------------------------------------- sums -- */

uint64_t
town_fates(const struct town *t, unsigned side, enum fate f)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->side[side].cores; i++)
		n += stack_fate_count(t->side[side].core[i].st, f);
	return n;
}

static uint64_t
sum_of(const struct town *t, unsigned side, size_t offset)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->side[side].cores; i++) {
		const struct stack_stats *s = stack_stats(t->side[side].core[i].st);

		n += atomic_load((const _Atomic uint64_t *)(const void *)((const char *)s + offset));
	}
	return n;
}

uint64_t
town_out(const struct town *t, unsigned side)
{
	return sum_of(t, side, offsetof(struct stack_stats, handed_out));
}

uint64_t
town_in(const struct town *t, unsigned side)
{
	return sum_of(t, side, offsetof(struct stack_stats, handed_in));
}

uint64_t
town_dropped(const struct town *t, unsigned side)
{
	return sum_of(t, side, offsetof(struct stack_stats, handed_dropped));
}

unsigned
town_exceptions(const struct town *t, unsigned side)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->side[side].cores; i++)
		n += t->side[side].core[i].st->steer.kept.away_map.n +
		     t->side[side].core[i].st->steer.kept.guest_map.n;
	return n;
}

unsigned
town_heard(const struct town *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_talks; i++)
		n += t->talk[i].got == TOWN_SAYS && !t->talk[i].failed;
	return n;
}

unsigned
town_anywhere(void *arg, unsigned side, unsigned queue, const uint8_t *frame, uint32_t len)
{
	struct town *t = arg;

	(void)queue;
	(void)frame;
	(void)len;
	return side == 1 ? rng_below(&t->rng, max(t->cfg.queues, 1u)) : 0;
}

void
town_open_random(struct town *t, unsigned cores, unsigned queues)
{
	memset(t, 0, offsetof(struct town, side));
	t->tune = NULL;
	t->fenced = false;
	t->rng = (struct rng){ 17 };
	t->cfg = (struct io_mem_config){ .queues = queues, .idle = cores - queues,
		                         .steer = town_anywhere, .steer_arg = t };
	town_open(t, cores, 1);
}

void
town_check_accounts(const struct town *t, unsigned side)
{
	uint64_t ends = 0, rx = 0;

	for (unsigned i = 0; i < t->side[side].cores; i++)
		rx += atomic_load(&stack_stats(t->side[side].core[i].st)->rx_pkts);
	for (unsigned f = 0; f < N_FATES; f++)
		ends += f == HANDED_OVER ? 0 : town_fates(t, side, (enum fate)f);
	CU_ASSERT_EQUAL(ends - town_fates(t, side, DROP_ICMP_QUOTE), rx);
	CU_ASSERT_EQUAL(town_fates(t, side, HANDED_OVER), town_out(t, side));
	CU_ASSERT_EQUAL(town_out(t, side), town_in(t, side));
	CU_ASSERT_EQUAL(town_dropped(t, side), 0);
	CU_ASSERT_EQUAL(town_fates(t, side, DROP_NO_CONN), 0);
}
