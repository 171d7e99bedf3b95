/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port with checksum offload does, in software: for engines that pretend
 * to have it (io_mem), that must see final bytes (io_fault, io_pcap).
 */
#pragma once

#include "io_engine/io.h"

/* Fills in the sums that pkt->flags asks for (IO_TX_*) and clears those flags. */
void io_sum_finish(struct io_pkt *pkt);

/* Judges a received frame: IO_RX_IP_* and IO_RX_L4_* as a port with receive
 * checksums would say; 0 for what it does not know (not IPv4, fragments). */
uint16_t io_sum_judge(const uint8_t *frame, uint32_t len);

/* Makes the TCP or UDP sum of a frame that io_sum_judge() finds IO_RX_L4_BAD: one
 * that a virtual peer left unfinished, and its port vouched for. */
void io_sum_repair(uint8_t *frame);
