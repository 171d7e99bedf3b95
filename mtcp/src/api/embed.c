/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack that is its caller's.  The pair of api/pair.h is the caller's own
 * thread: whoever waits runs the stack at the time of the last step, then asks
 * the wait callback to let the world go on.
 *
 * The stack's clock starts at EPOCH whatever the caller's says, so that no time
 * is near 0 or below it; `shift` lies between the two.
 */
#include "mtcp_embed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "api/config.h"
#include "api/config_keys.h"
#include "api/config_text.h"
#include "api/context.h"
#include "api/ports.h"
#include "base/rng.h"
#include "core/stack.h"
#include "io_engine/io_ip.h"

#define EPOCH       SEC(1000)
#define TIME_LIMIT  (INT64_MAX / 2)
#define MTU         1500u
#define AT_ONCE     10000u /* turns of the stack in one step: nothing needs as many */
#define ERROR_ROOM  256u
#define FLAGS       (MTCP_EMBED_TRUST_CHECKSUMS | MTCP_EMBED_FIXED_ISN)

struct mtcp_embed {
	struct pair pair;
	struct mtcp_context ctx;
	struct config *config;
	struct stack *st;
	struct channel *ch;
	struct io *wire;          /* io_ip                                  */
	struct io *io;            /* what stands around it                  */
	struct region mem;
	int64_t shift;            /* stack's clock less caller's            */
	int64_t now, deadline;    /* of the stack's clock                   */
	uint64_t steps;           /* calls of mtcp_embed_step()             */
	uint32_t posted;
	mtcp_embed_wait_t wait;
	void *wait_arg;
	char error[ERROR_ROOM];
};

static int
fail(int err)
{
	errno = err;
	return -1;
}

/* -- time ----------------------------------------------------------------- */

static int64_t
to_stack(const struct mtcp_embed *e, int64_t t)
{
	return max(min(max(t, INT64_C(0)), TIME_LIMIT) + e->shift, e->now);
}

static int64_t
to_caller(const struct mtcp_embed *e, int64_t t)
{
	return t == TIME_NEVER ? MTCP_EMBED_NEVER : t - e->shift;
}

static bool
is_waited_for(const struct mtcp_embed *e)
{
	return io_ip_given(e->wire) > 0 || spsc_ready(&e->ch->jobs);
}

/* Everything that is due at e->now. */
static void
run(struct mtcp_embed *e)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		e->deadline = stack_step(e->st, e->now);
		e->posted += stack_take_posted(e->st);
		if (e->deadline > e->now && !is_waited_for(e))
			return;
	}
}

int64_t
mtcp_embed_step(struct mtcp_embed *e, int64_t now)
{
	e->now = to_stack(e, now);
	e->steps++;
	run(e);
	/* A caller may go on for hours without a call; the stack waits for those who
	 * do not listen before it uses a socket's number again. */
	context_drain(&e->ctx);
	return mtcp_embed_deadline(e);
}

int64_t
mtcp_embed_deadline(const struct mtcp_embed *e)
{
	return to_caller(e, is_waited_for(e) ? e->now : max(e->deadline, e->now));
}

int64_t
mtcp_embed_now(const struct mtcp_embed *e)
{
	return to_caller(e, e->now);
}

/* -- the pair ------------------------------------------------------------- */

static struct mtcp_embed *
of_pair(struct pair *p)
{
	return container_of(p, struct mtcp_embed, pair);
}

/* The next step, or the next wait, finds the jobs. */
static void
embed_wake(struct pair *p)
{
	(void)p;
}

static uint32_t
embed_posted(struct pair *p)
{
	return of_pair(p)->posted;
}

/* What was sent just now is to be taken before the clock moves on. */
static bool
has_sent(const struct mtcp_embed *e)
{
	uint32_t len;
	int64_t at;

	return io_ip_sent(e->wire, &len, &at) != NULL;
}

