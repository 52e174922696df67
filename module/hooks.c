// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include "carry.h"
#include "expiry.h"
#include "follow.h"
#include "hooks.h"
#include "packet.h"
#include "stats.h"

static const u8 hook_of[] = {
	[NF_INET_LOCAL_IN]	= TCPTRACE_HOOK_IN,
	[NF_INET_FORWARD]	= TCPTRACE_HOOK_FORWARD,
	[NF_INET_LOCAL_OUT]	= TCPTRACE_HOOK_OUT,
};

static struct packet packet_at(const struct sk_buff *skb, const struct nf_hook_state *state,
			       u8 family)
{
	return (struct packet){
		.skb	= skb,
		.net	= state->net,
		.dev	= state->in ? state->in : state->out,
		.family	= family,
		.hook	= hook_of[state->hook],
	};
}

/* The options of what a program sends raw are not parsed: any may be a source route. */
static bool may_be_routed(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return ip_hdr(skb)->ihl > sizeof(struct iphdr) / 4 &&
	       (state->hook == NF_INET_LOCAL_OUT || IPCB(skb)->opt.srr);
}

static noinline unsigned int follow_v4(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct packet packet = packet_at(skb, state, AF_INET);
	const struct iphdr *ip = ip_hdr(skb);
	unsigned int header;

	if (!follow_wants(ip->protocol, AF_INET))
		return NF_ACCEPT;
	header = ip->ihl * 4;
	if (header < sizeof(*ip) || skb->len < skb_network_offset(skb) + header)
		return NF_ACCEPT;
	if (ip->frag_off & htons(IP_OFFSET)) {
		stats_inc(STAT_FRAGMENTS);
		return NF_ACCEPT;
	}
	packet.v4 = ip;
	packet.start = skb_network_offset(skb) + header;
	packet.len = skb->len - packet.start;
	packet.checkable = !ip_is_fragment(ip) && !may_be_routed(skb, state);
	follow_packet(&packet, ip->protocol);
	return NF_ACCEPT;
}

static noinline unsigned int follow_v6(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct packet packet = packet_at(skb, state, AF_INET6);
	struct packet_extensions extensions = {
		.end		= skb_network_offset(skb) + sizeof(struct ipv6hdr),
		.protocol	= ipv6_hdr(skb)->nexthdr,
	};

	if (!packet_read_extensions(skb, &extensions))
		return NF_ACCEPT;
	if (extensions.protocol == NEXTHDR_FRAGMENT)
		stats_inc(STAT_FRAGMENTS);
	if (!follow_wants(extensions.protocol, AF_INET6) || skb->len < extensions.end)
		return NF_ACCEPT;
	if (extensions.routed && state->hook == NF_INET_LOCAL_IN)
		return NF_ACCEPT;	/* it goes on from here, or comes in again */
	packet.v6 = ipv6_hdr(skb);
	packet.start = extensions.end;
	packet.len = skb->len - packet.start;
	packet.checkable = !extensions.fragment && !extensions.routed;
	follow_packet(&packet, extensions.protocol);
	return NF_ACCEPT;
}

static noinline unsigned int hook_v4(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return carry_v4(skb, state->net) ? NF_ACCEPT : follow_v4(skb, state);
}

static noinline unsigned int hook_v6(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return carry_v6(skb, state->net) ? NF_ACCEPT : follow_v6(skb, state);
}

/* Loopback was seen when it left. */
static unsigned int hook_in_v4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return state->in->flags & IFF_LOOPBACK ? NF_ACCEPT : hook_v4(priv, skb, state);
}

static unsigned int hook_in_v6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return state->in->flags & IFF_LOOPBACK ? NF_ACCEPT : hook_v6(priv, skb, state);
}

/*
 * What leaves through a VRF passes LOCAL_OUT for the VRF and again for the interface below
 * it, or comes in again.
 */
static unsigned int hook_out_v4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return netif_is_l3_master(state->out) ? NF_ACCEPT : hook_v4(priv, skb, state);
}

/*
 * ip6_xmit() names the interface below both times; if the VRF has a queue, only the route
 * tells the first from the second.
 */
static unsigned int hook_out_v6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return netif_is_l3_master(state->out) || netif_is_l3_master(skb_dst(skb)->dev) ?
	       NF_ACCEPT : hook_v6(priv, skb, state);
}

#define HOOK(family, function, point, order)	\
	{ .hook = function, .pf = family, .hooknum = point, .priority = order }

static const struct nf_hook_ops ops[] = {
	HOOK(NFPROTO_IPV4, hook_in_v4, NF_INET_LOCAL_IN, NF_IP_PRI_FIRST),
	HOOK(NFPROTO_IPV4, hook_v4, NF_INET_FORWARD, NF_IP_PRI_FIRST),
	HOOK(NFPROTO_IPV4, hook_out_v4, NF_INET_LOCAL_OUT, NF_IP_PRI_LAST),
	HOOK(NFPROTO_IPV6, hook_in_v6, NF_INET_LOCAL_IN, NF_IP6_PRI_FIRST),
	HOOK(NFPROTO_IPV6, hook_v6, NF_INET_FORWARD, NF_IP6_PRI_FIRST),
	HOOK(NFPROTO_IPV6, hook_out_v6, NF_INET_LOCAL_OUT, NF_IP6_PRI_LAST),
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
	expiry_flush(net->ns.inum, 0);
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
