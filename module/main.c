// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/module.h>
#include "chardev.h"
#include "expiry.h"
#include "flow.h"
#include "hooks.h"
#include "log.h"
#include "mirror.h"
#include "notice.h"
#include "procfs.h"
#include "stream.h"

/* A parameter with a range, and what to do when it is written while the module runs. */
struct bounded {
	unsigned int	*value;
	unsigned int	min;
	unsigned int	max;
	void		(*changed)(unsigned int value);
};

static bool running;

static int bounded_set(const char *text, const struct kernel_param *kp)
{
	const struct bounded *bounded = kp->arg;
	unsigned int value;

	if (!text)
		text = "";	/* no "=" after the name */
	if (kstrtouint(text, 0, &value) || value < bounded->min || value > bounded->max) {
		notice_err("parameter %s: \"%*pE\" is not a number from %u to %u\n",
			   kp->name, notice_length(text), text, bounded->min, bounded->max);
		return -EINVAL;
	}
	WRITE_ONCE(*bounded->value, value);
	if (running && bounded->changed)
		bounded->changed(value);
	return 0;
}

static int bounded_get(char *text, const struct kernel_param *kp)
{
	const struct bounded *bounded = kp->arg;

	return sysfs_emit(text, "%u\n", READ_ONCE(*bounded->value));
}

static const struct kernel_param_ops bounded_ops = {
	.flags	= KERNEL_PARAM_OPS_FL_NOARG,
	.set	= bounded_set,
	.get	= bounded_get,
};

#define BOUNDED(name, mode, variable, low, high, on_change, meaning)			\
	static const struct bounded bounded_##name = {					\
		.value = &(variable), .min = low, .max = high, .changed = on_change,	\
	};										\
	module_param_cb(name, &bounded_ops, (void *)&bounded_##name, mode);		\
	MODULE_PARM_DESC(name, meaning " (" #low " to " #high ")")

#define TIMEOUT(name, timer, meaning)							\
	BOUNDED(timeout_##name, 0644, expiry_limits.timeout[TCPTRACE_TIMER_##timer],	\
		1, 2000000, expiry_set_grains, "seconds " meaning)

static void log_changed(unsigned int level)
{
	log_set_level(level);
}

static unsigned int ring_events = 32768;
static unsigned int log_level = LOG_CONNECTIONS;

BOUNDED(max_flows, 0644, expiry_limits.max_flows, 1, 16777216, NULL,
	"connections followed at a time");
BOUNDED(max_half_open, 0644, expiry_limits.max_half_open, 1, 16777216, NULL,
	"of them, not yet seen from both sides");
BOUNDED(ring_events, 0444, ring_events, 16, 4194304, NULL,
	"events kept for readers, rounded up to a power of two");
BOUNDED(log, 0644, log_level, 0, 2, log_changed,
	"dmesg: 0 nothing, 1 connections, 2 every event");
TIMEOUT(syn, SYN, "from the last SYN without an answer");
TIMEOUT(synack, SYNACK, "from the last SYN+ACK without an ACK");
TIMEOUT(established, ESTABLISHED, "without a segment");
TIMEOUT(fin_wait, FIN_WAIT, "without a segment, a FIN not acknowledged");
TIMEOUT(close_wait, CLOSE_WAIT, "without a segment, one side closed");
TIMEOUT(last_ack, LAST_ACK, "from the last FIN, the other side closed");
TIMEOUT(time_wait, TIME_WAIT, "of 2MSL");

/*
 * Who may write the file may not yet make an interface promiscuous.  Who inserts the module
 * may do anything, and need not have the other capability to give a list with it.
 */
static int ingress_set(const char *text, const struct kernel_param *kp)
{
	if (!capable(CAP_NET_ADMIN) && (running || !capable(CAP_SYS_MODULE)))
		return -EPERM;
	return mirror_set(text);
}

static int ingress_get(char *text, const struct kernel_param *kp)
{
	return mirror_get(text);
}

static const struct kernel_param_ops ingress_ops = {
	.set	= ingress_set,
	.get	= ingress_get,
};

module_param_cb(ingress, &ingress_ops, NULL, 0644);
MODULE_PARM_DESC(ingress, "interfaces whose incoming packets are followed too, whoever they are for");

static int __init tcptrace_init(void)
{
	int err;

	ring_events = roundup_pow_of_two(ring_events);
	err = stream_init(ring_events);
	if (err)
		goto out;
	err = flow_init();
	if (err)
		goto exit_stream;
	expiry_init();
	err = hooks_init();
	if (err)
		goto exit_expiry;
	err = mirror_init();
	if (err)
		goto exit_hooks;
	err = procfs_init();
	if (err)
		goto exit_mirror;
	err = chardev_init();
	if (err)
		goto exit_procfs;

	kernel_param_lock(THIS_MODULE);
	log_set_level(log_level);
	running = true;
	kernel_param_unlock(THIS_MODULE);
	pr_info("loaded; the last %u events are on /dev/tcptrace\n", ring_events);
	return 0;

exit_procfs:
	procfs_exit();
exit_mirror:
	mirror_exit();
exit_hooks:
	hooks_exit();
exit_expiry:
	expiry_exit();
	flow_exit();
exit_stream:
	stream_exit();
out:
	pr_err("not loaded: error %d\n", err);
	return err;
}

static void __exit tcptrace_exit(void)
{
	chardev_exit();
	procfs_exit();
	mirror_exit();
	hooks_exit();
	kernel_param_lock(THIS_MODULE);
	running = false;
	log_exit();
	kernel_param_unlock(THIS_MODULE);
	expiry_exit();
	flow_exit();
	stream_exit();
	pr_info("unloaded\n");
}

module_init(tcptrace_init);
module_exit(tcptrace_exit);
MODULE_DESCRIPTION("Follows TCP connections through their RFC 9293 states");
MODULE_LICENSE("GPL");
