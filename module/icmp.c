// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/sock.h>
#include "flow.h"
#include "icmp.h"
#include "packet.h"
#include "quote.h"
#include "segment.h"
#include "stats.h"
#include "track.h"

/* Made by the kernel of this host, not by a program that sends raw. */
static bool is_own(const struct packet *packet)
{
	const struct sock *sk = packet->skb->sk;

	return packet->hook == TCPTRACE_HOOK_OUT && sk && sk->sk_kern_sock;
}

static bool is_v4(const struct packet *packet)
{
	return packet->family == AF_INET;
}

/* ICMPv6 sums over the addresses too, RFC 4443 section 2.3. */
static bool checksum_good(const struct packet *packet)
{
	__wsum sum;

	if (packet_granted(packet))
		return true;
	sum = skb_checksum(packet->skb, packet->start, packet->len, 0);
	if (is_v4(packet))
		return !csum_fold(sum);
	return !csum_ipv6_magic(&packet->v6->saddr, &packet->v6->daddr, packet->len,
				IPPROTO_ICMPV6, sum);
}

static bool parse(const struct packet *packet, const u8 *message, unsigned int len,
		  struct quote *quote)
{
	return is_v4(packet) ? quote_parse_v4(quote, message, len) :
			       quote_parse_v6(quote, message, len);
}

/* Which endpoint of @key sent the segment. */
static u8 put_key(struct flow_key *key, const struct packet *packet,
		  const struct quote *quote)
{
	const __be16 port[] = { htons(quote->source_port), htons(quote->dest_port) };
	u32 ports = get_unaligned((const u32 *)port);

	key->netns = packet->net->ns.inum;
	key->place = packet->place;
	if (is_v4(packet))
		return flow_order_v4(key, (const struct iphdr *)quote->ip, ports);
	return flow_order_v6(key, (const struct ipv6hdr *)quote->ip, ports);
}

static void put_origin(struct tcptrace_icmp *icmp, const struct packet *packet)
{
	if (is_v4(packet))
		memcpy(icmp->from, &packet->v4->saddr, sizeof(struct in_addr));
	else
		memcpy(icmp->from, &packet->v6->saddr, sizeof(struct in6_addr));
}

/* The error quotes all of a SYN, or SYN+ACK, but its data. */
static bool read_syn(struct segment *seg, const struct quote *quote)
{
	if (quote->quoted < SEGMENT_HEADER_MIN || segment_parse(seg, quote->tcp, quote->len))
		return false;
	if (quote->quoted < seg->header_len ||
	    (seg->flags & SEGMENT_CONTROL) != TCPTRACE_TCP_SYN)
		return false;
	segment_parse_options(seg, quote->tcp + SEGMENT_HEADER_MIN,
			      seg->header_len - SEGMENT_HEADER_MIN);
	return true;
}

/*
 * This host has just rejected a segment, perhaps before it was seen.  There is no more of
 * the packet than what the kernel quotes: its checksum is granted.
 */
static void follow_rejected(struct flow_key *key, const struct sighting *icmp,
			    const struct quote *quote)
{
	struct segment seg;
	const struct sighting at = {
		.seg		= &seg,
		.dev		= icmp->dev,
		.hook		= icmp->hook,
		.from		= icmp->from,
	};

	if (read_syn(&seg, quote))
		track_unseen(key, &at);
}

static void follow(const struct packet *packet, const struct quote *quote)
{
	const struct segment seg = { .seq = quote->seq };
	struct tcptrace_icmp icmp = { .type = quote->type, .code = quote->code };
	struct sighting at = {
		.seg	= &seg,
		.icmp	= &icmp,
		.dev	= packet->dev,
		.hook	= packet->hook,
	};
	enum tcptrace_reason reason = TCPTRACE_REASON_NONE;
	struct flow_key key;

	stats_inc(STAT_ICMP_ERRORS);
	if (!checksum_good(packet)) {
		stats_inc(STAT_ICMP_BAD_SUM);
		reason = TCPTRACE_REASON_BAD_ICMP_CHECKSUM;
	}
	put_origin(&icmp, packet);
	at.from = put_key(&key, packet, quote);
	if (quote->unseen)
		follow_rejected(&key, &at, quote);
	track_icmp(&key, &at, quote, reason);
}

/* A mirror may have cut it short. */
static unsigned int length(const struct packet *packet)
{
	unsigned int len = min_t(unsigned int, packet->len, QUOTE_MESSAGE_MAX);

	return packet->start < packet->skb->len ? min(len, packet->skb->len - packet->start) : 0;
}

static void look(const struct packet *packet)
{
	unsigned int len = length(packet);
	u8 message[QUOTE_MESSAGE_MAX] __aligned(8);	/* its headers are read as words */
	struct quote quote;

	if (skb_copy_bits(packet->skb, packet->start, message, len) ||
	    !parse(packet, message, len, &quote))
		return;
	quote.unseen = is_own(packet);
	follow(packet, &quote);
}

void icmp_follow(const struct packet *packet)
{
	local_bh_disable();
	look(packet);
	local_bh_enable();
}