static int
embed_wait(struct pair *p, uint32_t seen, int64_t deadline)
{
	struct mtcp_embed *e = of_pair(p);
	int64_t until;

	run(e);
	until = has_sent(e) ? e->now : e->deadline;
	for (; e->posted == seen; until = e->deadline) {
		uint64_t steps = e->steps;
		int err;

		if (deadline <= e->now)
			return -ETIMEDOUT;
		if (!e->wait)
			return -EAGAIN;
		err = e->wait(e->wait_arg, to_caller(e, min(deadline, until)));
		if (err < 0)
			return err;
		if (e->steps == steps)
			return -EDEADLK; /* it would be asked for ever */
	}
	return 0;
}

static int64_t
embed_clock(struct pair *p)
{
	return of_pair(p)->now;
}

static int
embed_fd(struct pair *p)
{
	(void)p;
	return fail(EOPNOTSUPP);
}

static bool
embed_arm(struct pair *p, uint32_t seen)
{
	return of_pair(p)->posted == seen;
}

static void
embed_ring(struct pair *p)
{
	(void)p;
}

static const struct pair_ops embed_ops = {
	.wake_stack = embed_wake,
	.posted = embed_posted,
	.wait = embed_wait,
	.now = embed_clock,
	.fd = embed_fd,
	.arm = embed_arm,
	.ring = embed_ring,
	.disarm = embed_ring,
};

mctx_t
mtcp_embed_context(struct mtcp_embed *e)
{
	return &e->ctx;
}

/* -- packets -------------------------------------------------------------- */

int
mtcp_embed_give(struct mtcp_embed *e, const void *packet, size_t len)
{
	int err;

	if (!packet)
		return fail(EFAULT);
	if (len == 0 || len > UINT16_MAX)
		return fail(EMSGSIZE);
	err = io_ip_give(e->wire, packet, (uint32_t)len);
	return err ? fail(-err) : 0;
}

ssize_t
mtcp_embed_take(struct mtcp_embed *e, void *packet, size_t size, int64_t *when)
{
	const uint8_t *sent;
	uint32_t len;
	int64_t at;

	if (!packet)
		return fail(EFAULT);
	sent = io_ip_sent(e->wire, &len, &at);
	if (!sent)
		return 0;
	if (len > size)
		return fail(EMSGSIZE);
	memcpy(packet, sent, len);
	io_ip_drop(e->wire);
	if (when)
		*when = to_caller(e, at);
	return (ssize_t)len;
}

int
mtcp_embed_count(const struct mtcp_embed *e, unsigned n, const char **name, const char **text,
                 uint64_t *count)
{
	if (!count)
		return fail(EFAULT);
	if (!stack_fate_name(n))
		return fail(ENOENT);
	if (name)
		*name = stack_fate_name(n);
	if (text)
		*text = stack_fate_text(n);
	*count = stack_fate_count(e->st, n);
	return 0;
}

/* -- configuration -------------------------------------------------------- */

/* A stream into a text of the caller's, cut where it ends; NULL when there is no text. */
static FILE *
complaints(char *text, size_t size)
{
	if (!text || size == 0)
		return NULL;
	*text = '\0';
	return size > 1 ? fmemopen(text, size, "w") : NULL;
}

static void
complaints_end(FILE *f, char *text, size_t size)
{
	size_t len;

	if (!f)
		return;
	fclose(f);
	text[size - 1] = '\0';
	len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
}

/* Each address of `words` with a prefix: where none stands, that of a host.  NULL: no memory. */
static char *
with_prefixes(const char *words)
{
	char *line = NULL, *copy = strdup(words), *rest = copy, *word;
	size_t len;
	FILE *f = open_memstream(&line, &len);

	if (f && copy) {
		fputs("address =", f);
		while ((word = config_word(&rest)))
			fprintf(f, " %s%s", word,
			        strchr(word, '/') ? "" : strchr(word, ':') ? "/128" : "/32");
	}
	if (f && fclose(f) != 0) {
		free(line);
		line = NULL;
	}
	free(copy);
	return line;
}

