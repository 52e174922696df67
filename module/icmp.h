/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_ICMP_H
#define _TCPTRACE_ICMP_H

#include <linux/types.h>

struct net;
struct net_device;
struct sk_buff;

/**
 * DOC: ICMP errors, and the connections that they are about
 *
 * An error is seen where segments are, each once, and belongs to the flow of the segment
 * that it quotes.  NAT translates a quote at the very hooks at which it translates the
 * segments that go the way of the error, nf_nat_icmp_reply_translation(), so where we look
 * the quote has the tuple by which we know the flow.
 *
 * Some of what a host rejects never gets to where we look: its own SYN or SYN+ACK in its
 * OUTPUT chain, one that it cannot forward for want of a route or of a time to live.  The
 * kernel quotes more than it must, so the error that it makes shows that segment, which
 * is told as if it had been seen.  Any other error about an unknown connection is counted.
 */

/**
 * struct icmp_packet - an ICMP or ICMPv6 packet, and where it was seen
 * @skb: the packet; its network header is set
 * @dev: the interface, or NULL
 * @net: network namespace of the flows it may be about
 * @start: offset of the ICMP header in @skb
 * @len: length from there on, at most to the end of @skb
 * @place: as &flow_key.place
 * @hook: &enum tcptrace_hook
 * @own: the kernel of this host has just made it
 * @checkable: its checksum can be verified: it is no fragment, and goes to the address in
 *	its IP header
 */
struct icmp_packet {
	const struct sk_buff *skb;
	const struct net_device *dev;
	struct net	*net;
	unsigned int	start;
	unsigned int	len;
	u16		place;
	u8		hook;
	bool		own;
	bool		checkable;
};

/**
 * icmp_look - look at an ICMP packet; if it is an error about a connection, follow that
 * @packet: any, of either version
 *
 * Context: under rcu_read_lock(), bottom halves disabled.
 */
void icmp_look(const struct icmp_packet *packet);

#endif /* _TCPTRACE_ICMP_H */
