/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a packet.  Every early exit on the way in names its fate, and
 * the stack counts it: this table is the statistics, the log, what tests
 * observe, and a coverage report (a fate at zero is a scenario missing).
 */
#pragma once

/* clang-format off */
#define FATES(X)                                                                       \
	X(SEG_OK,               "accepted")                                            \
	X(SEG_OUT_OF_ORDER,     "accepted beyond a hole (RFC 9293 SHLD-31)")           \
	/* link and network */                                                         \
	X(IN_ARP,               "ARP for us")                                          \
	X(IN_ICMP,              "ICMP taken")                                          \
	X(IN_ND,                "neighbour discovery taken")                           \
	X(DROP_SHORT,           "frame too short")                                     \
	X(DROP_NOT_OURS,        "not for one of our addresses")                        \
	X(DROP_ETHERTYPE,       "a protocol we do not speak")                          \
	X(DROP_ARP,             "malformed ARP")                                       \
	X(DROP_ND,              "neighbour discovery void or of no use (RFC 4861 7.1)") \
	X(DROP_IP_HEADER,       "malformed IP header")                                 \
	X(DROP_IP_SUM,          "IP header checksum wrong")                            \
	X(DROP_IP_SOURCE,       "source address not a host's (RFC 9293 MUST-63)")      \
	X(IN_FRAGMENT,          "IP fragment kept until others come")                  \
	X(DROP_FRAGMENT,        "IP fragment malformed, or there already")             \
	X(DROP_FRAGMENT_OVERLAP, "IP fragments overlap or contradict each other: all dropped (RFC 5722)") \
	X(DROP_FRAGMENT_ROOM,   "IP fragment for which there is no memory")            \
	X(DROP_FRAGMENT_LATE,   "packet that was not whole in time (RFC 1122 3.3.2)")  \
	X(DROP_IP6_EXT,         "extension headers not understood, or too many (RFC 8200 4)") \
	X(DROP_IP_PROTO,        "IP protocol we do not speak")                         \
	X(DROP_ICMP,            "ICMP malformed, unknown or over the rate")            \
	X(DROP_ICMP_QUOTE,      "ICMP error whose quote matches nothing in flight (RFC 5927)") \
	X(IN_UDP,               "datagram for a socket")                               \
	X(DROP_UDP_HEADER,      "malformed UDP header")                                \
	X(DROP_UDP_SUM,         "UDP checksum wrong")                                  \
	X(DROP_UDP_NOBODY,      "datagram for a port that nobody has (RFC 1122 4.1.3.1)") \
	X(DROP_UDP_FULL,        "datagram for a socket that holds as many bytes as it may") \
	X(DROP_TCP_HEADER,      "malformed TCP header")                                \
	X(DROP_TCP_SUM,         "TCP checksum wrong")                                  \
	X(TO_KERNEL,            "nobody's here: given to the kernel")                  \
	X(FROM_KERNEL,          "sent for the kernel")                                 \
	X(DROP_EXCEPTION,       "to or from the kernel, over exception_rate or without room") \
	/* other cores */                                                              \
	X(HANDED_OVER,          "arrived on the wrong core: handed to the right one")  \
	X(DROP_HANDOVER_FULL,   "arrived on the wrong core, and the way to the right one is full") \
	X(DROP_CORE_GONE,       "arrived on the wrong core, and the right one has ended") \
	/* no connection */                                                            \
	X(DROP_NO_CONN,         "no such connection: reset sent (RFC 9293 3.10.7.1)")  \
	X(DROP_NO_CONN_RST,     "RST for no connection: ignored")                      \
	X(DROP_LISTEN,          "neither SYN, nor for a half-open connection")         \
	X(DROP_DEAF,            "SYN for who listens no more, or not yet: it comes again") \
	X(DROP_BACKLOG,         "accept queue full")                                   \
	X(DROP_HALF_OPEN,       "too many half-open connections")                      \
	X(DROP_NO_MEMORY,       "a pool is exhausted")                                 \
	X(SYN_TAKEN,            "SYN started a half-open connection")                  \
	X(SYN_FASTOPEN,         "SYN's text was taken (RFC 7413 4.2.2)")               \
	X(SYN_COOKIE,           "SYN answered by a cookie (RFC 4987)")                 \
	X(COOKIE_TAKEN,         "ACK of a cookie: a connection")                       \
	X(DROP_COOKIE,          "ACK of no cookie of ours: reset sent")                \
	X(SYN_AGAIN,            "SYN repeated: SYN-ACK sent again")                    \
	X(REQ_RESET,            "half-open connection reset by the peer")              \
	/* connection */                                                               \
	X(DROP_OUTSIDE_WINDOW,  "outside the receive window (RFC 9293 3.10.7.4)")      \
	X(DROP_DUPLICATE,       "all of it received before")                           \
	X(DROP_PAWS,            "older than what was received (RFC 7323 5)")           \
	X(DROP_RESET,           "connection reset by the peer")                        \
	X(DROP_RST_CHALLENGED,  "in-window RST answered by a challenge ACK (RFC 5961 3.2)") \
	X(DROP_SYN_CHALLENGED,  "SYN in a synchronized state (RFC 5961 4.2)")          \
	X(DROP_NO_ACK,          "ACK bit missing")                                     \
	X(DROP_ACK_UNSENT,      "acknowledges what was never sent")                    \
	X(DROP_ACK_OLD,         "ACK older than the largest window (RFC 5961 5.2)")    \
	X(DROP_HANDSHAKE,       "handshake segment not acceptable")                    \
	X(DROP_HANDSHAKE_RESET, "handshake ACK of another connection: reset sent")     \
	X(DROP_DEFERRED,        "handshake ACK of a connection that waits for text")   \
	X(DROP_AFTER_CLOSE,     "text for a closed application: reset sent (RFC 9293 SHLD-3)") \
	X(DROP_ZERO_WINDOW,     "text against a closed window")                        \
	X(ORPHAN_RESET,         "closed by the application, its text in the way when memory was scarce: reset") \
	X(DROP_REASS_FULL,      "out-of-order store is full")                          \
	/* TIME-WAIT */                                                                \
	X(TW_ACKED,             "TIME-WAIT acknowledged a repeated segment")           \
	X(TW_IGNORED,           "ignored in TIME-WAIT (RFC 1337)")                     \
	X(TW_RESET,             "TIME-WAIT ended by a reset at RCV.NXT")               \
	X(TW_FIN,               "the FIN that FIN-WAIT-2 waited for")                  \
	X(TW_REOPENED,          "SYN reopened a TIME-WAIT connection (RFC 6191)")
/* clang-format on */

enum fate {
#define X(name, text) name,
	FATES(X)
#undef X
	N_FATES
};
