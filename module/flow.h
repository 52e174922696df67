/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FLOW_H
#define _TCPTRACE_FLOW_H

#include <linux/bitops.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/rhashtable-types.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include "compat.h"
#include "fsm.h"
#include "history.h"

/**
 * DOC: Locking and lifetime
 *
 * The table is read under RCU.  A flow is found, then locked (&flow.lock), then
 * looked at again: @dead says that it left the table meanwhile.  Whoever holds
 * the lock of a flow that is not dead may step it, publish its events, which so
 * get into the stream in the order of the steps, and take it out of the table.
 * It is freed a grace period later, so no reference is counted.
 *
 * Two flows are never locked by one CPU at a time.  Inside &flow.lock come the
 * lock of the queues (expiry.c) and the bucket locks of the table; nothing is
 * taken inside those.  All are taken with bottom halves disabled.
 */

/**
 * struct flow_key - what tells flows apart
 * @v4_pair: addresses of both endpoints, as one word for the comparison
 * @v4: the same, one by one
 * @v6: the same
 * @ports: of both endpoints, network order, as one word for the comparison
 * @port: the same, one by one
 * @place: where it is seen: 0 for this host's stack, else see flow_place()
 * @ports_place: these two as one word for the comparison
 * @netns: inode number of the network namespace, which no flow outlives
 * @family: AF_INET or AF_INET6
 *
 * Canonical: of a connection, either endpoint's packets have the same one as number 0; by
 * the addresses, or if they are equal, by the ports.  Of an IPv4 key only the first 8 bytes
 * of addresses count.
 */
struct flow_key {
	union {
		u64	v4_pair;
		__be32	v4[2];
		struct in6_addr v6[2];
	};
	union {
		struct {
			union {
				u32	ports;
				__be16	port[2];
			};
			u32	place;
		};
		u64	ports_place;
	};
	u32		netns;
	u16		family;
};

/* &flow_key.ports_place, if it is seen by this host's stack. */
static inline u64 flow_ports_here(u32 ports)
{
#ifdef __BIG_ENDIAN
	return (u64)ports << 32;
#else
	return ports;
#endif
}

/**
 * flow_place - a place in the key of a flow, other than this host's stack
 * @mirror: number of the mirrored interface, from 1
 * @outer: id of its outer VLAN, 1 to 4095, or 0 for none
 * @inner: id of a VLAN inside of that, or 0
 *
 * No two places are the same: addresses may overlap in two VLANs.  The number of an
 * interface goes to another one only when no flow has it any more.
 */
static inline u32 flow_place(u8 mirror, u16 outer, u16 inner)
{
	return (u32)mirror << 24 | outer << 12 | inner;
}

static inline u8 flow_place_mirror(u32 place)
{
	return place >> 24;
}

static inline u16 flow_place_outer(u32 place)
{
	return place >> 12 & 0xfff;
}

static inline u16 flow_place_inner(u32 place)
{
	return place & 0xfff;
}

/* &flow.synack_us and &flow.ack_us saturate below it */
#define FLOW_UNKNOWN_US	U32_MAX

/**
 * struct flow - one connection in one network namespace
 * @node: in the table
 * @key: what it is found by
 * @lock: protects all that follows
 * @dead: it has left the table
 * @initiator: which endpoint of @key opened the connection, 0 or 1
 * @queue: which queue of expiry.c it stands in
 * @fsm: both endpoints
 * @history: which kinds of segments were seen
 * @id: its number, from 1
 * @start_ns: CLOCK_MONOTONIC of its first segment
 * @synack_us: first SYN to first SYN+ACK, or %FLOW_UNKNOWN_US
 * @ack_us: first SYN+ACK to the ACK that established it, or %FLOW_UNKNOWN_US
 * @active: jiffies of what last restarted its timer, the lower half
 * @bytes: payload from each &enum fsm_dir
 * @pkts: packets from each &enum fsm_dir
 * @in_queue: its place; protected by the lock of the queues
 * @rcu: for its end, when it is in no queue any more
 */
struct flow {
	struct rhash_head node;
	struct flow_key	key;
	spinlock_t	lock;	/* see DOC: Locking and lifetime */
	bool		dead;
	u8		initiator;
	u8		queue;
	struct fsm	fsm;
	struct history	history;
	u32		synack_us;
	u32		ack_us;
	u32		active;
	u64		id;
	u64		start_ns;
	atomic64_t	bytes[2];
	atomic64_t	pkts[2];
	union {
		struct list_head in_queue;
		struct rcu_head	 rcu;
	};
};

/* Which of the two addresses of a packet, and ports, is the source in canonical order. */
static __always_inline u8 flow_from_v4(u64 pair, u32 ports)
{
	return pair != rol64(pair, 32) ? pair > rol64(pair, 32) : ports > rol32(ports, 16);
}

