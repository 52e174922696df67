// SPDX-License-Identifier: GPL-2.0
/*
 * The least that a netfilter module costs: hooks on LOCAL_IN and LOCAL_OUT
 * that find the TCP header, count its flags per CPU and accept. What a tracer
 * costs is told against this. With blind=1 they only accept, which is what being
 * called costs.
 */
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/percpu.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

struct flag_counts {
	u64 of[256];
};

static DEFINE_PER_CPU(struct flag_counts, flag_counts);

static unsigned int emptyhook_count(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	const struct tcphdr *tcp;
	struct tcphdr buf;

	if (ip_hdr(skb)->protocol != IPPROTO_TCP)
		return NF_ACCEPT;

	tcp = skb_header_pointer(skb, ip_hdrlen(skb), sizeof(buf), &buf);
	if (tcp)
		this_cpu_inc(flag_counts.of[tcp_flag_byte(tcp)]);
	return NF_ACCEPT;
}

static bool blind;
module_param(blind, bool, 0);
MODULE_PARM_DESC(blind, "do nothing at all");

static unsigned int emptyhook_accept(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static struct nf_hook_ops emptyhook_ops[] = {
	{
		.hook = emptyhook_count,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = emptyhook_count,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_LAST,
	},
};

static int __net_init emptyhook_net_init(struct net *net)
{
	return nf_register_net_hooks(net, emptyhook_ops,
				     ARRAY_SIZE(emptyhook_ops));
}

static void __net_exit emptyhook_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, emptyhook_ops, ARRAY_SIZE(emptyhook_ops));
}

static struct pernet_operations emptyhook_net_ops = {
	.init = emptyhook_net_init,
	.exit = emptyhook_net_exit,
};

static int __init emptyhook_init(void)
{
	unsigned int i;

	for (i = 0; blind && i < ARRAY_SIZE(emptyhook_ops); i++)
		emptyhook_ops[i].hook = emptyhook_accept;
	return register_pernet_subsys(&emptyhook_net_ops);
}
module_init(emptyhook_init);

static void __exit emptyhook_exit(void)
{
	unregister_pernet_subsys(&emptyhook_net_ops);
}
module_exit(emptyhook_exit);

MODULE_DESCRIPTION("The cost of an empty netfilter hook");
MODULE_LICENSE("GPL");
