/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FOLLOW_H
#define _TCPTRACE_FOLLOW_H

#include <linux/in.h>
#include <linux/socket.h>
#include "icmp.h"
#include "packet.h"

/* Is a packet of this protocol one that we look at? */
static inline bool follow_wants(u8 protocol, u8 family)
{
	return protocol == IPPROTO_TCP ||
	       protocol == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/**
 * follow_packet - follow what a packet carries
 * @packet: all filled in
 * @protocol: follow_wants() it
 *
 * Context: under rcu_read_lock().
 */
static inline void follow_packet(const struct packet *packet, u8 protocol)
{
	if (likely(protocol == IPPROTO_TCP))
		packet_follow_segment(packet);
	else
		icmp_follow(packet);
}

#endif /* _TCPTRACE_FOLLOW_H */
