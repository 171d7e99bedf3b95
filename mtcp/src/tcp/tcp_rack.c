/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK (RFC 8985) in one sentence: what was sent long enough before something
 * that has arrived, and has not arrived itself, is lost.  "Long enough" is a
 * quarter of the smallest round trip, more when D-SACKs told of retransmissions
 * that were not needed, or nothing at all once three segments have overtaken it
 * and reordering was never seen.
 */

#include "tcp/tcp_rack.h"

#include "tcp/tcp_rare.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"

#define REO_PERSIST 16u  /* recoveries (6.2 step 4) */
#define REO_MULT_MAX 200u

/* RFC 8985 6.2 step 2: sent later, or at the same time and further on. */
static bool
sent_later(int64_t at1, seq_t end1, int64_t at2, seq_t end2)
{
	return at1 > at2 || (at1 == at2 && seq_lt(end2, end1));
}

/* Step 2: an ACK that echoes an earlier timestamp, or comes sooner than any before, is that of
 * the first transmission, and says nothing of this one. */
static bool
answers_earlier(const struct tcp_conn *c, const struct tcp_sent *r, const struct sack_news *n,
                int64_t rtt)
{
	if (n->has_ts && (int32_t)(n->tsecr - tcp_ts_now(c, r->sent_at)) < 0)
		return true;
	return c->min_rtt_us && rtt < US(c->min_rtt_us);
}

/* Step 3: it arrived after a later one. */
static void
note_reordering(struct tcp_conn *c, const struct tcp_sent *r)
{
	uint32_t distance = seq_sub(c->xmit->high_sacked, r->start) / c->mss;

	c->flags |= TCPF_REORDER;
	c->reordering = (uint8_t)max((uint32_t)c->reordering, min(distance, (uint32_t)UINT8_MAX));
}

void
tcp_rack_delivered(struct tcp_conn *c, const struct tcp_sent *r, const struct sack_news *n,
                   int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	int64_t rtt = now - r->sent_at;

	if (r->flags & SENT_EVER_RETRANS) {
		if (answers_earlier(c, r, n, rtt))
			return;
	} else if (seq_lt(r->end, x->high_sacked)) {
		note_reordering(c, r);
	}
	if (x->rack_sent_at == 0 || sent_later(r->sent_at, r->end, x->rack_sent_at, x->rack_end)) {
		x->rack_sent_at = r->sent_at;
		x->rack_end = r->end;
		x->rack_rtt = rtt;
	}
}

/* Step 4: the reordering window. */
static int64_t
reorder_window(const struct tcp_env *e, const struct tcp_conn *c)
{
	int64_t window = US(c->min_rtt_us) / 4 * (1 + tcp_rare(c)->reo_mult);

	bool overtaken = c->xmit->n_sacked >= e->cfg->dupthresh &&
	                 !(e->cfg->recovery & TCP_RECOVERY_NO_DUPTHRESH);

	if (!(c->flags & TCPF_REORDER) && (c->ca >= TCP_CA_RECOVERY || overtaken))
		return 0;
	return min(window, tcp_srtt_ns(c));
}

/* Step 5. */
bool
tcp_rack_detect(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	int64_t window;
	bool found = false;

	if (!x || x->rack_sent_at == 0)
		return false;
	window = reorder_window(e, c);
	list_for_each(l, &x->timed) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, tlink);
		int64_t at = r->sent_at + x->rack_rtt + window;

		if (!sent_later(x->rack_sent_at, x->rack_end, r->sent_at, r->end))
			break;
		if (at > now) {
			tcp_timer_reorder(c, at);
			break;
		}
		tcp_sack_lost(c, r);
		found = true;
	}
	return found;
}

/* Only what we did send again counts, since networks duplicate too, and not a tail loss probe,
 * which no reordering has made leave; once a round trip. */
void
tcp_rack_duplicates(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	struct tcp_rare *r;

	if (x && x->reo_round && !seq_lt(c->snd_una, x->reo_round_end))
		x->reo_round = false;
	if (!x || !n->dup_again || n->dup_probe || x->reo_round ||
	    (e->cfg->recovery & TCP_RECOVERY_STATIC))
		return;
	x->reo_round = true;
	x->reo_round_end = c->snd_nxt;
	r = tcp_rare_own(e, c);
	r->reo_mult = (uint8_t)min(r->reo_mult + 1u, REO_MULT_MAX);
	r->reo_persist = REO_PERSIST;
}

void
tcp_rack_recovered(struct tcp_conn *c)
{
	struct tcp_rare *r = c->rare;

	if (r && r->reo_persist && --r->reo_persist == 0)
		r->reo_mult = 0;
}

bool
tcp_rack_overdue(const struct tcp_env *e, const struct tcp_conn *c, const struct tcp_sent *r,
                 int64_t now)
{
	const struct tcp_xmit *x = c->xmit;
	int64_t rtt = x->rack_sent_at ? x->rack_rtt : tcp_srtt_ns(c);

	return !(c->flags & TCPF_SACK) || r->sent_at + rtt + reorder_window(e, c) <= now;
}

bool
tcp_rack_overtaken(const struct tcp_conn *c, const struct tcp_sent *r)
{
	const struct tcp_xmit *x = c->xmit;

	return x->rack_sent_at && sent_later(x->rack_sent_at, x->rack_end, r->sent_at, r->end);
}
