// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "compat.h"
#include "flow.h"
#include "flow_hash.h"

/*
 * With the pointer that the slab puts behind it, 18 of them are in a page; with its share of
 * the table a flow so takes less than 256 bytes.
 */
static_assert(sizeof(struct flow) <= 216 || sizeof(spinlock_t) > 4);

struct rhashtable flow_table;
u64 flow_secret[1 + 2 + 8] __read_mostly;

static struct kmem_cache *cache;
static atomic64_t last_id = ATOMIC64_INIT(0);

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	return flow_hash(data);
}

static u32 hash_flow(const void *data, u32 len, u32 seed)
{
	return flow_hash(&((const struct flow *)data)->key);
}

/* 0 if equal, as rhashtable asks. */
static __always_inline int compare(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct flow_key *a = arg->key;
	const struct flow_key *b = &((const struct flow *)data)->key;

	if (a->ports != b->ports || a->netns != b->netns || a->family != b->family ||
	    a->place != b->place)
		return 1;
	if (a->family == AF_INET)
		return a->v4_pair != b->v4_pair;
	return !ipv6_addr_equal(&a->v6[0], &b->v6[0]) || !ipv6_addr_equal(&a->v6[1], &b->v6[1]);
}

static const struct rhashtable_params params = {
	.head_offset		= offsetof(struct flow, node),
	.key_offset		= offsetof(struct flow, key),
	.key_len		= sizeof(struct flow_key),
	.hashfn			= hash_key,
	.obj_hashfn		= hash_flow,
	.obj_cmpfn		= compare,
	.automatic_shrinking	= true,
};

/*
 * flow_alloc() writes every field of a flow.  That there is a constructor keeps the slab
 * from doing the same before, and keeps the cache apart from those of other objects.
 */
static void construct(void *object)
{
}

int flow_init(void)
{
	int err;

	get_random_bytes(flow_secret, sizeof(flow_secret));
	cache = kmem_cache_create("tcptrace_flow", sizeof(struct flow), 0, 0, construct);
	if (!cache)
		return -ENOMEM;
	err = rhashtable_init(&flow_table, &params);
	if (err)
		kmem_cache_destroy(cache);
	return err;
}

void flow_exit(void)
{
	rhashtable_destroy(&flow_table);
	rcu_barrier();		/* for free_flow() */
	kmem_cache_destroy(cache);
}

struct flow *flow_find(const struct flow_key *key)
{
	return rhashtable_lookup(&flow_table, key, params);
}

struct flow *flow_alloc(const struct flow_key *key)
{
	struct flow *flow = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!flow)
		return NULL;
	*flow = (struct flow){
		.key		= *key,
		.synack_us	= FLOW_UNKNOWN_US,
		.ack_us		= FLOW_UNKNOWN_US,
		.id		= atomic64_inc_return(&last_id),
	};
	spin_lock_init(&flow->lock);
	return flow;
}

int flow_insert(struct flow *flow)
{
	int err = rhashtable_lookup_insert_key(&flow_table, &flow->key, &flow->node, params);

	return err && err != -EEXIST ? -ENOMEM : err;
}

void flow_free(struct flow *flow)
{
	kmem_cache_free(cache, flow);
}

static void free_flow(struct rcu_head *rcu)
{
	flow_free(container_of(rcu, struct flow, rcu));
}

void flow_remove(struct flow *flow)
{
	lockdep_assert_held(&flow->lock);
	flow->dead = true;
	fsm_stop_plain(&flow->fsm);
	rhashtable_remove_fast(&flow_table, &flow->node, params);
	call_rcu(&flow->rcu, free_flow);
}

unsigned int flow_count(void)
{
	return atomic_read(&flow_table.nelems);
}

unsigned int flow_buckets(void)
{
	unsigned int buckets;

	rcu_read_lock();
	buckets = rcu_dereference(flow_table.tbl)->size;
	rcu_read_unlock();
	return buckets;
}

u64 flow_last_id(void)
{
	return atomic64_read(&last_id);
}

void flow_walk_enter(struct rhashtable_iter *iter)
{
	rhashtable_walk_enter(&flow_table, iter);
}

void flow_walk_exit(struct rhashtable_iter *iter)
{
	rhashtable_walk_exit(iter);
}

/*
 * Why no flow is passed over that stays in the table, with lib/rhashtable.c from 5.10 to
 * 7.2.  A walk is at the entry @p of the bucket @slot, the @skip-th in its chain.
 *
 * Without a pause RCU keeps the chain behind @p walkable, removed entries included.  A
 * resize moves entries from the tail of a chain to a younger table, never back; the walk
 * goes on there when it is through with the older one.
 *
 * After a pause rhashtable looks for @p in its bucket and counts its place anew.  New
 * entries are put before all others, so what the walk has not met is behind @p, even if
 * @p is another flow now, at the same address.  If @p is gone, however, @skip still
 * counts entries of which some may be gone with it, and as many others would be passed
 * over: so the bucket is taken from its start.
 *
 * If a resize has ended meanwhile, the walk starts over.  Most kernels leave @p as it
 * was, which may be freed, and would go on from there.
 */
void flow_walk_start(struct rhashtable_iter *iter)
	__acquires(RCU)
{
	if (rhashtable_walk_start_check(iter))
		iter->p = NULL;
	if (!iter->p)
		iter->skip = 0;
}

void flow_walk_stop(struct rhashtable_iter *iter)
	__releases(RCU)
{
	rhashtable_walk_stop(iter);
}

/* An error tells that the walk goes on in a younger table. */
struct flow *flow_walk_next(struct rhashtable_iter *iter)
{
	struct flow *flow;

	do
		flow = rhashtable_walk_next(iter);
	while (IS_ERR(flow));
	return flow;
}

struct flow *flow_walk_peek(struct rhashtable_iter *iter)
{
	struct flow *flow = rhashtable_walk_peek(iter);

	return IS_ERR(flow) ? flow_walk_next(iter) : flow;
}

void flow_walk_breathe(struct rhashtable_iter *iter)
{
	flow_walk_stop(iter);
	cond_resched();
	flow_walk_start(iter);
}
