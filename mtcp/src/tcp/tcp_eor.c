/* SPDX-License-Identifier: BSD-3-Clause */
/* A mark is four bytes.  It is taken out when text behind it is about to leave. */

#include "tcp/tcp_eor.h"

#include "tcp/tcp_sack.h"

struct tcp_eor *
tcp_eor_new(struct chunk *k)
{
	return memset(k, 0, sizeof(struct tcp_eor));
}

void
tcp_eor_mark(struct tcp_eor *m, const struct stream_writer *text, struct chunk_list *empty)
{
	uint32_t at = atomic_load_explicit(&text->written, memory_order_relaxed), n;
	uint8_t bytes[sizeof at];

	memcpy(bytes, &at, sizeof at);
	n = stream_write(&m->w, &m->r, empty, bytes, sizeof bytes);
	assert(n == sizeof bytes); /* one chunk more is room enough */
	(void)n;
}

void
tcp_eor_free(struct tcp_eor *m, struct chunk_list *empty)
{
	stream_dismantle(&m->w, &m->r, empty);
	chunk_list_put(empty, (struct chunk *)(void *)m);
}

/* Text that has left ends a record: known at the latest now that other text follows. */
static void
ends_in_flight(struct tcp_conn *c)
{
	struct tcp_sent *last = tcp_sack_last(c);

	if (last)
		last->flags |= SENT_EOR;
}

uint32_t
tcp_eor_ahead(struct tcp_env *e, struct tcp_conn *c)
{
	uint32_t sent = seq_sub(c->snd_nxt, c->iss) - 1, at;
	struct tcp_eor *m = atomic_load_explicit(&c->streams->eor, memory_order_relaxed);
	uint8_t bytes[sizeof at];

	while (stream_used(&m->w, &m->r) >= sizeof bytes) {
		stream_peek(&m->r, &m->w, NULL, 0, bytes, sizeof bytes);
		memcpy(&at, bytes, sizeof at);
		if ((int32_t)(at - sent) > 0)
			return at - sent;
		if (at == sent)
			ends_in_flight(c);
		stream_consume(&m->r, &m->w, NULL, sizeof bytes, &e->spare);
	}
	return UINT32_MAX;
}
