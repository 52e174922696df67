/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_PACKET_H
#define _TCPTRACE_PACKET_H

#include <linux/types.h>

struct iphdr;
struct ipv6hdr;
struct net;
struct net_device;
struct sk_buff;

/**
 * struct packet - a TCP or ICMP packet, as the IP layer tells of it and where it was seen
 * @skb: the packet; it stays as it is
 * @v4: its IP header if @family is AF_INET, in @skb or a copy
 * @v6: the same if @family is AF_INET6
 * @net: namespace
 * @dev: interface, or NULL
 * @start: offset of the TCP or ICMP header in @skb
 * @len: length from there on
 * @place: &flow_key.place
 * @family: AF_INET or AF_INET6
 * @hook: &enum tcptrace_hook
 * @checkable: its checksum can be verified: it is no fragment, all of it is in @skb, and
 *	the address that the sum covers is the one in the header, not the end of a source
 *	route
 */
struct packet {
	const struct sk_buff *skb;
	union {
		const struct iphdr *v4;
		const struct ipv6hdr *v6;
	};
	struct net	*net;
	const struct net_device *dev;
	unsigned int	start;
	unsigned int	len;
	u32		place;
	u8		family;
	u8		hook;
	bool		checkable;
};

/**
 * packet_granted - is there no need, or no way, to verify its checksum?
 * @packet: all filled in
 *
 * Return: true if this host just made it, if the interface has verified it, or if it is not
 * checkable.
 */
bool packet_granted(const struct packet *packet);

/**
 * packet_follow_segment - read the segment in a packet and follow it
 * @packet: all filled in, of TCP; its header may be cut off
 *
 * Context: under rcu_read_lock().
 */
void packet_follow_segment(const struct packet *packet);

/**
 * struct packet_extensions - what stands between an IPv6 and a TCP header
 * @end: offset in the packet where they end
 * @protocol: which header is there; NEXTHDR_FRAGMENT in every fragment but the first, where
 *	none is
 * @fragment: the packet is a fragment
 * @routed: addresses of a route are still to be visited: the destination is not the last
 */
struct packet_extensions {
	unsigned int	end;
	u8		protocol;
	bool		fragment;
	bool		routed;
};

/**
 * packet_read_extensions - pass over IPv6 extension headers, RFC 8200 section 4
 * @skb: the packet
 * @extensions: @end is where the first begins, @protocol which one it is; all is filled in
 *
 * Return: false if the packet ends among them.
 */
bool packet_read_extensions(const struct sk_buff *skb, struct packet_extensions *extensions);

#endif /* _TCPTRACE_PACKET_H */
