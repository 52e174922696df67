// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include "compat.h"
#include "flow.h"
#include "mirror.h"
#include "names.h"
#include "procfs.h"
#include "stats.h"
#include "text.h"

/*
 * One open /proc/net/tcptrace.  The walk lasts as long as the file is open, so that a
 * long list costs one walk and not one for each page.
 */
struct flow_iter {
	u32 netns;
	struct rhashtable_iter table;
};

/* From @flow on, the first of this namespace. */
static struct flow *ours(struct flow_iter *iter, struct flow *flow)
{
	unsigned int others;

	for (others = 1; flow && flow->key.netns != iter->netns; others++) {
		if (others % FLOW_WALK_BATCH == 0)
			flow_walk_breathe(&iter->table);
		flow = flow_walk_next(&iter->table);
	}
	return flow;
}

static void *flows_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	struct flow_iter *iter = seq->private;

	if (!*pos) {	/* from the top, perhaps again */
		flow_walk_exit(&iter->table);
		flow_walk_enter(&iter->table);
	}
	flow_walk_start(&iter->table);
	return *pos ? ours(iter, flow_walk_peek(&iter->table)) : SEQ_START_TOKEN;
}

static void *flows_next(struct seq_file *seq, void *token, loff_t *pos)
{
	struct flow_iter *iter = seq->private;

	++*pos;
	return ours(iter, flow_walk_next(&iter->table));
}

static void flows_stop(struct seq_file *seq, void *token)
	__releases(RCU)
{
	struct flow_iter *iter = seq->private;

	flow_walk_stop(&iter->table);
}

static void show_endpoint(struct seq_file *seq, const struct flow *flow, u8 end)
{
	const struct flow_key *key = &flow->key;
	bool v4 = key->family == AF_INET;
	const void *addr = v4 ? (const void *)&key->v4[end] : &key->v6[end];
	char text[64];

	text[text_endpoint(text, v4 ? 4 : 6, addr, key->port[end])] = '\0';
	seq_printf(seq, " %-21s", text);
}

/* "-" for this host's stack, or the mirrored interface and its VLANs, such as mon0.100 */
static void show_place(struct seq_file *seq, u32 place)
{
	char text[32] = "-";
	int len = 0;

	if (flow_place_mirror(place))
		len = scnprintf(text, sizeof(text), "%s",
				mirror_interface(flow_place_mirror(place)));
	if (flow_place_outer(place))
		len += scnprintf(text + len, sizeof(text) - len, ".%u", flow_place_outer(place));
	if (flow_place_inner(place))
		scnprintf(text + len, sizeof(text) - len, ".%u", flow_place_inner(place));
	seq_printf(seq, " %-10s", text);
}

/* In seconds.  Another CPU may have carried a segment in a jiffy that is not ours yet. */
static unsigned int idle(const struct flow *flow)
{
	return max_t(s32, (u32)jiffies - READ_ONCE(flow->active), 0) / HZ;
}

static void show_flow(struct seq_file *seq, const struct flow *flow)
{
	const u8 state[] = {
		flow->fsm.end[FSM_INITIATOR].state, flow->fsm.end[FSM_RESPONDER].state,
	};

	seq_printf(seq, "%8llu", flow->id);
	show_endpoint(seq, flow, flow->initiator);
	show_endpoint(seq, flow, !flow->initiator);
	seq_printf(seq, " %-12s %-12s", state_name(state[0]), state_name(state[1]));
	seq_printf(seq, " %9llu %6u", div_u64(ktime_get_ns() - flow->start_ns, NSEC_PER_SEC),
		   idle(flow));
	show_place(seq, flow->key.place);
	seq_printf(seq, " %llu/%llu %llu/%llu\n",
		   atomic64_read(&flow->bytes[0]), atomic64_read(&flow->bytes[1]),
		   atomic64_read(&flow->pkts[0]), atomic64_read(&flow->pkts[1]));
}

static int flows_show(struct seq_file *seq, void *token)
{
	struct flow *flow = token;

	if (token == SEQ_START_TOKEN) {
		seq_printf(seq, "%8s %-21s %-21s %-12s %-12s %9s %6s %-10s %s\n", "flow",
			   "initiator", "responder", "ini_state", "resp_state", "age_s", "idle_s",
			   "mirror", "bytes pkts (initiator/responder)");
		return 0;
	}
	spin_lock_bh(&flow->lock);
	if (!flow->dead)
		show_flow(seq, flow);
	spin_unlock_bh(&flow->lock);
	return 0;
}

static const struct seq_operations flows_ops = {
	.start	= flows_start,
	.next	= flows_next,
	.stop	= flows_stop,
	.show	= flows_show,
};

static int flows_open(struct inode *inode, struct file *file)
{
	struct flow_iter *iter = __seq_open_private(file, &flows_ops, sizeof(*iter));

	if (!iter)
		return -ENOMEM;
	iter->netns = ((const struct net *)pde_data(inode))->ns.inum;
	flow_walk_enter(&iter->table);
	return 0;
}

static int flows_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	struct flow_iter *iter = seq->private;

	flow_walk_exit(&iter->table);
	return seq_release_private(inode, file);
}

static const struct proc_ops flows_proc_ops = {
	.proc_open	= flows_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= flows_release,
};

static int stats_show(struct seq_file *seq, void *token)
{
	int stat;

	for (stat = 0; stat < STATS_COUNT; stat++)
		seq_printf(seq, "%-16s %12lu  %s\n", stats_name(stat), stats_sum(stat),
			   stats_meaning(stat));
	return 0;
}

static int __net_init procfs_net_init(struct net *net)
{
	/* removed with the namespace, before the namespace itself is */
	if (!proc_create_data("tcptrace", 0440, net->proc_net, &flows_proc_ops, net))
		return -ENOMEM;
	return 0;
}

static void __net_exit procfs_net_exit(struct net *net)
{
	remove_proc_entry("tcptrace", net->proc_net);
}

static struct pernet_operations procfs_net_ops = {
	.init	= procfs_net_init,
	.exit	= procfs_net_exit,
};

int procfs_init(void)
{
	int err = register_pernet_subsys(&procfs_net_ops);

	if (err)
		return err;
	if (!proc_create_single("tcptrace", 0440, init_net.proc_net_stat, stats_show)) {
		unregister_pernet_subsys(&procfs_net_ops);
		return -ENOMEM;
	}
	return 0;
}

void procfs_exit(void)
{
	remove_proc_entry("tcptrace", init_net.proc_net_stat);
	unregister_pernet_subsys(&procfs_net_ops);
}