static int
set_address(struct config *cfg, const char *address, FILE *err)
{
	char *line = with_prefixes(address);
	int problems = line ? config_set(cfg, line, err) : 1;

	free(line);
	return problems;
}

/* 0 or an errno value. */
static int
read_config(struct config *cfg, const struct mtcp_embed_cfg *want, FILE *err)
{
	int problems = 0;

	config_default(cfg);
	if (want->config && strlen(want->config) > CONFIG_FILE_MAX)
		return EMSGSIZE;
	if (want->config)
		problems = config_parse(cfg, "config", want->config, err);
	if (want->address)
		problems += set_address(cfg, want->address, err);
	cfg->num_cores = 1;
	cfg->gateway = IP_ANY;
	return problems + config_check(cfg, err) == 0 ? 0 : EINVAL;
}

/* The address of `cfg` to speak from when nothing nearer is known; NULL: none of this family. */
static const struct ip_addr *
first_address(const struct config *cfg, bool v4)
{
	for (unsigned i = 0; i < cfg->n_addresses; i++)
		if (ip_addr_is_v4(&cfg->address[i].addr.ip) == v4)
			return &cfg->address[i].addr.ip;
	return NULL;
}

/* Somebody behind whom all others are; no host can have these. */
static struct ip_addr
behind(bool v4)
{
	static const struct ip_addr v6 = { { 0xfe, 0x80, [14] = 0xff, [15] = 0xfe } };

	return v4 ? ip_addr_v4(0xfffffffeu) : v6;
}

static void
route_all(struct stack_cfg *sc, const struct config *cfg, bool v4)
{
	const struct ip_addr *src = first_address(cfg, v4);
	struct route r = {
		.prefix = v4 ? ip_addr_v4(0) : IP_ANY, .len = v4 ? ROUTE_V4 : 0, .gateway = behind(v4),
	};

	if (!src)
		return;
	r.src = *src;
	(void)route_insert(&sc->routes, &r);
}

/* One port, which has all addresses, and behind it all of the world. */
static void
one_wire(struct stack_cfg *sc, const struct config *cfg)
{
	struct stack_port_cfg *port = &sc->port[0];

	sc->n_ports = 1;
	*port = (struct stack_port_cfg){ .mtu = cfg->port[0].ip.mtu ? cfg->port[0].ip.mtu : MTU,
		                         .alone = true };
	route_init(&sc->routes);
	for (unsigned i = 0; i < min(cfg->n_addresses, STACK_PORT_ADDRS_MAX); i++) {
		const struct stack_addr *a = &cfg->address[i].addr;
		struct route r = {
			.prefix = a->ip, .len = a->prefix, .src = a->ip,
			.gateway = behind(ip_addr_is_v4(&a->ip)),
		};

		port->addr[port->n_addrs++] = *a;
		(void)route_insert(&sc->routes, &r);
	}
	route_all(sc, cfg, true);
	route_all(sc, cfg, false);
}

/* -- the beginning and the end -------------------------------------------- */

static struct siphash_key
key_of(struct rng *r)
{
	uint64_t k0 = rng_u64(r), k1 = rng_u64(r);

	return (struct siphash_key){ k0, k1 };
}

/* What the stack is told, on the heap; NULL: no memory. */
static struct stack_cfg *
stack_config(const struct config *cfg, const struct mtcp_embed_cfg *want)
{
	struct stack_cfg *sc = malloc(sizeof *sc);
	struct rng r = { want->seed };

	if (!sc)
		return NULL;
	*sc = cfg->stack;
	sc->secret = key_of(&r);
	sc->clock_key = key_of(&r);
	sc->isn_fixed = (want->flags & MTCP_EMBED_FIXED_ISN) != 0;
	sc->isn = want->isn;
	sc->core = 0;
	sc->cores = 1;
	one_wire(sc, cfg);
	return sc;
}

