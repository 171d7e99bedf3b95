/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A peer that a test plays by hand against one connection (side A of a duo), in
 * virtual time.  What the connection sends is expected one segment after the
 * other, in order: what is not expected fails the test.
 *
 *	peer_connected(&p);                      three-way handshake
 *	peer_a_writes(&p, 1000);                 the application of A writes
 *	EXPECT(&p, "P.", 1, 1000, 1);            flags, seq, len, ack
 *	SAY(&p, ".", 1, 0, 1001);
 *	EXPECT_NOTHING(&p);
 *
 * Sequence numbers are relative: each side's SYN is 0, its first byte 1.  Flags
 * are the letters S F R P U E C and a dot for ACK; P is only looked at when it
 * is named, and never demanded to be absent.
 */
#pragma once

#include "test/tcp/duo.h"

struct peer {
	struct duo *d;
	struct duo_side *a;      /* the side under test                              */
	seq_t iss, a_iss;
	uint16_t wnd;            /* of every segment it says                         */
	bool ts;                 /* says timestamps (set by the handshake)           */
	uint32_t tsval;          /* its clock; advances with time, 1 a ms            */
	uint8_t opts;            /* TCP_OPT_* of its SYN                             */
	uint16_t mss;
	uint8_t wscale;
	size_t at;               /* the first record not yet expected                */
	struct duo_record seen;  /* what EXPECT saw last                             */
	const struct duo_record *last; /* the same; NULL: nothing                    */
	struct tcp_seg with;     /* options of the next segment only; sack is relative */
};

/* How a peer and A differ from the default; all zero is the default. */
struct peer_opts {
	void (*cfg)(struct tcp_cfg *cfg, int who);
	seq_t iss, a_iss;        /* 0: 5000 and 1000                                 */
	uint16_t a_mss;          /* 0: 1460                                          */
	uint8_t opts;            /* of the peer's SYN; 0: MSS, SACK and wscale       */
	uint16_t mss;            /* 0: 1460                                          */
	uint16_t wnd;            /* 0: 65535                                         */
	uint8_t wscale;
	uint32_t sents, chunks, runs, reasses;
	bool v6;
};

/* TCP_OPT_MSS and nothing else: what the oldest peers say. */
#define PEER_BARE TCP_OPT_MSS

/* For peer_opts.cfg: A sends no tail loss probes, so that time-outs can be looked at alone. */
void peer_no_probes(struct tcp_cfg *cfg, int who);

void peer_new(struct peer *p, const struct peer_opts *o);
void peer_free(struct peer *p);

/* A opens; the handshake goes well.  The ACK of the SYN-ACK has been expected. */
void peer_connected(struct peer *p, const struct peer_opts *o);

/* The peer opens; A accepts. */
void peer_accepted(struct peer *p, const struct peer_opts *o);

/* The SYN or SYN-ACK that the options describe goes into p->with. */
void peer_syn_options(struct peer *p);

/* Time passes. */
void peer_sleeps(struct peer *p, int64_t ns);

/* The application of A. */
uint32_t peer_a_writes(struct peer *p, uint32_t len);
uint32_t peer_a_reads(struct peer *p);

/* The next segment carries these SACK blocks, relative to A's ISN; end with 0. */
void peer_sack(struct peer *p, uint32_t start, ...);

enum fate peer_say(struct peer *p, const char *flags, uint32_t seq, uint32_t len, uint32_t ack);

bool peer_expect(struct peer *p, const char *file, int line, const char *flags, uint32_t seq,
                 uint32_t len, uint32_t ack);
void peer_expect_nothing(struct peer *p, const char *file, int line);
void peer_expect_state(struct peer *p, const char *file, int line, enum tcp_state state);
void peer_expect_number(struct peer *p, const char *file, int line, const char *what, int64_t got,
                        int64_t want);

#define SAY(p, flags, seq, len, ack)    ((void)peer_say(p, flags, seq, len, ack))
#define SAY_FATE(p, flags, seq, len, ack, fate)                                                \
	CU_ASSERT_EQUAL(peer_say(p, flags, seq, len, ack), fate)
#define EXPECT(p, flags, seq, len, ack)                                                        \
	((void)peer_expect(p, __FILE__, __LINE__, flags, seq, len, ack))
#define EXPECT_NOTHING(p)               peer_expect_nothing(p, __FILE__, __LINE__)
#define EXPECT_STATE(p, s)              peer_expect_state(p, __FILE__, __LINE__, s)
#define EXPECT_NUMBER(p, got, want)     peer_expect_number(p, __FILE__, __LINE__, #got, got, want)

/* When the segment that EXPECT saw last left, relative to `since`. */
int64_t peer_after(const struct peer *p, int64_t since);

/* Skips whatever A has sent so far; returns how many. */
unsigned peer_skips(struct peer *p);