static __always_inline u8 flow_from_v6(const struct ipv6hdr *ip, u32 ports)
{
	u64 saddr, daddr;
	int i;

	for (i = 0; i < 2; i++) {
		saddr = get_unaligned((const u64 *)&ip->saddr + i);
		daddr = get_unaligned((const u64 *)&ip->daddr + i);
		if (saddr != daddr)
			return saddr > daddr;
	}
	return ports > rol32(ports, 16);
}

/**
 * flow_order_v4 - put the endpoints of a packet in canonical order
 * @key: gets them
 * @ip: the addresses
 * @ports: both, as one word from the TCP header
 *
 * Return: which of them, 0 or 1, is the source.
 */
static inline u8 flow_order_v4(struct flow_key *key, const struct iphdr *ip, u32 ports)
{
	u64 pair = get_unaligned((const u64 *)&ip->saddr);
	u8 from = flow_from_v4(pair, ports);

	key->family = AF_INET;
	key->v4_pair = from ? rol64(pair, 32) : pair;
	key->ports = from ? rol32(ports, 16) : ports;
	return from;
}

/* The same as flow_order_v4(). */
static inline u8 flow_order_v6(struct flow_key *key, const struct ipv6hdr *ip, u32 ports)
{
	u8 from = flow_from_v6(ip, ports);

	key->family = AF_INET6;
	key->v6[from] = ip->saddr;
	key->v6[!from] = ip->daddr;
	key->ports = from ? rol32(ports, 16) : ports;
	return from;
}

/* Who sends what comes from endpoint @from of the flow's key, 0 or 1. */
static inline enum fsm_dir flow_direction(const struct flow *flow, u8 from)
{
	return from == flow->initiator ? FSM_INITIATOR : FSM_RESPONDER;
}

/**
 * flow_init - the table, empty
 *
 * Return: 0 or -errno.
 */
int flow_init(void);

/* Every flow has been removed, and nobody looks for one any more. */
void flow_exit(void);

/**
 * flow_find - the flow of this key
 * @key: canonical
 *
 * Context: under rcu_read_lock().
 *
 * Return: the flow, not locked, perhaps dead; or NULL.
 */
struct flow *flow_find(const struct flow_key *key);

/**
 * flow_alloc - a new flow
 * @key: one that flow_find() did not find
 *
 * Context: bottom halves disabled.
 *
 * Return: the flow, in no table and no queue; NULL if there is no memory.
 */
struct flow *flow_alloc(const struct flow_key *key);

/**
 * flow_insert - put a new flow into the table
 * @flow: locked, so that who finds it waits
 *
 * Return: 0, -EEXIST if there is one of its key, -ENOMEM.
 */
int flow_insert(struct flow *flow);

/**
 * flow_free - a flow that was never in the table
 * @flow: not locked
 */
void flow_free(struct flow *flow);

/**
 * flow_remove - take a flow out of the table
 * @flow: locked, not dead, in no queue; gone after a grace period
 */
void flow_remove(struct flow *flow);

/* How many flows there are. */
unsigned int flow_count(void);

/* How many buckets the table has. */
unsigned int flow_buckets(void);

/* The number of the newest flow. */
u64 flow_last_id(void);

/**
 * DOC: Walks
 *
 * A walk meets every flow that is in the table from its beginning to its end, while
 * others come and go and the table is resized.  Some it may meet twice.
 *
 * It pauses, so that others may use the CPU or its owner may sleep: between
 * flow_walk_start() and flow_walk_stop() RCU protects what it met, at other times
 * nothing does.  rhashtable by itself may pass flows over after a pause, see
 * flow_walk_start().
 */

/* Flows to pass before others may use the CPU: flow_walk_breathe(), or a pause. */
#define FLOW_WALK_BATCH	256

/**
 * flow_walk_enter - begin a walk over all flows
 * @iter: where it stands; paused
 *
 * Context: may sleep.
 */
void flow_walk_enter(struct rhashtable_iter *iter);

/* End a walk that is paused; when is of no matter. */
void flow_walk_exit(struct rhashtable_iter *iter);

/**
 * flow_walk_start - go on after a pause
 * @iter: the walk
 *
 * Context: process, not under rcu_read_lock().
 */
void flow_walk_start(struct rhashtable_iter *iter)
	__acquires(RCU);

/* Pause. */
void flow_walk_stop(struct rhashtable_iter *iter)
	__releases(RCU);

/**
 * flow_walk_next - the next flow
 * @iter: the walk, started
 *
 * Return: the flow, not locked, perhaps dead; NULL at the end.
 */
struct flow *flow_walk_next(struct rhashtable_iter *iter);

/* The flow that flow_walk_next() gave before the pause, if it is there yet; else the next. */
struct flow *flow_walk_peek(struct rhashtable_iter *iter);

/* A moment for others; flows that were met before are not protected any more. */
void flow_walk_breathe(struct rhashtable_iter *iter);

#endif /* _TCPTRACE_FLOW_H */