/* The wire and what the configuration wants around it.  0 or an errno value. */
static int
make_wire(struct mtcp_embed *e, const struct mtcp_embed_cfg *want, FILE *err)
{
	struct io_ip_config ic = {
		.rx_depth = e->config->rx_ring,
		.tx_depth = e->config->tx_ring,
		.mtu = e->config->port[0].ip.mtu,
		.rx_good = (want->flags & MTCP_EMBED_TRUST_CHECKSUMS) != 0,
	};
	char why[ERROR_ROOM] = "";

	e->wire = io_ip_new(&ic);
	if (!e->wire)
		return ENOMEM;
	e->io = ports_wrap(e->config, e->wire, 0, 0, -e->shift, why, sizeof why);
	if (e->io)
		return 0;
	if (err)
		fprintf(err, "%s\n", why);
	return EIO;
}

static bool
meet_wire(struct mtcp_embed *e)
{
	static const uint8_t peer[6] = IO_IP_PEER;
	struct ip_addr v4 = behind(true), v6 = behind(false);

	return stack_neighbour(e->st, 0, &v4, peer) && stack_neighbour(e->st, 0, &v6, peer);
}

/* Address space only: pages come when they are touched.  0 or an errno value. */
static int
make_stack(struct mtcp_embed *e, const struct stack_cfg *sc)
{
	size_t size = stack_memory(sc);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return ENOMEM;
	e->mem = (struct region){ .base = p, .size = size };
	e->st = stack_new(sc, &e->mem, &e->io, e->now);
	e->ch = e->st ? stack_channel(e->st) : NULL;
	if (e->ch && meet_wire(e)) {
		context_init(&e->ctx, e->ch, &e->pair);
		e->ctx.owner = NULL; /* any thread's, one at a time */
		e->ctx.silent = true;
		return 0;
	}
	if (e->st)
		stack_delete(e->st);
	(void)munmap(p, size);
	return ENOMEM;
}

/* 0 or an errno value; what was made before it failed is undone. */
static int
make(struct mtcp_embed *e, const struct mtcp_embed_cfg *want, FILE *err)
{
	struct stack_cfg *sc;
	int why = read_config(e->config, want, err);

	if (why)
		return why;
	why = make_wire(e, want, err);
	if (why)
		return why;
	sc = stack_config(e->config, want);
	why = sc ? make_stack(e, sc) : ENOMEM;
	free(sc);
	if (why)
		e->io->ops->close(e->io);
	return why;
}

static bool
is_sane(const struct mtcp_embed_cfg *want)
{
	for (size_t i = 0; i < array_len(want->reserved); i++)
		if (want->reserved[i])
			return false;
	return !(want->flags & ~(unsigned)FLAGS) && want->now >= 0 && want->now <= TIME_LIMIT;
}

static struct mtcp_embed *
embed_alloc(const struct mtcp_embed_cfg *want)
{
	struct mtcp_embed *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->config = malloc(sizeof *e->config);
	if (!e->config) {
		free(e);
		return NULL;
	}
	e->pair.ops = &embed_ops;
	e->shift = EPOCH - want->now;
	e->now = e->deadline = EPOCH;
	e->wait = want->wait;
	e->wait_arg = want->wait_arg;
	return e;
}

struct mtcp_embed *
mtcp_embed_new(const struct mtcp_embed_cfg *want)
{
	struct mtcp_embed *e;
	FILE *err;
	int why;

	if (!want || !is_sane(want)) {
		errno = want ? EINVAL : EFAULT;
		return NULL;
	}
	e = embed_alloc(want);
	if (!e) {
		errno = ENOMEM;
		return NULL;
	}
	err = complaints(want->error, want->error_size);
	why = make(e, want, err);
	complaints_end(err, want->error, want->error_size);
	if (!why) {
		run(e);
		return e;
	}
	free(e->config);
	free(e);
	errno = why;
	return NULL;
}

