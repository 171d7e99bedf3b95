/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors that we send.  They go back by the link address that the packet came from: who is
 * told needs no neighbour entry, so a flood cannot fill that table.
 */

#include "core/stack_priv.h"

/* How fast errors leave could be watched, to find out what a port here is asked by others: so
 * up to two tokens more than needed are taken now and then (RFC 8085 5.2; CVE-2020-25705). */
static bool
take_token(struct stack *st, int64_t now)
{
	uint64_t h = siphash24(&st->cfg.secret, &st->errors_told, sizeof st->errors_told);

	if (!icmp_rate_take(&st->error_rate, now))
		return false;
	st->errors_told++;
	for (unsigned more = (unsigned)(h % 3); more > 0; more--)
		(void)icmp_rate_take(&st->error_rate, now);
	return true;
}

void
refuse_packet(struct stack *st, unsigned port, const struct mac_addr *from, uint8_t type,
              uint8_t code, const uint8_t *ip, uint32_t len, int64_t now)
{
	struct ip_way way = { port, *from };
	uint8_t out[ICMP_ERROR_MAX];
	struct ip4_hdr h;
	uint32_t n;

	if (!ip_room(st, port, now) || !icmp4_may_tell(ip, len) || !take_token(st, now))
		return;
	n = icmp4_error_build(type, code, ip, len, out);
	(void)wire_ip4_parse(out, n, false, &h);
	ip_packet_out(st, &way, &h, out + IP4_LEN, n - IP4_LEN);
}
