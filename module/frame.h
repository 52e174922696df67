/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FRAME_H
#define _TCPTRACE_FRAME_H

#include <linux/types.h>

struct net_device;
struct sk_buff;

/**
 * frame_follow - read a frame as it comes from the wire, and follow its segment
 * @skb: the frame, its data begins behind the Ethernet header; it stays as it is
 * @dev: the mirrored interface
 * @mirror: its number, for the place of the flow
 *
 * Nothing has looked at the frame before: it may be for any other host, padded, cut off
 * by a capture's snap length, or no packet at all.  So every header is copied where it
 * does not lie in one piece, and every length in it is checked.
 *
 * Context: under rcu_read_lock().
 */
void frame_follow(const struct sk_buff *skb, const struct net_device *dev, u8 mirror);

#endif /* _TCPTRACE_FRAME_H */