void
mtcp_embed_free(struct mtcp_embed *e)
{
	if (!e)
		return;
	stack_delete(e->st);
	e->io->ops->close(e->io);
	context_fini(&e->ctx);
	(void)munmap(e->mem.base, e->mem.size);
	config_free(e->config);
	free(e->config);
	free(e);
}

/* -- tunables ------------------------------------------------------------- */

const char *
mtcp_embed_error(const struct mtcp_embed *e)
{
	return e->error;
}

const char *
mtcp_embed_key(unsigned n, int *live)
{
	const struct config_key *key = key_at(n);

	if (key && live)
		*live = key_is_live(key);
	return key ? key->name : NULL;
}

/* "key = value" into `next`; 0 or an errno value. */
static int
assign(struct config *next, const char *key, const char *value, FILE *err)
{
	size_t room = strlen(key) + strlen(value) + sizeof " = ";
	char *line = malloc(room);
	int problems;

	if (!line)
		return ENOMEM;
	snprintf(line, room, "%s = %s", key, value);
	problems = config_set(next, line, err);
	free(line);
	if (!key_find(key))
		return ENOENT;
	return problems + (problems ? 0 : config_check(next, err)) == 0 ? 0 : EINVAL;
}

/* Sizes follow from other keys, but the stack has those it was made with. */
static void
keep_sizes(struct stack_cfg *next, const struct stack_cfg *is)
{
	next->max_socks = is->max_socks;
	next->max_chunks = is->max_chunks;
}

/* 0 or an errno value. */
static int
put_in_force(struct mtcp_embed *e, const struct config *next, FILE *err)
{
	struct stack_cfg *sc = malloc(sizeof *sc);
	bool done;

	if (!sc)
		return ENOMEM;
	*sc = next->stack;
	one_wire(sc, next);
	io_ip_mtu(e->wire, sc->port[0].mtu);
	done = stack_tune(e->st, sc, e->now);
	free(sc);
	if (done) {
		*e->config = *next;
		e->deadline = e->now; /* timers may have moved */
	} else if (err) {
		fputs("a handshake is under way that has announced otherwise\n", err);
	}
	return done ? 0 : EBUSY;
}

/* 0 or an errno value. */
static int
set(struct mtcp_embed *e, const char *key, const char *value, struct config *next, FILE *err)
{
	int why;

	*next = *e->config;
	why = assign(next, key, value, err);
	if (why)
		return why;
	if (!key_is_live(key_find(key))) {
		if (err)
			fprintf(err, "%s is fixed when a stack is made\n", key);
		return EBUSY;
	}
	keep_sizes(&next->stack, &e->config->stack);
	return put_in_force(e, next, err);
}

int
mtcp_embed_set(struct mtcp_embed *e, const char *key, const char *value)
{
	struct config *next;
	FILE *err;
	int why;

	if (!key || !value)
		return fail(EFAULT);
	next = malloc(sizeof *next);
	if (!next)
		return fail(ENOMEM);
	err = complaints(e->error, sizeof e->error);
	why = set(e, key, value, next, err);
	complaints_end(err, e->error, sizeof e->error);
	free(next);
	return why ? fail(why) : 0;
}

/* The text without the blank that a list leaves behind it, to be freed; NULL: no memory. */
static char *
shown(const struct config *cfg, const struct config_key *key)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	key_show(cfg, key, f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

ssize_t
mtcp_embed_get(const struct mtcp_embed *e, const char *name, char *value, size_t size)
{
	const struct config_key *key;
	char *text;
	size_t len;

	if (!name || !value)
		return fail(EFAULT);
	key = key_find(name);
	if (!key || key->type == KEY_PAIR)
		return fail(ENOENT);
	text = shown(e->config, key);
	if (!text)
		return fail(ENOMEM);
	len = strlen(text);
	if (len < size)
		memcpy(value, text, len + 1);
	free(text);
	return len < size ? (ssize_t)len : fail(ERANGE);
}
