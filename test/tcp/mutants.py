#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plants faults into mtcp/src/tcp, one at a time, and shows which no test notices.

    test/tcp/mutants.py [NAME-PART]      some minutes; needs gcc and CUnit

A mutant is (file, what stands there, what it becomes).  It is compiled with the rest of base,
wire and tcp and their unit and script tests in a folder of its own; a failing test, an assertion,
a hang or a crash kills it.  Exit status 1 when one survives or no longer applies."""

import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DMTCP_CHECKS=1", "-O1", "-w"]
CPU_SECONDS = 60 # of a run of the tests

MUTANTS = [
    ("reset anywhere in the window", "tcp_in.c",
     "if (!seq_eq(s->seq, c->rcv_nxt)) {\n\t\ttcp_challenge", "if (false) {\n\t\ttcp_challenge"),
    ("SYN not challenged", "tcp_in.c",
     "\ttcp_challenge(e, c, now);\n\treturn DROP_SYN_CHALLENGED;", "\treturn DROP_SYN_CHALLENGED;"),
    ("challenges without limit", "tcp_in.c",
     "r->challenges < min(e->cfg->challenge_ack_per_s, (uint32_t)UINT16_MAX)", "true"),
    ("tail of a segment not looked at", "tcp_in.c",
     "return space > 0 ? last < wnd", "return space > 0 ? false"),
    ("no PAWS", "tcp_in.c", "\treturn DROP_PAWS;", "\treturn SEG_OK;"),
    ("PAWS kills resets", "tcp_in.c", " || (s->flags & TCP_RST))\n\t\treturn SEG_OK;",
     ")\n\t\treturn SEG_OK;"),
    ("TS.Recent from any segment", "tcp_in.c", " || seq_lt(c->rcv_acked, s->seq))", ")"),
    ("TS.Recent never void", "tcp_in.c", "> PAWS_IDLE_S;", "> UINT32_MAX - 1;"),
    ("FIN beyond held text believed", "tcp_in.c", " && !tcp_reass_beyond(c, at);", ";"),
    ("FIN below RCV.NXT believed", "tcp_in.c", " && !seq_lt(at, c->rcv_nxt)", ""),
    ("FIN not counted", "tcp_in.c",
     "\tc->rcv_nxt = seq_add(c->rcv_nxt, 1);\n\tc->rcv_adv", "\tc->rcv_adv"),
    ("FIN not acknowledged at once", "tcp_in.c",
     "\t\tack_soon(c); /* with our FIN, most likely */\n", ""),
    ("FIN of a simultaneous close not acknowledged", "tcp_in.c",
     "\tc->flags |= TCPF_ACK_NOW;\n}\n\n/* A FIN inside", "}\n\n/* A FIN inside"),
    ("every ACK waits for the application", "tcp_in.c", "if (len < c->rcv_mss)\n\t\t\tack_soon(c);",
     "if (true)\n\t\t\tack_soon(c);"),
    ("no ACK waits for the application", "tcp_in.c", "c->flags |= TCPF_ACK_NOW | TCPF_ACK_SOON;",
     "c->flags |= TCPF_ACK_NOW;"),
    ("an ACK that is owed waits, too", "tcp_in.c", "\tif (!(c->flags & TCPF_ACK_NOW))\n\t\tc->flags |= TCPF_ACK_NOW | TCPF_ACK_SOON;",
     "\tc->flags |= TCPF_ACK_NOW | TCPF_ACK_SOON;"),
    ("an ACK waits for a second segment", "tcp_in.c", "\tc->flags &= ~TCPF_ACK_SOON; /*", "\t/*"),
    ("simultaneous close", "tcp_in.c", "tcp_set_state(e, c, TCP_CLOSING, now);",
     "tcp_set_state(e, c, TCP_TIME_WAIT, now);"),
    ("no reset for text after close", "tcp_in.c",
     "if (seq_lt(c->rcv_nxt, end) && (c->flags & TCPF_ORPHAN))", "if (false)"),
    ("ACK every third segment", "tcp_in.c", ">= 2u * c->rcv_mss", ">= 3u * c->rcv_mss"),
    ("hole not acknowledged at once", "tcp_in.c", "schedule_ack(e, c, len, hole || n < len || pushed, now);",
     "schedule_ack(e, c, len, n < len || pushed, now);"),
    ("no quick ACKs", "tcp_in.c", "c->quickacks > 0 &&", "false &&"),
    ("overlap not trimmed", "tcp_in.c", "s->text + seq_sub(start, s->seq), seq_sub(end, start),\n",
     "s->text, seq_sub(end, start),\n"),
    ("ACK in SYN-SENT not looked at", "tcp_in.c", "(s->flags & TCP_ACK) && seq_le(s->ack, c->snd_nxt) &&",
     "(s->flags & TCP_ACK) &&"),
    ("ACK of the ISN in SYN-SENT", "tcp_in.c", "seq_lt(c->iss, s->ack);", "true;"),
    ("RST in SYN-SENT without ACK", "tcp_in.c", "\t\tif (!acks)\n\t\t\treturn DROP_HANDSHAKE;\n",
     ""),
    ("text beside SYN-ACK forgotten", "tcp_in.c", "(void)process_text(e, c, &text, now);", ""),
    ("repeated SYN in SYN-RECEIVED", "tcp_in.c",
     "c->flags |= TCPF_SYN_DUE; /* our SYN-ACK", "/* our SYN-ACK"),
    ("ACK of unsent accepted", "tcp_ack.c", "if (seq_lt(c->snd_nxt, s->ack)) {", "if (false) {"),
    ("very old ACK accepted", "tcp_ack.c", "> c->snd_wnd_max &&", "> UINT32_MAX - 1 &&"),
    ("window from old segments", "tcp_ack.c",
     "if (seq_lt(s->ack, c->snd_una))\n\t\treturn;\n\tif (seq_lt(c->snd_una, s->ack) ||",
     "if (true ||"),
    ("advance without window", "tcp_ack.c", "if (seq_lt(c->snd_una, s->ack) || seq_lt(c->snd_wl1",
     "if (seq_lt(c->snd_wl1"),
    ("closed window not believed", "tcp_ack.c", "(wnd > c->snd_wnd || wnd == 0)",
     "(wnd > c->snd_wnd)"),
    ("window not scaled", "tcp_ack.c",
     "uint32_t wnd = s->wnd << c->snd_wscale;\n\n\tif (seq_lt(s->ack",
     "uint32_t wnd = s->wnd;\n\n\tif (seq_lt(s->ack"),
    ("closed window times out", "tcp_ack.c",
     "if (!(c->flags & TCPF_ORPHAN))\n\t\tc->retries = 0;", ""),
    ("orphan waits for ever", "tcp_ack.c", "if (!(c->flags & TCPF_ORPHAN))\n\t\tc->retries = 0;",
     "c->retries = 0;"),
    ("slow probing after opening", "tcp_ack.c",
     "\t\ttcp_timer_window_opened(e, c, now);", "\t\t;"),
    ("SACK before ACK", "tcp_ack.c",
     "\tif (seq_lt(c->snd_una, s->ack))\n\t\tadvance(e, c, s, now, &n);\n"
     "\ttcp_sack_blocks(e, c, s, now, &n);",
     "\ttcp_sack_blocks(e, c, s, now, &n);\n"
     "\tif (seq_lt(c->snd_una, s->ack))\n\t\tadvance(e, c, s, now, &n);"),
    ("pure ACK restarts the timer", "tcp_ack.c", "\tif (n->acked)\n\t\ttcp_timer_acked(c, now);",
     "\ttcp_timer_acked(c, now);"),
    ("duplicates with text", "tcp_ack.c", "s->len == 0 &&", ""),
    ("duplicates with other windows", "tcp_ack.c",
     " && s->wnd << c->snd_wscale == c->snd_wnd;", ";"),
    ("soft error kept", "tcp_ack.c", "\tc->err = TCP_E_NONE;", "\t;"),
    ("samples from nonsense echoes", "tcp_ack.c", "return ms < 1000000 ? MS(max(ms, 1u)) : -1;",
     "return MS(max(ms, 1u));"),
    ("no Nagle", "tcp_out.c", "!seq_lt(c->snd_una, c->xmit->small) ||", "true ||"),
    ("cork ignored", "tcp_out.c",
     "\tif (c->flags & (TCPF_CORK | TCPF_MORE))\n\t\treturn false;\n", ""),
    ("silly segments", "tcp_out.c", "return n >= c->snd_wnd_max / 2 && !(c->flags & TCPF_CORK);",
     "return true;"),
    ("window not looked at", "tcp_out.c",
     "c->snd_wnd > flight ? c->snd_wnd - flight : 0;", "1u << 20;"),
    ("cwnd not looked at", "tcp_out.c", "if (pipe == 0 || pipe + n <= c->cwnd ||",
     "if (true ||"),
    ("no PSH", "tcp_out.c", "push_due(c, n, n == record) ? TCP_PSH : 0;", "0;"),
    ("no idle restart", "tcp_out.c", "\t\trestart_after_idle(e, c, now);\n", "\t\t;\n"),
    ("FIN ignores the window", "tcp_out.c", " && flight + n + 1 <= c->snd_wnd;", ";"),
    ("cork hides a closed window", "tcp_out.c", "if (unsent && open && (", "if (unsent && ("),
    ("SYN flags on an ACK", "tcp_out.c", ".flags = TCP_ACK, /*",
     ".flags = tcp_facts[c->state].outflags, /*"),
    ("options not counted", "tcp_out.c", "options += 4 + 8 * blocks;", ""),
    ("reset answers a reset", "tcp_out.c", "if (in->flags & TCP_RST)\n\t\treturn false;\n", ""),
    ("probe at SND.UNA", "tcp_out.c", "seq_add(c->snd_una, UINT32_MAX)", "c->snd_una"),
    ("no back-off", "tcp_rtt.c", "set_rto(c, min(tcp_rto_ns(c) * 2, cfg->rto_max_ns));", ""),
    ("RTO without floor", "tcp_rtt.c", "max(var, cfg->rto_min_ns)", "var"),
    ("timer not set on sending", "tcp_timer.c",
     "RTX_PERSIST) {\n\t\trtx_start(c, now);", "RTX_PERSIST) {"),
    ("no persist timer", "tcp_timer.c", "\tpersist_start(c, now);\n}\n\n/* Probing",
     "}\n\n/* Probing"),
    ("silly window waits", "tcp_timer.c",
     "(c->snd_wnd ? min(rto, OVERRIDE_MAX_NS) : rto)", "rto"),
    ("keep-alive beside text", "tcp_timer.c", "tcp_flight(c) == 0 && tcp_unsent(c) == 0", "true"),
    ("keep-alive from the option", "tcp_timer.c", "silence < idle)",
     "false)"),
    ("orphan in FIN-WAIT-2", "tcp_timer.c",
     "at = now + max(linger, INT64_C(0));", "(void)linger;"),
    ("user time-out late", "tcp_timer.c", "\tif (limit > now)\n\t\tc->rtx_at", "\tif (false)\n\t\tc->rtx_at"),
    ("expiries wrap", "tcp_timer.c",
     "c->retries >= min(retry_limit(e, c), (uint32_t)UINT8_MAX)", "c->retries >= retry_limit(e, c)"),
    ("time-out forgets nothing", "tcp_recovery.c",
     "if (first->flags & SENT_SACKED)\n\t\ttcp_sack_forget(c);", ""),
    ("loss window of ten", "tcp_recovery.c", "c->cwnd = c->mss; /* the loss window */",
     "c->cwnd = 10 * c->mss;"),
    ("ssthresh falls with each expiry", "tcp_recovery.c",
     "if (known && (c->ca == TCP_CA_RECOVERY || (first->flags & SENT_EVER_RETRANS)))",
     "if (false)"),
    ("cwnd limits only a full flight", "tcp_recovery.c",
     "if (c->xmit && seq_lt(before, c->xmit->cwnd_full))", "if (flight + 2u * c->mss > c->cwnd)"),
    ("PRR counts what was SACKed before", "tcp_recovery.c",
     "uint32_t before = x->sacked - min(x->sacked, n->sacked);", "uint32_t before = 0;"),
    ("no safe ACK", "tcp_recovery.c", "if (n->acked && !more_lost) /* SafeACK", "if (false) /*"),
    ("repaired loss without response", "tcp_recovery.c",
     "if (tcp_tlp_acked(c, n, dup))", "if (tcp_tlp_acked(c, n, dup) && false)"),
    ("all is lost with a time-out", "tcp_recovery.c",
     "if (l == first || tcp_rack_overdue(e, c, r, now))", "if (true)"),
    ("nothing is undone", "tcp_recovery.c", "|| tcp_undo_due(c, n);", "|| false;"),
    ("spurious time-outs stay", "tcp_recovery.c", "(spurious && c->xmit->undo_armed)",
     "(spurious && false)"),
    ("F-RTO switched off", "tcp_recovery.c", "if (e->cfg->frto)", "if (false)"),
    ("F-RTO cannot be switched off", "tcp_recovery.c", "if (e->cfg->frto)", "if (true)"),
    ("burst after a time-out", "tcp_recovery.c",
     "loss ? min(n->delivered, (uint32_t)c->mss) : n->delivered", "n->acked"),
    ("cwnd of the pipe at the end", "tcp_recovery.c", "c->cwnd = max(c->ssthresh, 2u * c->mss);",
     "c->cwnd = max(min(c->cwnd, c->ssthresh), 2u * c->mss);"),
    ("two duplicates are enough", "tcp_recovery.c", "c->xmit->reno_dups >= e->cfg->dupthresh",
     "c->xmit->reno_dups >= 2"),
    ("partial ACK does nothing", "tcp_recovery.c",
     "bool partial = c->ca == TCP_CA_RECOVERY &&", "bool partial = false &&"),
    ("each partial ACK restarts the time-out", "tcp_timer.c",
     "seq_lt(c->snd_una, c->recover) && c->xmit->partial_acked;", "false;"),
    ("recovery twice", "tcp_recovery.c", "dupthresh &&\n\t       seq_lt(c->recover, c->snd_una);",
     "dupthresh;"),
    ("`recover` comes around", "tcp_recovery.c", "> 1u << 30)", "> UINT32_MAX - 1)"),
    ("`recover` follows too early", "tcp_recovery.c", "if (c->ca < TCP_CA_RECOVERY && seq_sub",
     "if (seq_sub"),
    ("no reordering window", "tcp_rack.c", "int64_t window = US(c->min_rtt_us) / 4 * (1 + tcp_rare(c)->reo_mult);",
     "int64_t window = 0;"),
    ("reordering timer not set", "tcp_rack.c", "\t\t\ttcp_timer_reorder(c, at);\n", ""),
    ("reordering not learned", "tcp_rack.c", "c->flags |= TCPF_REORDER;", ";"),
    ("duplicates not delivered", "tcp_recovery.c", "\t\tall.delivered += c->mss;", "\t\t;"),
    ("Karn's rule dropped", "tcp_sack.c", "if (!(r->flags & SENT_EVER_RETRANS)) {\n\t\tn->rtt_ns",
     "if (true) {\n\t\tn->rtt_ns"),
    ("samples from behind a hole", "tcp_sack.c", "\tif (n->again) /*", "\tif (false) /*"),
    ("lost ranges leave in the order of marking", "tcp_sack.c", "\t\tlost_insert(x, r);",
     "\t\tlist_push_back(&x->lost, &r->tlink);"),
    ("a lost one's place looked for without bound", "tcp_sack.c", "i < LOST_WALK_MAX && below &&",
     "below &&"),
    ("the lowest lost one behind others", "tcp_sack.c", "\telse if (!first || seq_lt(r->start,",
     "\telse if (!first || seq_lt(seq_add(r->start, 600),"),
    ("blocks beyond SND.NXT", "tcp_sack.c", " && seq_le(b->end, c->snd_nxt);", ";"),
    ("blocks unsorted", "tcp_sack.c", "n > 0 && seq_lt(b.start, sorted[n - 1].start)", "false"),
    ("D-SACK taken for SACK", "tcp_sack.c", "n->dsack = first_is_dsack(s);", "n->dsack = false;"),
    ("SACKed neighbours count once", "tcp_sack.c", "\tr->segs += next->segs;\n", ""),
    ("a search without bound", "tcp_sack.c", "#define WALK_MAX       512u",
     "#define WALK_MAX       1000000u"),
    ("a search that starts over", "tcp_sack.c", "\t\tx->seen = r;\n\t\tr = sent_after(x, r);",
     "\t\tr = sent_after(x, r);"),
    ("each block searched for anew", "tcp_sack.c", "seq_t at = known_to(x, b);", "seq_t at = b->start;"),
    ("known blocks after reneging", "tcp_sack.c",
     "SENT_SACKED);\n\tc->xmit->n_known = 0;", "SENT_SACKED);"),
    ("all records for one", "tcp_sack.c", "return max(e->sents.max / 4, SENT_QUOTA_MIN);",
     "return UINT32_MAX;"),
    ("D-SACKs of anything", "tcp_sack.c", " || len > c->snd_wnd_max)", ")"),
    ("undo leaves ranges lost", "tcp_undo.c", "\ttcp_sack_unlose(c);\n", ""),
    ("undo by one D-SACK of two", "tcp_undo.c", "x->undo_open == 0)", "true)"),
    ("undo by anybody's duplicate", "tcp_undo.c",
     "if (!(x->resent_live >> i & 1) || seq_sub", "if (seq_sub"),
    ("undo without cwnd", "tcp_undo.c", "c->cwnd = max(c->cwnd, x->undo_cwnd);", ";"),
    ("undo without ssthresh", "tcp_undo.c",
     "c->ssthresh = max(c->ssthresh, x->undo_ssthresh);", ";"),
    ("undo teaches nothing", "tcp_undo.c", "c->flags |= TCPF_REORDER;", ";"),
    ("Eifel by any echo", "tcp_undo.c", " && (int32_t)(n->tsecr - x->undo_ts) < 0;", ";"),
    ("Eifel never", "tcp_undo.c", "return n->again && n->has_ts", "return false && n->has_ts"),
    ("F-RTO goes on without new text", "tcp_frto.c", " || !new_text_fits(c))", ")"),
    ("F-RTO believes copies", "tcp_frto.c", "sack ? n->original : n->acked > 0", "n->acked > 0"),
    ("F-RTO forgives duplicates", "tcp_frto.c", "if (dup && !sack) /* 2a */", "if (false)"),
    ("probe without measurement", "tcp_tlp.c", "TLP_OUT | TLP_STALE | TLP_NEVER",
     "TLP_OUT | TLP_NEVER"),
    ("second probe", "tcp_tlp.c", "TLP_OUT | TLP_STALE | TLP_NEVER", "TLP_STALE | TLP_NEVER"),
    ("probe beside SACKed ranges", "tcp_tlp.c", "c->xmit->n_sacked == 0 &&", ""),
    ("probe without SACK", "tcp_tlp.c", "c->xmit && (c->flags & TCPF_SACK) &&", "c->xmit &&"),
    ("probe that ignores delayed ACKs", "tcp_tlp.c",
     "(c->xmit->n_sent == 1 ? ACK_DELAY_MAX : 0)", "0"),
    ("D-SACK of the probe ignored", "tcp_tlp.c",
     "told = n->dsack && seq_eq(n->dup.end, probe);", "told = false;"),
    ("duplicate of the probe ignored", "tcp_tlp.c", "told || advanced || dup)",
     "told || advanced)"),
    ("new probes blamed", "tcp_tlp.c", "return (c->tlp & TLP_RETRANS) && advanced && !told;",
     "return advanced && !told;"),
    ("D-SACKs do not widen", "tcp_rack.c", "r->reo_mult = (uint8_t)min(r->reo_mult + 1u, REO_MULT_MAX);",
     ";"),
    ("doubt outlives the undo", "tcp_undo.c", "\ttcp_frto_stop(c); /* or", "\t/* or"),
    ("one D-SACK for two copies", "tcp_undo.c",
     "if (among(x, told, x->resent[i]))\n\t\t\tcontinue;", ""),
    ("marks are undone", "tcp_recovery.c",
     "if (n->ece && !tcp_cc(c)->no_ecn && c->xmit)", "if (false)"),
    ("the mark beside the loss is undone", "tcp_recovery.c",
     "enter_cwr(e, c, n, now);\n\tmarks_are_no_mistake(c, n);", "enter_cwr(e, c, n, now);"),
    ("DCTCP: no loss beside a mark", "tcp_recovery.c", " || tcp_cc(c)->exact_ecn)", ")"),
    ("F-RTO waits for Nagle", "tcp_frto.c", "\tc->flags |= TCPF_PUSH_SMALL;\n", ""),
    ("a probe that did not leave is blamed", "tcp_out.c",
     "\ttcp_tlp_stop(c); /* nothing has left", "\t/* nothing has left"),
    ("an RTO of yesterday", "tcp_timer.c",
     "\tif (c->xmit)\n\t\tc->xmit->rto_at = c->rtx_at;\n}\n\nstatic void\nrto_expired",
     "}\n\nstatic void\nrto_expired"),
    ("D-SACKs widen each time", "tcp_rack.c", "n->dup_probe || x->reo_round ||", "n->dup_probe ||"),
    ("the network's duplicates widen", "tcp_rack.c", "!x || !n->dup_again ||",
     "!x || !n->dsack ||"),
    ("wide for ever", "tcp_rack.c", "\t\tr->reo_mult = 0;", "\t\t;"),
    ("the RTO is no limit for a probe", "tcp_timer.c",
     "c->rtx_at = min(now + tcp_tlp_pto(c), c->xmit->rto_at);",
     "c->rtx_at = now + tcp_tlp_pto(c);"),
    ("the RTO does not start with the probe", "tcp_timer.c",
     "c->flags |= TCPF_LOSS_PROBE;\n\t\trtx_start(c, now);",
     "c->flags |= TCPF_LOSS_PROBE;\n\t\trtx_resume(c);"),
    ("slow SYN-ACK taken for loss", "tcp_in.c", "if (tcp_rtt_first_syn_answered(c, s))", "if (false)"),
    ("oldest block first", "tcp_reass.c", "q->recent[0] = start;",
     "q->recent[q->n_recent - 1] = start;"),
    ("reversed D-SACK", "tcp_reass.c", "!seq_lt(start, end) ||", "seq_eq(start, end) ||"),
    ("runs without limit", "tcp_reass.c", "if (q->n_runs >= e->cfg->reass_runs || q->", "if (q->"),
    ("expected text beyond the window", "tcp_usual.c",
     " && s->len <= tcp_rcv_wnd(c)", ""),
    ("no PAWS for what is expected", "tcp_usual.c",
     "(int32_t)(s->tsval - c->ts_recent) >= 0 && ", ""),
    ("expected, but old text believed", "tcp_usual.c", "seq_eq(s->seq, c->rcv_nxt) &&", "true &&"),
    ("a range acknowledged in part is gone", "tcp_usual.c",
     "return seq_eq(r->end, ack) ? r : NULL;", "return r;"),
    ("an ACK of what was sent again is usual", "tcp_usual.c", " && x->n_resent == 0", ""),
    ("an expected ACK leaves the window", "tcp_usual.c",
     "if (acked || seq_lt(c->snd_wl1, s->seq) ||", "if (seq_lt(c->snd_wl1, s->seq) ||"),
    ("an expected ACK leaves TS.Recent", "tcp_usual.c", "c->ts_recent = s->tsval;", ";"),
    ("usual text after a silence is no reason for quick ACKs", "tcp_usual.c",
     "tcp_silence_ns(c, now) > tcp_rto_ns(c))", "false)"),
    ("the last segment may acknowledge a part", "tcp_usual.c",
     "!seq_eq(s->ack, c->snd_nxt) || !c->xmit", "!c->xmit"),
    ("the last segment may bring text", "tcp_usual.c",
     "(c->flags & flags) != flags || s->len ||", "(c->flags & flags) != flags ||"),
    ("the last segment's FIN is not counted", "tcp_usual.c",
     "c->rcv_nxt = seq_add(c->rcv_nxt, 1);", ";"),
    ("usual text knows no Nagle", "tcp_usual.c", "if (n < c->mss && flight &&", "if (false &&"),
    ("usual text beyond cwnd", "tcp_usual.c", "(pipe && pipe + n > c->cwnd) ||", ""),
    ("usual text beyond the peer's window", "tcp_usual.c", "flight + n > c->snd_wnd ||", ""),
    ("usual text after idle finds cwnd as it was", "tcp_usual.c",
     " || now - c->sent_at > tcp_rto_ns(c)", ""),
    ("usual text is not paced", "tcp_usual.c", " || tcp_pace_on(e, c)", ""),
    ("an answer is not seen to be one", "tcp_usual.c", "c->flags |= TCPF_INTERACTIVE;", ";"),
    ("usual text is not pushed", "tcp_usual.c", "return n == unsent ||", "return"),
    ("what is idle may be thought busy", "tcp_usual.c",
     "if (s->last)\n\t\ttcp_rate_idle(c);", ""),
    ("text in front of a record's end goes on", "tcp_usual.c",
     " || atomic_load_explicit(&c->streams->snd_w.marked, memory_order_acquire)", ""),
    ("window may shrink", "tcp_window.c", "if (field << c->rcv_wscale < tcp_rcv_wnd(c) &&",
     "if (false &&"),
    ("silly windows", "tcp_window.c",
     "least = min(c->rcv_space / 2, (uint32_t)c->adv_mss)", "least = 0"),
    ("no window update", "tcp_window.c", "return gain > 0 && (gain >=", "return false && (gain >="),
    ("reset sent for nothing", "tcp_conn.c",
     "if (known && c->state != TCP_TIME_WAIT)", "if (true)"),
    ("no reset for unread text", "tcp_conn.c",
     "if (c->streams && stream_used(&c->streams->rcv_w, &c->streams->rcv_r) > 0) {", "if (false) {"),
    ("MSS of 1", "tcp_conn.c", "return max(mss, TCP_MSS_MIN);", "return max(mss, 13u);"),
    ("cwnd of ten after a lost SYN", "tcp_conn.c", "(c->retries ? 1 : e->cfg->initial_cwnd)",
     "e->cfg->initial_cwnd"),
    ("path MTU goes up", "tcp_pmtu.c", "if (path >= size_now(e, c, now))", "if (false)"),
    ("TIME-WAIT prolonged by any FIN", "tcp_tw.c",
     "(s->flags & TCP_FIN) && seq_eq(seq_add(s->seq, s->len + 1), w->rcv_nxt)",
     "s->flags & TCP_FIN"),
    ("TIME-WAIT reopened by old SYNs", "tcp_tw.c", "return seq_lt(w->rcv_nxt, s->seq);",
     "return true;"),
    ("half open accepts any ACK", "tcp_listen.c", "if (!seq_eq(s->ack, seq_add(r->iss, 1)))",
     "if (false)"),
    ("right edge outside", "tcp_in.c", "last < wnd : first == wnd;", "last < wnd : false;"),
    ("early text to the last chunk", "tcp_reass.c",
     "tcp_mem_level(e) == TCP_MEM_SCARCE || ", ""),
    ("early text without a share", "tcp_reass.c", " || tcp_reass(c)->chunks >= chunks_max(c))\n\t\treturn NULL",
     ")\n\t\treturn NULL"),
    ("chunks not counted back", "tcp_reass.c", "\t\tq->chunks--;\n", ""),
    ("runs walked without end", "tcp_reass.c", "\t\t\tbefore = next;\n", "\t\t\t;\n"),
    ("growth under pressure", "tcp_window.c", "want > c->snd_limit &&\n\t    tcp_mem_level(e) == TCP_MEM_EASE)",
     "want > c->snd_limit)"),
    ("wide windows when memory is scarce", "tcp_window.c",
     "if (tcp_mem_level(e) == TCP_MEM_SCARCE)", "if (false)"),
    ("cookies live for three periods", "tcp_cookie.c",
     "if (cookie(e, t, irs, period, data, agreed) != iss.v)",
     "if (cookie(e, t, irs, period, data, agreed) != iss.v &&\n"
     "\t    cookie(e, t, irs, period - 2, data, agreed) != iss.v)"),
    ("one secret for all periods", "tcp_cookie.c", "put_be32(in, period);\n\tin[4] = '0'",
     "put_be32(in, period & 1);\n\tin[4] = '0'"),
    ("cookies of any peer", "tcp_cookie.c", "memcpy(in + 16, t->remote.b, 16);",
     "memset(in + 16, 0, 16);"),
    ("cookies of any SYN", "tcp_cookie.c", "put_be32(in + 36, irs.v);", "put_be32(in + 36, 0);"),
    ("cookies without MSS under the MAC", "tcp_cookie.c", "in[40] = (uint8_t)data;",
     "in[40] = 0;"),
    ("options without a timestamp", "tcp_cookie.c", "if (!(r.opts & TCP_OPT_TS)) {", "if (false) {"),
    ("cookie clock ahead", "tcp_cookie.c", "if ((int32_t)(said - clock) > 0)", "if (false)"),
    ("MSS rounded up", "tcp_cookie.c", "mss_table[i] > mss)", "mss_table[i - 1] >= mss)"),
    ("samples from cookies", "tcp_cookie.c", "r->sent_at = now + 1;", ""),
    ("FIN-WAIT-2 record: any reset", "tcp_tw.c",
     "if ((s->flags & TCP_RST) && seq_eq(s->seq, w->rcv_nxt))\n\t\treturn TW_RESET;",
     "if (s->flags & TCP_RST)\n\t\treturn TW_RESET;"),
    ("FIN-WAIT-2 record: text is ignored", "tcp_tw.c", "\t\treply->flags |= TCP_RST;\n", ""),
    ("FIN-WAIT-2 record: FIN not counted", "tcp_tw.c",
     "\tw->rcv_nxt = seq_add(w->rcv_nxt, 1);\n", ""),
    ("FIN-WAIT-2 record: ACK of unsent", "tcp_tw.c", "if (seq_lt(w->snd_nxt, s->ack))", "if (false)"),
    ("TIME-WAIT answers without limit", "tcp_tw.c",
     "if (w->answers >= min(e->cfg->challenge_ack_per_s, (uint32_t)UINT16_MAX))", "if (false)"),
    ("ECN: no CWR", "tcp_ecn.c",
     "\tif (c->ecn & ECN_CWR_DUE)\n\t\ts->flags |= TCP_CWR;\n",
     ""),
    ("ECN: the echo does not end", "tcp_ecn.c",
     "\t\tc->ecn &= (uint8_t)~ECN_ECHO;\n",
     ""),
    ("ECN: asked for again", "tcp_ecn.c",
     " || c->retries > 0",
     ""),
    ("ECN: reflected bits agree", "tcp_ecn.c",
     " && (s->flags & TCP_ECE) &&\n\t              !(s->flags & TCP_CWR);",
     " && (s->flags & TCP_ECE);"),
    ("ECN: a reduction with each mark", "tcp_recovery.c",
     "c->ca < TCP_CA_CWR &&",
     "c->ca <= TCP_CA_CWR &&"),
    ("rate of ACKs alone", "tcp_rate.c",
     "max(sending, acking)",
     "acking"),
    ("application never limits", "tcp_rate.c",
     "c->flags & TCPF_APP_LIMITED ? SENT_APP_LIMITED : 0",
     "0"),
    ("pacing without a pace", "tcp_pace.c",
     "\tr->pace_at += time_of(bytes, rate);",
     ""),
    ("pacing: a burst of a hundred", "tcp_pace.c",
     "(TCP_PACE_BURST - 1)",
     "(10 * TCP_PACE_BURST)"),
    ("HyStart's round begins with the last ACK of a flight", "cc_cubic.c",
     "if (seq_lt(q->round_end, c->snd_una)) {", "if (seq_le(q->round_end, c->snd_una)) {"),
    ("BBR never probes the RTT", "cc_bbr.c",
     "b->rtt_expired && !b->idle_restart",
     "false"),
    ("BBR without a window of rates", "cc_bbr.c",
     "\tb->bw_slot[0] = b->bw_slot[1];\n\tb->bw_slot[1] = 0;",
     "\t;"),
    ("peer without room: never lost again", "tcp_recovery.c",
     "!lost_again(e, c, r, silent, now)", "true"),
    ("D-SACKs tell of a loss", "tcp_recovery.c", " && n->delivered == 0 && !n->dsack", " && n->delivered == 0"),
    ("BBR keeps its record", "cc_bbr.c",
     "\tpool_put(&e->ccs, state(c));\n",
     ""),
    # path MTU by probes
    ("probe lost is congestion", "tcp_plpmtu.c", "\tfailed(c);\n\treturn true;", "\tfailed(c);\n\treturn false;"),
    ("any loss with a probe is the probe", "tcp_plpmtu.c", "if (seq_lt(end, r->end))", "if (false)"),
    ("probes two at a time", "tcp_plpmtu.c", "c->xmit->probe || tcp", "tcp"),
    ("probe with nothing behind", "tcp_plpmtu.c", "size + FOLLOW * c->mss", "size"),
    ("search never ends", "tcp_plpmtu.c", "high < low + NEAR ? 0", "false ? 0"),
    ("search by probes never again", "tcp_plpmtu.c", "if ((uint16_t)(now_s - r->plpmtu_s) >= AGAIN_S) {", "if (false) {"),
    ("probe that arrives is forgotten", "tcp_plpmtu.c",
     "set_low(e, c, min(size, (uint32_t)tcp_rare(c)->plpmtu_high), now);", ""),
    ("probe that is lost is tried again", "tcp_plpmtu.c",
     "c->rare->plpmtu_high = to_u16(max(x->probe + stamp(c) - 1, (uint32_t)c->rare->plpmtu_low));", ""),
    ("first timeout is a black hole", "tcp_plpmtu.c", "c->retries <= BLACK_RETRIES", "false"),
    ("black holes unseen", "tcp_plpmtu.c", "!large_segment_is_first(c))", "true)"),
    ("black hole does not halve", "tcp_plpmtu.c", "set_low(e, c, max((low - stamp(c)) / 2 + stamp(c), TCP_MSS_MIN), now);", ""),
    ("probing although off", "tcp_plpmtu.c", "e->cfg->mtu_probing == TCP_MTU_PROBING_OFF ||", ""),
    ("timeout judges a probe", "tcp_plpmtu.c", "if (c->xmit)\n\t\tc->xmit->probe = 0;", ""),
    ("router not heard on a probe", "tcp_plpmtu.c", "if (x && x->probe &&", "if (false &&"),
    ("router believed at once", "tcp_pmtu.c", "if (c->pmtu_acked > path - stamp(c))", "if (false)"),
    ("router never believed", "tcp_pmtu.c", "believe(e, c, claim, now);", ";"),
    ("claim survives an ACK", "tcp_ack.c", "tcp_pmtu_unclaim(c); /*", "; /*"),
    ("path MTU raised by a router", "tcp_pmtu.c", "if (path >= size_now(e, c, now))", "if (false)"),
    ("path MTU for ever", "tcp_pmtu.c", "p->pmtu_until = now + KEEP_NS;", "p->pmtu_until = TIME_NEVER;"),
    ("path MTU not remembered", "tcp_pmtu.c", "p->pmtu = to_u16(mtu);", ""),
    # urgent text
    ("urgent pointer on the last byte", "tcp_urgent.c", "seq_add(c->iss, 1 + end)", "seq_add(c->iss, end)"),
    ("urgent pointer falls back", "tcp_urgent.c",
     "if (tcp_urgent_on(c) && seq_lt(up, r->snd_up))", "if (false)"),
    ("urgent for ever", "tcp_urgent.c", "if (!seq_lt(s->seq, tcp_rare(c)->snd_up))\n\t\treturn;", "", ),
    ("long urgent text silent", "tcp_urgent.c", "if (ahead > UINT16_MAX &&", "if (ahead > UINT16_MAX ||"),
    ("urgent byte off by one", "tcp_urgent.c", "s->urg ? s->urg - 1u : 0", "s->urg"),
    ("urgent byte told again", "tcp_urgent.c", "if (seq_lt(last, c->rcv_nxt) ||", "if ("),
    ("urgent pointer told again", "tcp_urgent.c",
     "||\n\t    ((c->flags & TCPF_URG_IN) && seq_le(last, tcp_rare(c)->rcv_up))", ""),
    ("urgent byte never comes", "tcp_urgent.c", "c->flags &= ~(uint32_t)TCPF_URG_IN; /*", ";/*"),
    ("Nagle holds urgent text", "tcp_out.c", "if (tcp_urgent_on(c))\n\t\treturn true;", ""),
    ("closed window hides urgency", "tcp_out.c", "c->flags |= tcp_urgent_on(c) ? TCPF_ACK_NOW : 0;", ""),
    # Fast Open
    ("cookie of the client's address alone", "tcp_fastopen.c", "\th = siphash24(&k->key[i], in, 2 * len);",
     "\th = siphash24(&k->key[i], in, len);"),
    ("no backup key", "tcp_fastopen.c", "for (unsigned i = k->n; i-- > 0;) {",
     "for (unsigned i = 1; i-- > 0;) {"),
    ("old cookie not replaced", "tcp_fastopen.c", "*give = key != 0;", "*give = key < 0;"),
    ("any cookie accepted", "tcp_fastopen.c", "return key >= 0;", "return true;"),
    ("cookie of another length", "tcp_fastopen.c",
     "\tif (syn->n_cookie != TCP_FASTOPEN_COOKIE)\n\t\treturn -1;\n", ""),
    ("last byte of a cookie", "tcp_fastopen.c", "b < sizeof want; b++", "b < sizeof want - 1; b++"),
    ("delayed ACK beside the SYN-ACK", "tcp_fastopen.c",
     "c->ack_at = TIME_NEVER; /* the SYN-ACK", "/* the SYN-ACK"),
    ("losses do not let it rest", "tcp_fastopen.c", "p->fastopen_losses >= LOSSES_ALLOWED", "false"),
    ("it rests for ever", "tcp_fastopen.c", " && now < p->fastopen_off_until;", ";"),
    ("it rests no longer each time", "tcp_fastopen.c",
     "(REST_NS << min((uint32_t)p->fastopen_losses, REST_SHIFT_MAX))", "REST_NS"),
    ("a success is forgotten", "tcp_fastopen.c", "p->fastopen_losses = 0;", ";"),
    ("a plain SYN counts as a success", "tcp_fastopen.c", "else if (!rests(p, now))", "else"),
    ("a loss is not noted", "tcp_fastopen.c", "\t\tnote_loss(p, now);", "\t\t;"),
    ("MSS of the cookie", "tcp_fastopen.c", "min(p && p->mss ? p->mss : MSS_UNKNOWN, (uint32_t)local_mss)",
     "(uint32_t)local_mss"),
    ("a SYN as large as any", "tcp_fastopen.c", "if (p && tcp_path_pmtu(p, now))", "if (false)"),
    ("options beside the SYN's text", "tcp_fastopen.c", "return mss > options ? mss - options : 0;",
     "return mss;"),
    ("text without a cookie", "tcp_fastopen.c", "if (s->n_cookie || bare)\n", "if (true)\n"),
    ("no cookie asked for", "tcp_fastopen.c",
     "s->opts |= TCP_OPT_FASTOPEN;\n\t\ts->n_cookie = p", "s->n_cookie = p"),
    ("what the SYN-ACK left out", "tcp_fastopen.c", "c->snd_nxt = s->ack; /*", ";/*"),
    ("cookie not kept", "tcp_fastopen.c", "p->n_cookie = s->n_cookie;\n\t\tmemcpy", "memcpy"),
    # ways to peers
    ("the one used last makes room", "tcp_path.c", "set[i].used_at < oldest->used_at",
     "set[i].used_at > oldest->used_at"),
    ("use of a way not noted", "tcp_path.c", "\t\tset[i].used_at = now;\n", ""),
    ("all ways in one set", "tcp_path.c", "(h & (p->n / WAYS - 1)) * WAYS", "0"),
    ("a way inherits", "tcp_path.c", "*oldest = (struct tcp_path){ .ip = *ip, .used_at = now };",
     "oldest->ip = *ip;\n\toldest->used_at = now;"),
    ("fewer ways than asked for", "tcp_path.c", "while (size < n)", "while (size * 2 < n)"),
    ("the size a router told lasts", "tcp_pmtu.c", "p->pmtu_until = now + KEEP_NS;",
     "p->pmtu_until = TIME_NEVER;"),
    ("any size is believed", "tcp_pmtu.c", "\tmtu = max(mtu, least(e, c));\n", ""),
    ("IPv6 made as small as IPv4", "tcp_pmtu.c",
     "ip_addr_is_v4(&tcp_name(c)->remote) ? e->cfg->min_pmtu : LEAST_V6", "e->cfg->min_pmtu"),
    # ends of records
    ("records leave as one", "tcp_out.c", "min(min(record, usable), full)",
     "min(min(unsent, usable), full)"),
    ("a record waits for the next", "tcp_out.c",
     "\tif (n == record) /* what follows would not make it fuller: nothing to wait for */\n"
     "\t\treturn true;\n", ""),
    ("a record's end is not pushed", "tcp_out.c", "push_due(c, n, n == record)",
     "push_due(c, n, n == unsent)"),
    ("a probe across records", "tcp_out.c", "\tprobe = probe <= record ? probe : 0;\n", ""),
    ("a loss probe of two records", "tcp_out.c", "n = min(min(record, c->snd_wnd >",
     "n = min(min(unsent, c->snd_wnd >"),
    ("records sent again as one", "tcp_sack.c", " && !(r->flags & SENT_EOR)) {\n\t\tstruct tcp_sent *next",
     ") {\n\t\tstruct tcp_sent *next"),
    ("joining forgets the end", "tcp_sack.c",
     "(SENT_FIN | SENT_EOR | SENT_EVER_RETRANS);\n\t\tsent_free",
     "(SENT_FIN | SENT_EVER_RETRANS);\n\t\tsent_free"),
    ("a cut record ends twice", "tcp_sack.c", "~(SENT_FIN | SENT_EOR);", "~SENT_FIN;"),
    ("held records as one", "tcp_sack.c", " && !(r->flags & SENT_EOR))\n\t\tsacked_join",
     ")\n\t\tsacked_join"),
    ("held records as one, from behind", "tcp_sack.c",
     "(before->flags & (SENT_SACKED | SENT_EOR)) != SENT_SACKED", "!(before->flags & SENT_SACKED)"),
    ("a mark that comes late", "tcp_eor.c", "\t\t\tends_in_flight(c);", "\t\t\t;"),
    # choices
    ("duplicates widen whatever is chosen", "tcp_rack.c",
     " ||\n\t    (e->cfg->recovery & TCP_RECOVERY_STATIC)", ""),
    ("three are enough whatever is chosen", "tcp_rack.c",
     "!(e->cfg->recovery & TCP_RECOVERY_NO_DUPTHRESH)", "true"),
]


def sources(top):
    return (glob.glob(top + "/mtcp/src/base/*.c") + glob.glob(top + "/mtcp/src/wire/*.c") +
            glob.glob(top + "/mtcp/src/tcp/*.c"))


def tests(top):
    """Those of whole stacks need more than what is compiled here."""
    return [p for p in glob.glob(top + "/test/tcp/*.c") + glob.glob(top + "/test/script/*.c")
            if not re.search(r'#include "(test/core|test/api|test/sim|api)/|#include [<"]mtcp_',
                             open(p, encoding="utf-8").read())]


def suites(top):
    """suites.h of the suites at hand; one that is not written yet registers nothing and fails."""
    names = []
    for path in tests(top):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if "CU_add_test(" in text:
            names += re.findall(r"^suite_(\w+)\(void\)$", text, re.M)
    return "".join("SUITE(%s)\n" % n for n in sorted(names))


def limit_cpu():
    """Not the clock's seconds: a busy machine kills no mutant."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))


