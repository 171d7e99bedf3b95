/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two connections and a link in virtual time.  Each side has its own
 * environment, pools and application streams, and does with a connection what
 * a core does: half-open record, connection, TIME-WAIT record, resets for
 * nobody.  Segments travel as bytes, so that options and checksums are real.
 *
 * The link judges what passes, by rules that hold for any TCP; the first rule
 * that is broken is kept in `broken`.  tcp_check() runs after every step.
 */
#pragma once

#include "base/rng.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_listen.h"
#include "tcp/tcp_tw.h"

#define DUO_T0       SEC(1000) /* when every run starts: not 0, so that 0 can mean never */
#define DUO_A        0
#define DUO_B        1
#define DUO_CHUNKS   4096u
#define DUO_PORT_A   40000u
#define DUO_PORT_B   80u

struct duo;

struct duo_side {
	struct tcp_conn conn; /* CLOSED: there is none                                    */
	struct tcp_env env;
	struct tcp_cfg cfg;
	struct tcp_opts no_opts;
	struct tcp_opts opts; /* for duo_option()                                         */
	struct trace trace;
	struct region mem;
	struct duo *duo;
	int who;

	bool listens;
	bool has_req, has_tw;
	struct tcp_req req;
	int64_t req_at;
	struct tcp_tw tw;

	union {
		struct tcp_streams streams;
		struct {
			struct stream_writer snd_w;
			struct stream_reader rcv_r;
			uint8_t user[TCP_STREAMS_REST];
			struct stream_writer rcv_w;
			struct stream_reader snd_r;
		};
	};
	seq_t iss;            /* of the next connection                                   */
	uint16_t mss;         /* what this side announces                                 */
	uint32_t opened;      /* connections made so far                                  */

	uint32_t urgent_told; /* how often it was announced,                              */
	uint32_t urgent_at;   /* where the last time,                                     */
	bool urgent_late;     /* and whether that byte was there to be read already       */

	uint64_t seen[N_FATES];
	uint32_t sent, received; /* segments                                            */

	/* what the link has seen of this side */
	seq_t edge;           /* right edge offered                                       */
	bool edge_known;
	bool scales;          /* its SYN had the option                                   */
	uint8_t wscale;
	uint32_t said_mss;
	seq_t sent_to;        /* end of what it has sent                                  */
};

struct duo_record {
	int64_t at;
	int from;
	bool dropped;
	struct tcp_seg s;     /* text is gone */
};

struct duo_frame;

/* How a duo differs from the default; all zero is the default. */
struct duo_opts {
	uint64_t seed;
	int64_t latency;      /* ns one way; 0: 5 ms                                      */
	seq_t iss[2];         /* both 0: 1000 and 2000000000                              */
	uint16_t mss[2];      /* 0: 1460                                                  */
	uint32_t sents, chunks, reasses, runs; /* pool sizes; 0: plenty                   */
	uint32_t ccs;         /* records for congestion control; 0: none                  */
	bool v6;
	bool alone;           /* nobody is at B: what A sends is only recorded            */
	bool no_log;
	void (*cfg)(struct tcp_cfg *cfg, int who); /* changes to the configuration        */
};

struct duo {
	struct duo_side side[2];
	int64_t now;
	struct rng rng;
	struct duo_opts o;
	int64_t latency;
	uint32_t loss_ppm, dup_ppm, split_ppm;
	uint32_t ce_ppm;      /* marked rather than lost                                  */
	uint64_t rate_bps;    /* of the line each way; 0: no limit                        */
	int64_t queue_ns;     /* frames that would wait longer for the line are lost      */
	int64_t mark_ns;      /* ... are marked; 0: none                                  */
	int64_t line_free[2]; /* when what was sent has left                              */
	int64_t jitter;       /* up to this much is added to the latency of each frame    */
	bool cut[2];          /* what this side sends is lost                             */
	bool shrinks[2];      /* this side may take back what it offered: not judged       */
	/* Sees each segment before it leaves; may change it; false: it is lost. */
	bool (*filter)(struct duo *d, int from, struct tcp_seg *s);
	void *filter_arg;
	uint32_t filtered;    /* free use of a filter                                     */
	struct list frames;
	struct duo_record *log;
	size_t n_log, max_log;
	uint8_t text[65536];  /* of the segment that leaves                               */
	const char *broken;   /* NULL, or the rule that was broken first                  */
};

