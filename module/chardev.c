// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "chardev.h"
#include "expiry.h"
#include "flow.h"
#include "reader.h"
#include "ring.h"
#include "snapshot.h"
#include "stream.h"
#include "text.h"

#define SESSION_BATCH	4096
#define SESSION_LINE	(32 + TEXT_LINE_MAX)	/* the time, the event, the newline */

/**
 * struct session - one open file description
 * @lock: protects the rest; never held while waiting for events
 * @reader: the cursor, filter and account
 * @snapshot: what comes before the events, or NULL
 * @mode: TCPTRACE_MODE_*
 * @event: being made a line
 * @batch: records or lines that go to the user in one copy, and one too many
 */
struct session {
	struct mutex	lock;	/* of one session, against its own threads */
	struct reader	reader;
	struct snapshot	*snapshot;
	u32		mode;
	struct tcptrace_event event;
	char		batch[SESSION_BATCH + SESSION_LINE] __aligned(8);
};

/* The first event after the last flush, for SEEK_DATA. */
static atomic64_t flushed_seq = ATOMIC64_INIT(1);

static u64 oldest(void)
{
	return ring_oldest(stream_ring());
}

static u64 newest(void)
{
	return ring_next(stream_ring());
}

static int chardev_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;
	mutex_init(&session->lock);
	reader_init(&session->reader, oldest());
	file->private_data = session;
	return 0;
}

static void end_snapshot(struct session *session)
{
	snapshot_end(session->snapshot);
	session->snapshot = NULL;
}

static int chardev_release(struct inode *inode, struct file *file)
{
	struct session *session = file->private_data;

	end_snapshot(session);
	mutex_destroy(&session->lock);
	kfree(session);
	return 0;
}

/* Is there a record of a snapshot to hand out?  Behind the last one the events go on. */
static bool in_snapshot(struct session *session)
{
	if (session->snapshot && !snapshot_ready(session->snapshot, &session->reader))
		end_snapshot(session);
	return session->snapshot;
}

/* What comes next goes to @event; @account is carried over it. */
static bool next_event(struct session *session, struct tcptrace_reader *account,
		       struct tcptrace_event *event)
{
	if (session->snapshot)
		return snapshot_next(session->snapshot, account, event);
	return reader_next(&session->reader, account, event);
}

static size_t put_line(const struct tcptrace_event *event, char *p)
{
	char *start = p;

	p += text_time(p, event->time_ns);
	p += text_event(p, event);
	*p++ = '\n';
	return p - start;
}

/* What comes next, as the reader wants it, at @p; its length, 0 if there is nothing. */
static size_t next_entry(struct session *session, struct tcptrace_reader *account, char *p)
{
	if (session->mode == TCPTRACE_MODE_BINARY)
		return next_event(session, account, (struct tcptrace_event *)p) ?
		       sizeof(struct tcptrace_event) : 0;
	return next_event(session, account, &session->event) ? put_line(&session->event, p) : 0;
}

/*
 * Hand out some whole events, as many as fit.  The cursor moves when the copy has
 * succeeded: what is not handed out is not consumed.
 */
static ssize_t copy_batch(struct session *session, char __user *buf, size_t count)
{
	struct tcptrace_reader account = session->reader.account, ahead = account;
	size_t len = 0;

	do {
		size_t size = next_entry(session, &ahead, session->batch + len);

		if (!size) {
			account = ahead;
			break;
		}
		if (len + size > count) {
			if (!len)
				return -EINVAL;
			break;
		}
		len += size;
		account = ahead;
	} while (len < SESSION_BATCH);

	if (copy_to_user(buf, session->batch, len))
		return -EFAULT;
	session->reader.account = account;
	return len;
}

/* -ERESTARTSYS if a signal came in a snapshot before there was a record: more is to come. */
static ssize_t copy_events(struct session *session, char __user *buf, size_t count)
{
	ssize_t len, done = 0;
	bool more;

	do {
		more = in_snapshot(session);
		len = copy_batch(session, buf + done, count - done);
		if (len < 0)
			return done ? done : len;
		done += len;
		more = more || len >= SESSION_BATCH;
		cond_resched();
	} while (more && !signal_pending(current));
	return done || !more ? done : -ERESTARTSYS;
}

static ssize_t chardev_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct session *session = file->private_data;
	ssize_t done;
	u64 next;
	int err;

	for (;;) {
		if (mutex_lock_interruptible(&session->lock))
			return -ERESTARTSYS;
		done = copy_events(session, buf, count);
		next = session->reader.account.next_seq;
		mutex_unlock(&session->lock);
		if (done)
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		/* an event that is allotted but not complete yet does not let us sleep */
		if (signal_pending(current))
			return -ERESTARTSYS;
		err = wait_event_interruptible(*stream_wait_queue(), newest() > next);
		if (err)
			return err;
	}
}

