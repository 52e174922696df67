// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include "compat.h"
#include "packet.h"
#include "stats.h"
#include "track.h"

/* The TCP checksum over a packet whose bytes add up to @sum. */
static __sum16 checksum(const struct packet *packet, __wsum sum)
{
	if (packet->family == AF_INET)
		return csum_tcpudp_magic(packet->v4->saddr, packet->v4->daddr, packet->len,
					 IPPROTO_TCP, sum);
	return csum_ipv6_magic(&packet->v6->saddr, &packet->v6->daddr, packet->len,
			       IPPROTO_TCP, sum);
}

/*
 * The sum as it stands in a packet that its sender's interface was still to complete: over
 * the pseudo header alone, and not inverted.  Captures taken on the sending host have it.
 */
static bool left_to_interface(const struct packet *packet)
{
	u8 buffer[2];
	const u8 *sum;

	if (packet->hook != TCPTRACE_HOOK_INGRESS)
		return false;
	sum = skb_header_pointer(packet->skb, packet->start + SEGMENT_CHECKSUM, sizeof(buffer),
				 buffer);
	return sum && get_unaligned((const __sum16 *)sum) == (__force __sum16)~checksum(packet, 0);
}

bool packet_granted(const struct packet *packet)
{
	const struct sk_buff *skb = packet->skb;

	return !packet->checkable || skb->ip_summed == CHECKSUM_PARTIAL ||
	       skb_csum_unnecessary(skb) || !skb_frags_readable(skb);
}

/* The sum is not stored, the packet stays as it is; costs a look at every byte. */
static bool checksum_good(const struct packet *packet)
{
	return !checksum(packet, skb_checksum(packet->skb, packet->start, packet->len, 0)) ||
	       left_to_interface(packet);
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

/* A sighting that can be asked for its packet. */
struct view {
	struct sighting at;
	const struct packet *packet;
};

static bool genuine(const struct sighting *at)
{
	return checksum_good(container_of(at, struct view, at)->packet);
}

static void follow(const struct packet *packet)
{
	struct segment seg;
	struct view view = {
		.at	= {
			.seg		= &seg,
			.genuine	= packet_granted(packet) ? NULL : genuine,
			.dev		= packet->dev,
			.hook		= packet->hook,
		},
		.packet	= packet,
	};
	struct sighting *at = &view.at;
	struct flow_key key;
	enum tcptrace_reason reason;
	u8 buffer[SEGMENT_HEADER_MIN];
	const u8 *header = NULL;
	u32 ports = 0;

	/* what lies behind @len is no segment, but the padding of a frame */
	if (packet->len >= sizeof(buffer))
		header = skb_header_pointer(packet->skb, packet->start, sizeof(buffer), buffer);
	reason = segment_parse(&seg, header, header ? packet->len : 0);
	if (header)
		ports = get_unaligned((const u32 *)header);
	key.netns = packet->net->ns.inum;
	key.place = packet->place;
	if (packet->family == AF_INET)
		at->from = flow_order_v4(&key, packet->v4, ports);
	else
		at->from = flow_order_v6(&key, packet->v6, ports);

	if (seg.flags & (TCPTRACE_TCP_SYN | TCPTRACE_TCP_FIN) && !reason)
		parse_options(packet, &seg);
	if (unlikely(reason))
		track_invalid(&key, at, reason);
	else
		track_segment(&key, at);
}

void packet_follow_segment(const struct packet *packet)
{
	stats_inc(STAT_SEGMENTS);
	local_bh_disable();
	follow(packet);
	local_bh_enable();
}

/* One extension header: the first 8 bytes, which every one has, tell all that is asked. */
static unsigned int read_extension(struct packet_extensions *extensions, const u8 header[8])
{
	switch (extensions->protocol) {
	case NEXTHDR_FRAGMENT:	/* one that is whole is none, RFC 6946 */
		extensions->fragment |= get_unaligned_be16(header + 2) & (IP6_OFFSET | IP6_MF);
		return 8;
	case NEXTHDR_AUTH:
		return (header[1] + 2) * 4;
	case NEXTHDR_ROUTING:
		extensions->routed |= header[3] > 0;
		break;
	}
	return (header[1] + 1) * 8;
}

static bool later_fragment(const struct packet_extensions *extensions, const u8 header[8])
{
	return extensions->protocol == NEXTHDR_FRAGMENT &&
	       get_unaligned_be16(header + 2) & IP6_OFFSET;
}

bool packet_read_extensions(const struct sk_buff *skb, struct packet_extensions *extensions)
{
	extensions->fragment = false;
	extensions->routed = false;
	while (ipv6_ext_hdr(extensions->protocol) && extensions->protocol != NEXTHDR_NONE) {
		u8 buffer[8];
		const u8 *header = skb_header_pointer(skb, extensions->end, sizeof(buffer), buffer);

		if (!header)
			return false;
		extensions->end += read_extension(extensions, header);
		if (later_fragment(extensions, header))
			return true;
		extensions->protocol = header[0];
	}
	return true;
}
