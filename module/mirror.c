// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "expiry.h"
#include "frame.h"
#include "mirror.h"
#include "notice.h"

/**
 * struct mirror - one mirrored interface
 * @name: the name that was given; empty if the slot is free
 * @dev: the interface, while there is one of this name; followed under RCU too
 * @promiscuous: the interface that is kept in promiscuous mode for us
 * @ops: the hook on @dev
 *
 * All of it is protected by the RTNL.
 */
struct mirror {
	char			name[IFNAMSIZ];
	struct net_device	*dev;
	struct net_device	*promiscuous;
	struct nf_hook_ops	ops;
};

/* One that is being attached or detached is told apart by its number, from 1. */
static struct mirror mirrors[MIRROR_MAX];
static bool running;

static void set_promiscuity(struct work_struct *work);
static DECLARE_WORK(promiscuity, set_promiscuity);

static u8 number(const struct mirror *mirror)
{
	return mirror - mirrors + 1;
}

static unsigned int look(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	frame_follow(skb, state->in, number(priv));
	return NF_ACCEPT;
}

/* The interface takes the frames for other hosts too, as long as we look at it. */
static void follow_promiscuity(struct mirror *mirror)
{
	if (mirror->promiscuous == mirror->dev)
		return;
	if (mirror->promiscuous)
		dev_set_promiscuity(mirror->promiscuous, -1);
	mirror->promiscuous = NULL;
	if (!mirror->dev)
		return;
	if (dev_set_promiscuity(mirror->dev, 1))
		notice_warn("ingress: %s cannot be promiscuous: only what is for this host is seen\n",
			    mirror->name);
	else
		mirror->promiscuous = mirror->dev;
}

/*
 * In a worker, as from Linux 6.15 on some notifications come with the lock of the
 * interface held that dev_set_promiscuity() takes.
 */
static void set_promiscuity(struct work_struct *work)
{
	struct mirror *mirror;

	rtnl_lock();
	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++)
		follow_promiscuity(mirror);
	rtnl_unlock();
}

static int attach(struct mirror *mirror, struct net_device *dev)
{
	int err;

	if (mirror->dev)
		return 0;
	mirror->ops = (struct nf_hook_ops){
		.hook		= look,
		.dev		= dev,
		.priv		= mirror,
		.pf		= NFPROTO_NETDEV,
		.hooknum	= NF_NETDEV_INGRESS,
		.priority	= INT_MIN,	/* before any filter */
	};
	WRITE_ONCE(mirror->dev, dev);	/* whose name a flow may ask for */
	err = nf_register_net_hook(&init_net, &mirror->ops);
	if (err) {
		WRITE_ONCE(mirror->dev, NULL);
		notice_err("ingress: %s cannot be mirrored: error %d\n", mirror->name, err);
		return err;
	}
	schedule_work(&promiscuity);
	notice_info("ingress: mirroring %s\n", mirror->name);
	return 0;
}

/*
 * The flows end before the slot may serve another interface.  Who waits for the RTNL
 * meanwhile waits for one walk over the table.
 */
static void detach(struct mirror *mirror)
{
	nf_unregister_net_hook(&init_net, &mirror->ops);
	synchronize_net();	/* no packet is in look() any more */
	expiry_flush(0, number(mirror));
	WRITE_ONCE(mirror->dev, NULL);
	schedule_work(&promiscuity);
}

static struct mirror *find_name(const char *name)
{
	struct mirror *mirror;

	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++)
		if (!strcmp(mirror->name, name))
			return mirror;
	return NULL;
}

/*
 * If it cannot be mirrored, there is nobody to tell but dmesg; writing the list again tries
 * again.  What is there at the beginning is mirror_init()'s business.
 */
static void come(struct net_device *dev)
{
	struct mirror *mirror = find_name(dev->name);

	if (mirror && running)
		attach(mirror, dev);
}

static void leave(const struct net_device *dev)
{
	struct mirror *mirror;

	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++) {
		if (mirror->dev != dev)
			continue;
		detach(mirror);
		if (running)
			notice_info("ingress: %s is gone; waiting for it\n", mirror->name);
	}
}

/* The last moment at which the interface may be touched. */
static void leave_for_good(const struct net_device *dev)
{
	struct mirror *mirror;

	leave(dev);
	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++)
		if (mirror->promiscuous == dev)
			follow_promiscuity(mirror);
}

