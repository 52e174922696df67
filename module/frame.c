// SPDX-License-Identifier: GPL-2.0
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "flow.h"
#include "follow.h"
#include "frame.h"
#include "packet.h"
#include "stats.h"

#define TAGS_MAX	2	/* IEEE 802.1ad: a service tag, a customer tag */
#define READ_MAX	4	/* and some that only give a priority */

/**
 * struct tags - the VLAN tags of a frame
 * @protocol: what follows them
 * @offset: where
 * @vlan: their ids, the outer one first, 0 where there is none
 * @count: of @vlan
 */
struct tags {
	__be16		protocol;
	unsigned int	offset;
	u16		vlan[TAGS_MAX];
	unsigned int	count;
};

/* IEEE 802.1Q: an id of 0 gives a frame a priority and no VLAN.  False: one too many. */
static bool add_tag(struct tags *tags, u16 tci)
{
	u16 id = tci & VLAN_VID_MASK;

	if (!id)
		return true;
	if (tags->count == TAGS_MAX)
		return false;
	tags->vlan[tags->count++] = id;
	return true;
}

/* The kernel, or the interface, has put the outer tag beside the data. */
static bool read_tags(const struct sk_buff *skb, struct tags *tags)
{
	const struct vlan_hdr *tag;
	struct vlan_hdr buffer;
	int read = skb_vlan_tag_present(skb);

	*tags = (struct tags){ .protocol = skb->protocol, .offset = skb_network_offset(skb) };
	if (skb_vlan_tag_present(skb))
		add_tag(tags, skb_vlan_tag_get(skb));
	while (eth_type_vlan(tags->protocol)) {
		tag = skb_header_pointer(skb, tags->offset, sizeof(buffer), &buffer);
		if (!tag || ++read > READ_MAX || !add_tag(tags, ntohs(tag->h_vlan_TCI)))
			return false;
		tags->protocol = tag->h_vlan_encapsulated_proto;
		tags->offset += sizeof(buffer);
	}
	return true;
}

/* Segments that GRO joined beyond 64 KiB have no length in their header (BIG TCP). */
static unsigned int length(const struct sk_buff *skb, __be16 told, unsigned int offset)
{
	return !told && skb_is_gso(skb) ? skb->len - offset : ntohs(told);
}

/* False if there is no such packet. */
static bool follow_v4(struct packet *packet, unsigned int offset)
{
	const struct sk_buff *skb = packet->skb;
	unsigned int header, len;
	const struct iphdr *ip;
	struct iphdr buffer;

	ip = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!ip || ip->version != 4)
		return false;
	header = ip->ihl * 4;
	len = length(skb, ip->tot_len, offset);
	if (header < sizeof(*ip) || len < header)
		return false;
	if (!follow_wants(ip->protocol, AF_INET))
		return true;
	if (ip->frag_off & htons(IP_OFFSET)) {
		stats_inc(STAT_FRAGMENTS);
		return true;
	}
	packet->v4 = ip;
	packet->family = AF_INET;
	packet->start = offset + header;
	packet->len = len - header;
	/* the options are not parsed: any may be a source route */
	packet->checkable = !ip_is_fragment(ip) && header == sizeof(*ip) &&
			    skb->len - offset >= len;
	follow_packet(packet, ip->protocol);
	return true;
}

static bool follow_v6(struct packet *packet, unsigned int offset)
{
	struct packet_extensions extensions = { .end = offset + sizeof(struct ipv6hdr) };
	const struct sk_buff *skb = packet->skb;
	const struct ipv6hdr *ip;
	struct ipv6hdr buffer;
	unsigned int end;

	ip = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!ip || ip->version != 6)
		return false;
	end = extensions.end + length(skb, ip->payload_len, extensions.end);
	extensions.protocol = ip->nexthdr;
	if (!packet_read_extensions(skb, &extensions) || end < extensions.end)
		return false;
	if (extensions.protocol == NEXTHDR_FRAGMENT)
		stats_inc(STAT_FRAGMENTS);
	if (!follow_wants(extensions.protocol, AF_INET6))
		return true;
	packet->v6 = ip;
	packet->family = AF_INET6;
	packet->start = extensions.end;
	packet->len = end - extensions.end;
	packet->checkable = !extensions.fragment && !extensions.routed && skb->len >= end;
	follow_packet(packet, extensions.protocol);
	return true;
}

static bool follow(const struct sk_buff *skb, struct packet *packet, u8 mirror)
{
	struct tags tags;

	if (!read_tags(skb, &tags))
		return false;
	packet->place = flow_place(mirror, tags.vlan[0], tags.vlan[1]);
	switch (tags.protocol) {
	case htons(ETH_P_IP):
		return follow_v4(packet, tags.offset);
	case htons(ETH_P_IPV6):
		return follow_v6(packet, tags.offset);
	}
	return true;
}

void frame_follow(const struct sk_buff *skb, const struct net_device *dev, u8 mirror)
{
	struct packet packet = {
		.skb	= skb,
		.net	= dev_net(dev),
		.dev	= dev,
		.hook	= TCPTRACE_HOOK_INGRESS,
	};

	if (!follow(skb, &packet, mirror))
		stats_inc(STAT_UNREADABLE);
}
