/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_CARRY_H
#define _TCPTRACE_CARRY_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include "expiry.h"
#include "flow_hash.h"
#include "stats.h"

/**
 * DOC: The data path
 *
 * Nearly every packet carries data, or acknowledges some, on a connection where nothing
 * else is awaited: it tells nothing, but how far its sender has come.  These are followed
 * here, without a lock, without disabling anything, and without writing more than the
 * sequence marks, the counters and the time of their flow.
 *
 * Nothing is given up for it: what passes here is exactly what packet_follow_segment()
 * would take without telling anything, and it leaves the same behind.  Whatever is not
 * plain goes there: a fragment, IP options, a header that is not in one piece, SYN, FIN or
 * RST, a sequence number that is not the next one, an acknowledgment of more than was
 * seen, the first segment of its kind, one after a long silence.
 *
 * &fsm_endpoint.plain says what may pass.  It is written under the lock of the flow, at the end
 * of each step, and is zero while anything but data is on its way: then everything waits
 * for the lock.  Who still saw it open when another CPU closes it, is one whose segment came
 * at the same time as the other; it is as if it had come before.  What answers the other
 * comes later.
 *
 * The marks only go forward, by cmpxchg() (marks.h), so that here and there, on any number
 * of CPUs, none is taken back.  The counters are atomic, and so exact.
 */

/* Behind the IP header of @size bytes, all of it and the TCP header in one piece. */
static __always_inline bool carry_in_one_piece(const struct sk_buff *skb, const void *ip,
					       unsigned int size)
{
	return skb->data == ip && skb_headlen(skb) >= size + sizeof(struct tcphdr);
}

static __always_inline bool carry_only_ack(const struct tcphdr *tcp)
{
	const __be32 looked_at = TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST | TCP_FLAG_ACK;

	return (tcp_flag_word(tcp) & looked_at) == TCP_FLAG_ACK;
}

/* Is it seen by this host's stack, and all the same but the addresses? */
static __always_inline bool carry_same(const struct flow *flow, u16 family, u32 ports, u32 netns)
{
	const struct flow_key *key = &flow->key;

	return key->ports_place == flow_ports_here(ports) && key->netns == netns &&
	       key->family == family;
}

/* A segment of a flow, from endpoint @end of its key; @len is that of header and payload. */
static __always_inline bool carry(struct flow *flow, unsigned long end,
				  const struct tcphdr *tcp, u32 len)
{
	unsigned long dir = end ^ flow->initiator;
	struct fsm_endpoint *from = flow->fsm.end + dir, *to = flow->fsm.end + 1 - dir;
	u32 header = ((const u8 *)tcp)[12] >> 2 & ~3;
	u32 active = READ_ONCE(flow->active), now = jiffies;

	/* or it has to take another place in its queue */
	if (header < sizeof(*tcp) || header > len ||
	    !expiry_keeps_place(TCPTRACE_TIMER_ESTABLISHED, active, now))
		return false;
	len -= header;
	if (!marks_carry_plain(from, to, ntohl(tcp->seq), ntohl(tcp->ack_seq),
			       ntohs(tcp->window), len))
		return false;
	/* most packets of a busy flow come in the same jiffy as the one before */
	if (now != active)
		WRITE_ONCE(flow->active, now);
	atomic64_inc(&flow->pkts[dir]);
	atomic64_add(len, &flow->bytes[dir]);
	stats_inc(STAT_SEGMENTS);
	return true;
}

/**
 * carry_v4 - follow an IPv4 packet, if it is plain
 * @skb: what goes in or out
 * @net: its namespace
 *
 * Context: under rcu_read_lock().
 *
 * Return: false if it is not: nothing has been done.
 */
static __always_inline bool carry_v4(const struct sk_buff *skb, const struct net *net)
{
	const struct iphdr *ip = ip_hdr(skb);
	const struct tcphdr *tcp = (const struct tcphdr *)(ip + 1);
	const struct bucket_table *table;
	u32 ports, bucket, netns = net->ns.inum;
	struct rhash_head *pos;
	unsigned long from;
	struct flow *flow;
	u64 pair;

	if (!carry_in_one_piece(skb, ip, sizeof(*ip)) || ip->protocol != IPPROTO_TCP ||
	    *(const u8 *)ip != 0x45 || ip_is_fragment(ip) || !carry_only_ack(tcp))
		return false;
	pair = get_unaligned((const u64 *)&ip->saddr);
	ports = get_unaligned((const u32 *)tcp);
	from = flow_from_v4(pair, ports);
	if (from) {
		pair = rol64(pair, 32);
		ports = rol32(ports, 16);
	}
	table = rcu_dereference(flow_table.tbl);
	if (unlikely(table->nest))
		return false;
	bucket = rht_bucket_index(table, flow_hash_v4(pair, ports, netns));
	rht_for_each_entry_rcu_from(flow, pos, rht_ptr_rcu(&table->buckets[bucket]), table, bucket,
				    node)
		if (carry_same(flow, AF_INET, ports, netns) && flow->key.v4_pair == pair)
			return carry(flow, from, tcp, skb->len - sizeof(*ip));
	return false;
}

/* The same of an IPv6 packet. */
static __always_inline bool carry_v6(const struct sk_buff *skb, const struct net *net)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);
	const struct tcphdr *tcp = (const struct tcphdr *)(ip + 1);
	const struct in6_addr *first, *second;
	const struct bucket_table *table;
	u32 ports, bucket, netns = net->ns.inum;
	struct rhash_head *pos;
	unsigned long from;
	struct flow *flow;

	if (!carry_in_one_piece(skb, ip, sizeof(*ip)) || ip->nexthdr != NEXTHDR_TCP ||
	    !carry_only_ack(tcp))
		return false;
	ports = get_unaligned((const u32 *)tcp);
	from = flow_from_v6(ip, ports);
	if (from)
		ports = rol32(ports, 16);
	first = from ? &ip->daddr : &ip->saddr;
	second = from ? &ip->saddr : &ip->daddr;
	table = rcu_dereference(flow_table.tbl);
	if (unlikely(table->nest))
		return false;
	bucket = rht_bucket_index(table, flow_hash_v6(first, second, ports, netns));
	rht_for_each_entry_rcu_from(flow, pos, rht_ptr_rcu(&table->buckets[bucket]), table, bucket,
				    node)
		if (carry_same(flow, AF_INET6, ports, netns) &&
		    ipv6_addr_equal(&flow->key.v6[0], first) &&
		    ipv6_addr_equal(&flow->key.v6[1], second))
			return carry(flow, from, tcp, skb->len - sizeof(*ip));
	return false;
}

#endif /* _TCPTRACE_CARRY_H */