/* A new pair, both CLOSED; `o` may be NULL.  Give it back with duo_free(). */
struct duo *duo_new(const struct duo_opts *o);

/* Asserts (CUnit) that nothing was broken and that no object is missing in any pool. */
void duo_free(struct duo *d);

/* B listens. */
void duo_listen(struct duo_side *s);

/* Active open: a SYN leaves. */
void duo_connect(struct duo_side *s);

/* Active open by Fast Open with `len` bytes of the pattern written before. */
void duo_fastopen(struct duo_side *s, uint32_t len);

/* A connects to B; runs until both are ESTABLISHED; asserts that they are. */
struct duo *duo_established(const struct duo_opts *o);

/* Writes as much as the send buffer takes; returns how much. */
uint32_t duo_write(struct duo_side *s, const void *data, uint32_t len);

/* Writes `len` bytes of the pattern that duo_pattern() makes, from stream offset on. */
uint32_t duo_write_pattern(struct duo_side *s, uint32_t len);

uint8_t duo_pattern(int who, uint32_t at);

/* Reads up to `len` bytes; data may be NULL.  Asserts nothing. */
uint32_t duo_read(struct duo_side *s, void *data, uint32_t len);

/* Reads all there is and asserts that it follows the pattern; returns how much. */
uint32_t duo_read_pattern(struct duo_side *s);

uint32_t duo_readable(const struct duo_side *s);
void duo_shutdown(struct duo_side *s);
void duo_close(struct duo_side *s);
void duo_abort(struct duo_side *s);

/* Sets or clears TCPF_* and sends what may leave now. */
void duo_flag(struct duo_side *s, uint32_t flag, bool on);
void duo_option(struct duo_side *s, enum tcp_option opt, int32_t value);

/* Lets time pass until `until`, or `ns` from now. */
void duo_run_until(struct duo *d, int64_t until);
void duo_run(struct duo *d, int64_t ns);

/* One event; false: there was none, and it is `limit` now. */
bool duo_step(struct duo *d, int64_t limit);

/* Sends what may be sent now. */
void duo_pump(struct duo_side *s);

/* The connection of a side, as it is before it becomes active or passive. */
void duo_conn_make(struct duo_side *s, seq_t iss, uint32_t ts_offset);

/* A crafted segment arrives at `to` at this moment; what became of it.  Ports and checksum are
 * filled in; text of s->len bytes stands at s->text. */
enum fate duo_inject(struct duo_side *to, const struct tcp_seg *s);

/* The same from bytes: header, options and text; ports and checksum are filled in. */
enum fate duo_inject_bytes(struct duo_side *to, const uint8_t *p, uint32_t len);

/* Both ends have gone: no connection and no record but TIME-WAIT. */
bool duo_over(const struct duo *d);

/* The n-th (from 0) segment recorded of a side that the predicate likes; NULL: none. */
const struct duo_record *duo_nth(const struct duo *d, int from, unsigned n,
                                 bool (*likes)(const struct duo_record *r));
bool duo_likes_text(const struct duo_record *r);
bool duo_likes_syn(const struct duo_record *r);
bool duo_likes_fin(const struct duo_record *r);
bool duo_likes_rst(const struct duo_record *r);
unsigned duo_count(const struct duo *d, int from, bool (*likes)(const struct duo_record *r));

/* Forgets what was recorded. */
void duo_log_clear(struct duo *d);

/* Prints what was recorded, for a human. */
void duo_log_print(const struct duo *d);
void duo_seg_print(const struct duo *d, const struct duo_record *r);
