/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet II frames and ARP for IPv4 over Ethernet (RFC 826). */
#pragma once

#include "base/ip_addr.h"

#define ETH_LEN       14u
#define ETH_MIN       60u /* shortest frame, without FCS; senders need not pad: ports do */
#define ETH_TYPE_IP4  0x0800u
#define ETH_TYPE_ARP  0x0806u
#define ETH_TYPE_VLAN 0x8100u
#define ETH_TYPE_IP6  0x86ddu

struct mac_addr {
	uint8_t b[6];
};

struct eth_hdr {
	struct mac_addr dst, src;
	uint16_t type;
};

/* False when `len` is too short for a header. */
bool wire_eth_parse(const uint8_t *p, size_t len, struct eth_hdr *h);

/* Writes ETH_LEN bytes. */
void wire_eth_build(uint8_t *p, const struct eth_hdr *h);

static inline bool
mac_is_broadcast(const struct mac_addr *m)
{
	return (m->b[0] & m->b[1] & m->b[2] & m->b[3] & m->b[4] & m->b[5]) == 0xff;
}

/* The group bit: multicast or broadcast. */
static inline bool
mac_is_group(const struct mac_addr *m)
{
	return m->b[0] & 1;
}

static inline bool
mac_eq(const struct mac_addr *a, const struct mac_addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

#define ARP_LEN     28u
#define ARP_REQUEST 1u
#define ARP_REPLY   2u

struct arp_pkt {
	uint16_t op;
	struct mac_addr sha, tha; /* sender's and target's hardware address  */
	uint32_t spa, tpa;        /* sender's and target's protocol address, host order */
};

/* False when it is too short or not ARP for IPv4 over Ethernet. */
bool wire_arp_parse(const uint8_t *p, size_t len, struct arp_pkt *a);

/* Writes ARP_LEN bytes. */
void wire_arp_build(uint8_t *p, const struct arp_pkt *a);
