// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "expiry.h"
#include "hooks.h"
#include "icmp.h"
#include "stats.h"
#include "track.h"

/**
 * struct packet - what the IP layer tells of a TCP or ICMP packet
 * @skb: the packet
 * @state: the hook it is at
 * @start: offset of the TCP or ICMP header in @skb
 * @len: length from there on
 * @checkable: its checksum can be verified: it is no fragment, and the address that
 *	the sum covers is the one in the header, not the end of a source route
 */
struct packet {
	const struct sk_buff *skb;
	const struct nf_hook_state *state;
	unsigned int	start;
	unsigned int	len;
	bool		checkable;
};

static const u8 hook_of[] = {
	[NF_INET_LOCAL_IN]	= TCPTRACE_HOOK_IN,
	[NF_INET_FORWARD]	= TCPTRACE_HOOK_FORWARD,
	[NF_INET_LOCAL_OUT]	= TCPTRACE_HOOK_OUT,
};

/*
 * Loopback was seen when it left.  What leaves through a VRF passes LOCAL_OUT for the VRF
 * and again for the interface below it, or comes in again.  ip6_xmit() names the interface
 * both times; if the VRF has a queue, only the route tells the first from the second.
 */
static bool seen_elsewhere(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (state->hook == NF_INET_LOCAL_IN)
		return state->in->flags & IFF_LOOPBACK;
	return state->hook == NF_INET_LOCAL_OUT &&
	       (netif_is_l3_master(state->out) || netif_is_l3_master(skb_dst(skb)->dev));
}

/*
 * Only what can change a state is worth a sum over its bytes; the sum is not stored, the
 * packet stays as it is.  A packet that this host just made, or whose sum the interface
 * has checked, is good.
 */
static bool checksum_good(const struct packet *packet, u8 family)
{
	const struct sk_buff *skb = packet->skb;
	__wsum sum;

	if (!packet->checkable || skb->ip_summed == CHECKSUM_PARTIAL || skb_csum_unnecessary(skb))
		return true;
	sum = skb_checksum(skb, packet->start, packet->len, 0);
	if (family == AF_INET)
		return !csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, packet->len,
					  IPPROTO_TCP, sum);
	return !csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, packet->len,
				IPPROTO_TCP, sum);
}

static void parse_options(const struct packet *packet, struct segment *seg)
{
	unsigned int len = seg->header_len - SEGMENT_HEADER_MIN;
	u8 buffer[SEGMENT_HEADER_MAX - SEGMENT_HEADER_MIN];
	const u8 *options;

	options = skb_header_pointer(packet->skb, packet->start + SEGMENT_HEADER_MIN, len, buffer);
	if (options)
		segment_parse_options(seg, options, len);
}

static void look(const struct packet *packet)
{
	const struct nf_hook_state *state = packet->state;
	const struct net_device *in = state->in;
	struct segment seg;
	struct sighting at = {
		.seg	= &seg,
		.dev	= in ? in : state->out,
		.hook	= hook_of[state->hook],
	};
	struct flow_key key;
	enum tcptrace_reason reason;
	u8 buffer[SEGMENT_HEADER_MIN];
	const u8 *header;
	__be16 source = 0, dest = 0;

	header = skb_header_pointer(packet->skb, packet->start, sizeof(buffer), buffer);
	reason = segment_parse(&seg, header, header ? packet->len : 0);
	if (header) {
		source = get_unaligned((const __be16 *)header);
		dest = get_unaligned((const __be16 *)(header + 2));
	}
	key.net = state->net;
	key.place = 0;
	if (state->pf == NFPROTO_IPV4)
		at.from = flow_order_v4(&key, ip_hdr(packet->skb), source, dest);
	else
		at.from = flow_order_v6(&key, ipv6_hdr(packet->skb), source, dest);

	if (seg.flags & SEGMENT_CONTROL && !reason) {
		if (seg.flags & TCPTRACE_TCP_SYN)
			parse_options(packet, &seg);
		if (!checksum_good(packet, key.family))
			reason = TCPTRACE_REASON_BAD_CHECKSUM;
	}
	if (unlikely(reason))
		track_invalid(&key, &at, reason);
	else
		track_segment(&key, &at);
}

static void look_at(const struct packet *packet)
{
	local_bh_disable();
	stats_inc(STAT_SEGMENTS);
	look(packet);
	local_bh_enable();
}

/* Made by the kernel of this host, not by a program that sends raw. */
static bool is_own(const struct packet *packet)
{
	const struct sock *sk = packet->skb->sk;

	return packet->state->hook == NF_INET_LOCAL_OUT && sk && sk->sk_kern_sock;
}

static void look_at_icmp(const struct packet *packet)
{
	const struct nf_hook_state *state = packet->state;
	const struct icmp_packet icmp = {
		.skb		= packet->skb,
		.dev		= state->in ? state->in : state->out,
		.net		= state->net,
		.start		= packet->start,
		.len		= packet->len,
		.hook		= hook_of[state->hook],
		.own		= is_own(packet),
		.checkable	= packet->checkable,
	};

	local_bh_disable();
	icmp_look(&icmp);
	local_bh_enable();
}