static __poll_t chardev_poll(struct file *file, poll_table *wait)
{
	struct session *session = file->private_data;
	struct tcptrace_reader account;
	__poll_t mask = 0;

	poll_wait(file, stream_wait_queue(), wait);
	smp_mb();	/* pairs with wq_has_sleeper() of the stream: a wake-up, or an event seen */
	mutex_lock(&session->lock);
	account = session->reader.account;
	/* a signal may keep a snapshot from its next record, but there is always one more */
	if (in_snapshot(session) || next_event(session, &account, &session->event))
		mask = EPOLLIN | EPOLLRDNORM;
	else
		session->reader.account = account;
	mutex_unlock(&session->lock);
	return mask;
}

static loff_t chardev_llseek(struct file *file, loff_t offset, int whence)
{
	struct session *session = file->private_data;
	u64 seq;

	switch (whence) {
	case SEEK_SET:
		seq = oldest();
		break;
	case SEEK_DATA:
		seq = max_t(u64, atomic64_read(&flushed_seq), oldest());
		break;
	case SEEK_END:
		seq = newest();
		break;
	default:
		return -EINVAL;
	}
	if (offset)
		return -ESPIPE;
	mutex_lock(&session->lock);
	end_snapshot(session);
	reader_seek(&session->reader, seq);
	mutex_unlock(&session->lock);
	return 0;
}

static int put_info(void __user *arg)
{
	struct tcptrace_info info = {
		.abi		= TCPTRACE_ABI,
		.event_size	= sizeof(struct tcptrace_event),
		.ring_events	= stream_ring()->mask + 1,
		.buckets	= flow_buckets(),
		.first_seq	= oldest(),
		.next_seq	= newest(),
		.flows		= flow_count(),
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int set_mode(struct session *session, const u32 __user *arg)
{
	u32 mode;

	if (get_user(mode, arg))
		return -EFAULT;
	if (mode > TCPTRACE_MODE_BINARY)
		return -EINVAL;
	session->mode = mode;
	return 0;
}

static int set_filter(struct session *session, const void __user *arg)
{
	struct tcptrace_filter filter;

	if (copy_from_user(&filter, arg, sizeof(filter)))
		return -EFAULT;
	if (filter.pad || (filter.ip_version && filter.ip_version != 4 && filter.ip_version != 6))
		return -EINVAL;
	session->reader.filter = filter;
	return 0;
}

static int put_account(const struct session *session, void __user *arg)
{
	const struct tcptrace_reader *account = &session->reader.account;

	return copy_to_user(arg, account, sizeof(*account)) ? -EFAULT : 0;
}

static int begin_snapshot(struct session *session)
{
	struct snapshot *snapshot = snapshot_begin(&session->reader);

	if (!snapshot)
		return -ENOMEM;
	end_snapshot(session);
	session->snapshot = snapshot;
	return 0;
}

static int flush(void)
{
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	expiry_flush(0, 0);
	atomic64_set(&flushed_seq, newest());
	return 0;
}

static long session_ioctl(struct session *session, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case TCPTRACE_IOC_SET_MODE:
		return set_mode(session, arg);
	case TCPTRACE_IOC_SET_FILTER:
		return set_filter(session, arg);
	case TCPTRACE_IOC_GET_READER:
		return put_account(session, arg);
	case TCPTRACE_IOC_SNAPSHOT:
		return begin_snapshot(session);
	default:
		return -ENOTTY;
	}
}

static long chardev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct session *session = file->private_data;
	long err;

	switch (cmd) {
	case TCPTRACE_IOC_GET_INFO:
		return put_info((void __user *)arg);
	case TCPTRACE_IOC_FLUSH:
		return flush();
	}
	mutex_lock(&session->lock);
	err = session_ioctl(session, cmd, (void __user *)arg);
	mutex_unlock(&session->lock);
	return err;
}

static const struct file_operations chardev_ops = {
	.owner		= THIS_MODULE,
	.open		= chardev_open,
	.release	= chardev_release,
	.read		= chardev_read,
	.poll		= chardev_poll,
	.llseek		= chardev_llseek,
	.unlocked_ioctl	= chardev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice chardev = {
	.minor		= MISC_DYNAMIC_MINOR,
	.name		= "tcptrace",
	.mode		= 0600,
	.fops		= &chardev_ops,
};

int chardev_init(void)
{
	return misc_register(&chardev);
}

void chardev_exit(void)
{
	misc_deregister(&chardev);
}
