/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FLOW_HASH_H
#define _TCPTRACE_FLOW_HASH_H

/* In which bucket a flow is: what flow.c and the data path share, and nobody else needs. */

#include <linux/rhashtable.h>
#include "flow.h"

extern struct rhashtable flow_table;

/* Random, of this load of the module: one to begin with, two for each pair of words. */
extern u64 flow_secret[1 + 2 + 8];

/*
 * Pair-multiply-shift, from Thorup, "High Speed Hashing for Integers and Strings": strongly
 * universal.  Of two keys that were chosen without knowing the secret, whatever they are,
 * all pairs of hashes are equally likely; so who knows the function alone finds no flows
 * that meet in one bucket, other than by chance.  Who could measure in which bucket a packet
 * ends, as a host of ours might by its time, could learn the secret, for it is not
 * cryptographic; that would lengthen his own flows' chains.  Costs a tenth of SipHash.
 */
static __always_inline u64 flow_hash_pair(u32 a, u32 b, const u64 random[2])
{
	return (random[0] + a) * (random[1] + b);
}

/* Of the two hashes, what does not depend on the family; @where is &flow_key.place ^ netns. */
static __always_inline u64 flow_hash_rest(u32 ports, u32 where)
{
	return flow_secret[0] + flow_hash_pair(ports, where, &flow_secret[1]);
}

static __always_inline u32 flow_hash_v4(u64 pair, u32 ports, u32 where)
{
	u64 sum = flow_hash_rest(ports, where);

	return (sum + flow_hash_pair(pair, pair >> 32, &flow_secret[3])) >> 32;
}

static __always_inline u32 flow_hash_v6(const struct in6_addr *first,
					const struct in6_addr *second, u32 ports, u32 where)
{
	const u32 *a = (const u32 *)first, *b = (const u32 *)second;
	u64 sum = flow_hash_rest(ports, where);
	int i;

	for (i = 0; i < 4; i++)
		sum += flow_hash_pair(a[i], b[i], &flow_secret[3 + 2 * i]);
	return sum >> 32;
}

static inline u32 flow_hash(const struct flow_key *key)
{
	u32 where = key->place ^ key->netns;

	return key->family == AF_INET ? flow_hash_v4(key->v4_pair, key->ports, where) :
		flow_hash_v6(&key->v6[0], &key->v6[1], key->ports, where);
}

#endif /* _TCPTRACE_FLOW_HASH_H */
