/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagram sockets of a host, as the application's side would use them. */
#pragma once

#include <CUnit/CUnit.h>

#include "test/sim/host.h"
#include "core/stack_priv.h"
#include "wire/udp_wire.h"

static inline struct sock *
dgram_socket(struct host *h)
{
	struct sock *s = host_socket(h);

	if (!s) {
		host_step(h);
		s = host_socket(h);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	atomic_store(&s->req, SOCK_REQ_DGRAM);
	if (!ip_addr_is_v4(&h->ip))
		atomic_store(&s->opt_bits, SOCK_OPT_V6);
	return s;
}

/* Bound to any address and this port, or not at all. */
static inline struct sock *
dgram_bound(struct host *h, uint16_t port)
{
	struct sock *s = dgram_socket(h);
	struct ip_addr any = IP_ANY;

	if (port)
		CU_ASSERT_EQUAL_FATAL(host_bind(h, s, &any, port), 0);
	return s;
}

static inline int
dgram_ask(struct host *h, enum sock_call_op op, struct sock *s, const struct ip_addr *ip,
          uint16_t port)
{
	h->ch->call.addr = (struct sock_addr){ *ip, port };
	return host_call(h, op, s);
}

static inline void
dgram_says(struct host *h, struct sock *s, const struct ip_addr *ip, uint16_t port,
           const void *text, uint32_t len)
{
	struct dgram_head head = { .peer = { *ip, port }, .len = len };
	struct chunk_list own = h->empty;
	struct stream_record rec;
	uint64_t word;

	while (own.n < stream_chunks(dgram_size(len))) {
		struct chunk *k;

		if (!spsc_pop(&h->ch->chunks_down, &word)) {
			host_step(h);
			continue;
		}
		for (k = (struct chunk *)(uintptr_t)word; k;) {
			struct chunk *next = atomic_load(&k->next);

			chunk_list_put(&own, k);
			k = next;
		}
	}
	stream_begin(&rec, &s->snd_w, &s->snd_r);
	stream_append(&rec, &own, (const uint8_t *)&head, sizeof head);
	stream_append(&rec, &own, text, len);
	stream_commit(&rec);
	h->empty = own;
	(void)sock_ask(h->ch, s, 0);
}

/* The next datagram: its length, or -1. */
static inline int
dgram_hears(struct host *h, struct sock *s, void *text, struct sock_addr *from)
{
	struct dgram_head head;

	if (!dgram_first(&s->rcv_r, &s->rcv_w, &head))
		return -1;
	if (from)
		*from = head.peer;
	stream_peek(&s->rcv_r, &s->rcv_w, NULL, sizeof head, text, head.len);
	stream_consume(&s->rcv_r, &s->rcv_w, NULL, dgram_size(head.len), &h->spent);
	return (int)head.len;
}

/* A frame that holds a datagram. */
static inline uint32_t
craft_udp(uint8_t *out, const struct craft_way *way, uint16_t sport, uint16_t dport,
          const void *text, uint32_t len)
{
	struct udp_hdr h = { sport, dport, to_u16(UDP_LEN + len) };
	uint8_t p[UDP_LEN + 1472];

	memcpy(p + UDP_LEN, text, len);
	wire_udp_build(p, &h, &way->src, &way->dst);
	return craft_ip(out, way, IP_PROTO_UDP, p, UDP_LEN + len);
}
