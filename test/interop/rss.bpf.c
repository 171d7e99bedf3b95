/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A card's RSS on the sender's side of a veth: the queue that a packet leaves by, and so the
 * one it arrives on, is that of the Toeplitz hash of its addresses and TCP ports, with the
 * key that most drivers start with and QUEUES queues in turn in a table of 128.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#ifndef QUEUES
#define QUEUES 4
#endif

#define TUPLE 12 /* bytes: from, to, ports */

static const unsigned char key[TUPLE + 5] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
};

/* The 32 bits of the key that begin at a bit. */
#define WINDOW(byte, bit)                                                                      \
	((__u32)((((__u64)key[byte] << 32 | (__u64)key[(byte) + 1] << 24 |                     \
	           (__u64)key[(byte) + 2] << 16 | (__u64)key[(byte) + 3] << 8 |                \
	           key[(byte) + 4]) << (bit)) >> 8))

SEC("tc")
int
rss(struct __sk_buff *skb)
{
	unsigned char tuple[TUPLE], ip[10];
	__u32 hash = 0;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, ip, sizeof ip) || ip[0] != 0x45 ||
	    ip[9] != IPPROTO_TCP || bpf_skb_load_bytes(skb, ETH_HLEN + 12, tuple, TUPLE))
		return TC_ACT_OK;
#pragma unroll
	for (int i = 0; i < TUPLE; i++) {
#pragma unroll
		for (int bit = 0; bit < 8; bit++) {
			__u64 one = tuple[i] >> (7 - bit) & 1;

			/* Times, or the verifier would follow both ways of each bit. */
			asm volatile("" : "+r"(one));
			hash ^= (__u32)one * WINDOW(i, bit);
		}
	}
	skb->queue_mapping = (hash & 127) % QUEUES + 1;
	return TC_ACT_OK;
}

char terms[] SEC("license") = "Dual BSD/GPL";