static void skip_fragment(void)
{
	local_bh_disable();
	stats_inc(STAT_FRAGMENTS);
	local_bh_enable();
}

/* The options of what a program sends raw are not parsed: any may be a source route. */
static bool may_be_routed(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return ip_hdr(skb)->ihl > sizeof(struct iphdr) / 4 &&
	       (state->hook == NF_INET_LOCAL_OUT || IPCB(skb)->opt.srr);
}

static unsigned int hook_v4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct iphdr *ip = ip_hdr(skb);
	struct packet packet = { .skb = skb, .state = state };
	unsigned int header;

	if ((ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_ICMP) ||
	    seen_elsewhere(skb, state))
		return NF_ACCEPT;
	header = ip->ihl * 4;
	if (header < sizeof(*ip) || skb->len < skb_network_offset(skb) + header)
		return NF_ACCEPT;
	if (ip->frag_off & htons(IP_OFFSET)) {
		skip_fragment();
		return NF_ACCEPT;
	}
	packet.start = skb_network_offset(skb) + header;
	packet.len = skb->len - packet.start;
	packet.checkable = !ip_is_fragment(ip) && !may_be_routed(skb, state);
	if (likely(ip->protocol == IPPROTO_TCP))
		look_at(&packet);
	else
		look_at_icmp(&packet);
	return NF_ACCEPT;
}

/* A routing header with addresses still to visit: the destination is not the last one. */
static bool on_route(const struct sk_buff *skb)
{
	unsigned int offset = 0;
	int flags = IP6_FH_F_SKIP_RH;

	return ipv6_hdr(skb)->nexthdr != IPPROTO_TCP &&
	       ipv6_find_hdr(skb, &offset, NEXTHDR_ROUTING, NULL, &flags) >= 0;
}

static unsigned int hook_v6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct packet packet = { .skb = skb, .state = state };
	u8 protocol = ipv6_hdr(skb)->nexthdr;
	__be16 fragment = 0;
	bool routed;
	int start = skb_network_offset(skb) + sizeof(struct ipv6hdr);

	if (seen_elsewhere(skb, state))
		return NF_ACCEPT;
	if (protocol != IPPROTO_TCP) {
		start = ipv6_skip_exthdr(skb, start, &protocol, &fragment);
		if (start < 0)
			return NF_ACCEPT;
	}
	if (protocol == NEXTHDR_FRAGMENT)
		skip_fragment();
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_ICMPV6) || skb->len < start)
		return NF_ACCEPT;
	routed = on_route(skb);
	if (routed && state->hook == NF_INET_LOCAL_IN)
		return NF_ACCEPT;	/* it goes on from here, or comes in again */
	packet.start = start;
	packet.len = skb->len - start;
	packet.checkable = !fragment && !routed;
	if (likely(protocol == IPPROTO_TCP))
		look_at(&packet);
	else
		look_at_icmp(&packet);
	return NF_ACCEPT;
}

#define HOOK(family, function, point, order)	\
	{ .hook = function, .pf = family, .hooknum = point, .priority = order }

static const struct nf_hook_ops ops[] = {
	HOOK(NFPROTO_IPV4, hook_v4, NF_INET_LOCAL_IN, NF_IP_PRI_FIRST),
	HOOK(NFPROTO_IPV4, hook_v4, NF_INET_FORWARD, NF_IP_PRI_FIRST),
	HOOK(NFPROTO_IPV4, hook_v4, NF_INET_LOCAL_OUT, NF_IP_PRI_LAST),
	HOOK(NFPROTO_IPV6, hook_v6, NF_INET_LOCAL_IN, NF_IP6_PRI_FIRST),
	HOOK(NFPROTO_IPV6, hook_v6, NF_INET_FORWARD, NF_IP6_PRI_FIRST),
	HOOK(NFPROTO_IPV6, hook_v6, NF_INET_LOCAL_OUT, NF_IP6_PRI_LAST),
};

static int __net_init hooks_net_init(struct net *net)
{
	return nf_register_net_hooks(net, ops, ARRAY_SIZE(ops));
}

static void __net_exit hooks_net_pre_exit(struct net *net)
{
	nf_unregister_net_hooks(net, ops, ARRAY_SIZE(ops));
}

/* A grace period after pre_exit: no packet of the namespace is in a hook any more. */
static void __net_exit hooks_net_exit(struct net *net)
{
	expiry_flush(net);
}

static struct pernet_operations hooks_net_ops = {
	.init		= hooks_net_init,
	.pre_exit	= hooks_net_pre_exit,
	.exit		= hooks_net_exit,
};

int hooks_init(void)
{
	return register_pernet_subsys(&hooks_net_ops);
}

void hooks_exit(void)
{
	unregister_pernet_subsys(&hooks_net_ops);
}