class Bench:
    """A copy of the tree, compiled once; a mutant compiles one file anew."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="mutants.")
        for d in ("mtcp", "test"):
            shutil.copytree(os.path.join(TOP, d), os.path.join(self.top, d))
        self.suites = suites(self.top)
        with open(self.top + "/test/suites.h", "w", encoding="utf-8") as f:
            f.write(self.suites)
        self.files = sources(self.top) + tests(self.top) + [self.top + "/test/unit_main.c"]
        for path in self.files:
            if not self.compile(path):
                sys.exit("%s does not compile" % path)

    def compile(self, path):
        return subprocess.call(
            ["gcc", *FLAGS, "-I" + self.top + "/mtcp/src", "-I" + self.top + "/mtcp/include",
             "-I" + self.top, "-c", "-o", path + ".o", path], stderr=subprocess.DEVNULL) == 0

    def run(self, suite=None):
        """None when all is well; otherwise what noticed."""
        try:
            r = subprocess.run([self.top + "/unit"] + ([suite] if suite else []),
                               capture_output=True, text=True, timeout=30 * CPU_SECONDS,
                               errors="replace", cwd=self.top, preexec_fn=limit_cpu)
        except subprocess.TimeoutExpired:
            return "sleeps"
        if r.returncode == -signal.SIGXCPU:
            return "hangs"
        if r.returncode == 0:
            return None
        for pattern in (r"Assertion `(.*)' failed", r"Test (.*) had failures"):
            m = re.search(pattern, r.stdout + r.stderr)
            if m:
                return m.group(1)[:60]
        return "exit status %d" % r.returncode

    def link(self):
        return subprocess.call(["gcc", "-o", self.top + "/unit", *[p + ".o" for p in self.files],
                                "-lcunit", "-lm"]) == 0

    def suite_of(self, file):
        """The one that mirrors the file notices most, and in a moment."""
        name = os.path.splitext(file)[0]
        return name if "SUITE(%s)\n" % name in self.suites else None

    def try_one(self, name, file, old, new):
        path = "%s/mtcp/src/tcp/%s" % (self.top, file)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if text.count(old) < 1:
            return "does not apply"
        shutil.copy2(path + ".o", path + ".o.good")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, 1))
        if not self.compile(path):
            how = "does not compile"
        elif not self.link():
            how = "does not link"
        else:
            suite = self.suite_of(file)
            how = (self.run(suite) if suite else None) or self.run()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        shutil.move(path + ".o.good", path + ".o")
        return how


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    bench = Bench()
    alive = 0
    try:
        how = bench.run() if bench.link() else "they do not link"
        if how:
            sys.exit("the tests fail without a mutant: " + how)
        chosen = [m for m in MUTANTS if part in m[0] or part == m[1]]
        for m in chosen:
            how = bench.try_one(*m)
            bad = how in (None, "does not apply", "does not compile", "does not link")
            alive += bad
            print("%-9s %-34s %s" % ("SURVIVED" if bad else "killed", m[0], how or ""), flush=True)
        print("%d passed, %d failed" % (len(chosen) - alive, alive))
    finally:
        shutil.rmtree(bench.top)
    return alive != 0


if __name__ == "__main__":
    sys.exit(main())