static int notify(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	switch (event) {
	case NETDEV_REGISTER:
		come(dev);
		break;
	case NETDEV_CHANGENAME:
		leave(dev);
		come(dev);
		break;
	case NETDEV_UNREGISTER:
		leave_for_good(dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notify };

/* The interface of this name, now or when it comes. */
static int look_for(struct mirror *mirror)
{
	struct net_device *dev;

	if (!*mirror->name)
		return 0;
	dev = __dev_get_by_name(&init_net, mirror->name);
	if (!dev)
		notice_info("ingress: there is no %s yet; waiting for it\n", mirror->name);
	else if (strcmp(dev->name, mirror->name))
		notice_warn("ingress: %s is another name of %s, which is the one to give\n",
			    mirror->name, dev->name);
	else
		return attach(mirror, dev);
	return 0;
}

int mirror_init(void)
{
	struct mirror *mirror;
	int err;

	err = register_netdevice_notifier_net(&init_net, &notifier);
	if (err)
		return err;
	rtnl_lock();
	running = true;		/* what is set from now on holds at once */
	for (mirror = mirrors; !err && mirror < mirrors + MIRROR_MAX; mirror++)
		err = look_for(mirror);
	rtnl_unlock();
	if (err)
		mirror_exit();
	return err;
}

void mirror_exit(void)
{
	rtnl_lock();
	running = false;
	rtnl_unlock();
	/* tells us that all interfaces go */
	unregister_netdevice_notifier_net(&init_net, &notifier);
	cancel_work_sync(&promiscuity);
}

const char *mirror_interface(u8 mirror)
{
	const struct net_device *dev = READ_ONCE(mirrors[mirror - 1].dev);

	return dev ? dev->name : "?";
}

/*
 * The list of names
 */

static bool has(char (*names)[IFNAMSIZ], unsigned int count, const char *name)
{
	while (count--)
		if (!strcmp(names[count], name))
			return true;
	return false;
}

/* How many there are; -EINVAL if one is none, is there twice, or is one too many. */
static int split(char *list, char (*names)[IFNAMSIZ])
{
	unsigned int count = 0;
	const char *name;

	if (!*list)
		return 0;
	while ((name = strsep(&list, ","))) {
		if (count == MIRROR_MAX || !dev_valid_name(name) || has(names, count, name))
			return -EINVAL;
		strscpy(names[count++], name, IFNAMSIZ);
	}
	return count;
}

static int parse(const char *list, char (*names)[IFNAMSIZ])
{
	char *copy = kstrdup(list, GFP_KERNEL);
	int count;

	if (!copy)
		return -ENOMEM;
	count = split(strim(copy), names);
	kfree(copy);
	if (count < 0)
		notice_err("parameter ingress: \"%*pE\" is not a list of up to %d different interface names of 1 to %d characters\n",
			   notice_length(list), list, MIRROR_MAX, IFNAMSIZ - 1);
	return count;
}

static void drop(struct mirror *mirror)
{
	if (mirror->dev)
		detach(mirror);
	*mirror->name = '\0';
}

/* One that is there and cannot be mirrored is not in the list. */
static int add(const char *name)
{
	struct mirror *mirror = find_name(name);
	int err = 0;

	if (!mirror)
		mirror = find_name("");
	strscpy(mirror->name, name, IFNAMSIZ);
	if (running)
		err = look_for(mirror);
	if (err)
		*mirror->name = '\0';
	return err;
}

static int replace(char (*names)[IFNAMSIZ], unsigned int count)
{
	struct mirror *mirror;
	unsigned int i;
	int err = 0;

	rtnl_lock();
	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++)
		if (*mirror->name && !has(names, count, mirror->name))
			drop(mirror);
	for (i = 0; !err && i < count; i++)
		err = add(names[i]);
	rtnl_unlock();
	return err;
}

int mirror_set(const char *list)
{
	char names[MIRROR_MAX][IFNAMSIZ];
	int count = parse(list, names);

	if (count < 0)
		return count;
	if (count && !IS_ENABLED(CONFIG_NETFILTER_INGRESS)) {
		notice_err("parameter ingress: this kernel is built without CONFIG_NETFILTER_INGRESS\n");
		return -EOPNOTSUPP;
	}
	return replace(names, count);
}

int mirror_get(char *text)
{
	const struct mirror *mirror;
	int length = 0;

	rtnl_lock();
	for (mirror = mirrors; mirror < mirrors + MIRROR_MAX; mirror++)
		if (*mirror->name)
			length += sysfs_emit_at(text, length, "%s%s", length ? "," : "",
						mirror->name);
	rtnl_unlock();
	return length + sysfs_emit_at(text, length, "\n");
}
