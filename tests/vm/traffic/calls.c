// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of all kinds with arguments of all kinds, from many threads, on the device and the
 * files of the module.
 *
 *   calls THREADS N SEED	N calls of each thread
 *
 * Prints how many calls succeeded, how many failed, and what guide.h has to say: how many
 * places were reached and how many bursts of calls kept.  A call may fail as it likes; only
 * a kernel that falls over, or a value that no call of its kind has, is wrong.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guide.h"

#define THREADS_MAX	64
#define FILES		8	/* open ones, shared by all threads */
#define BURST		16	/* calls that are kept, or not, together */
#define ROOM		65536

static const char *const paths[] = {
	"/dev/tcptrace", "/dev/tcptrace", "/dev/tcptrace", "/dev/tcptrace",
	"/proc/net/tcptrace", "/proc/net/stat/tcptrace",
	"/sys/module/tcptrace/parameters/max_flows", "/sys/module/tcptrace/parameters/ingress",
};

static int files[FILES];
static char *room;	/* ROOM bytes, then one page that is read-only, then none */
static int nowhere;
static long calls_each;

struct thread {
	pthread_t id;
	uint64_t seed;
	struct guide guide;
	long done, failed;
};

static uint64_t next(struct thread *self)
{
	return guide_next(&self->guide);
}

static unsigned int any(struct thread *self, unsigned int n)
{
	return next(self) % n;
}

/* An address: mostly good, at any alignment; or one that leads nowhere. */
static void *address(struct thread *self)
{
	static const uintptr_t bad[] = {
		0, 1, UINTPTR_MAX - 7,
#if UINTPTR_MAX > UINT32_MAX
		0xdead000000000000, 0xffff888000000000, 0xffffffff81000000,
#else
		0xc0000000, 0xc1000000, 0xfffb0000,
#endif
	};

	switch (any(self, 8)) {
	case 0:
		return (void *)bad[any(self, sizeof(bad) / sizeof(bad[0]))];
	case 1:	/* across the edge of what may be written */
		return room + ROOM - any(self, 512);
	default:
		return room + any(self, 4096);
	}
}

static size_t size(struct thread *self)
{
	static const size_t sizes[] = { 0, 1, 7, 183, 184, 185, 4096, 4097, 32768, SIZE_MAX };

	return any(self, 2) ? sizes[any(self, 10)] : any(self, ROOM / 2);
}

static unsigned long request(struct thread *self)
{
	static const unsigned int of_ours[] = { 0, 1, 2, 3, 4, 5, 6, 255 };

	if (!any(self, 4))
		return next(self);
	return (unsigned long)any(self, 4) << 30 | (unsigned long)any(self, 80) << 16 |
	       0xb9 << 8 | of_ours[any(self, 8)];
}

/*
 * The requests that are right, and so get through the look at their number.  Few flush, or
 * there would be nothing to tell of.
 */
static unsigned long right_request(struct thread *self)
{
	static const unsigned long flush = 0xb904, requests[] = {
		2UL << 30 | 40 << 16 | 0xb900,	/* GET_INFO */
		1UL << 30 | 4 << 16 | 0xb901,	/* SET_MODE */
		1UL << 30 | 12 << 16 | 0xb902,	/* SET_FILTER */
		2UL << 30 | 56 << 16 | 0xb903,	/* GET_READER */
		0xb905,				/* SNAPSHOT */
	};

	return any(self, 100) ? requests[any(self, 5)] : flush;
}

static long reopen(struct thread *self)
{
	unsigned int i = any(self, FILES);
	int fd = open(paths[i], (any(self, 4) ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);

	/* the number stays, so that others may be in a call on what it was */
	if (fd < 0)
		return -1;
	dup2(fd, files[i]);
	return close(fd);
}

static long write_parameter(struct thread *self, int fd)
{
	static const char *const texts[] = {
		"", "0", "-1", "1000", "lo", "x,y,z", "\n", "4294967296",
	};
	const char *text = texts[any(self, 8)];

	return any(self, 4) ? write(fd, text, strlen(text)) : write(fd, address(self), 64);
}

static long call(struct thread *self)
{
	int fd = files[any(self, FILES)];
	struct iovec parts[3];
	struct pollfd poll_fd = { fd, next(self), 0 };
	off_t offset = next(self);
	unsigned int i;

	switch (any(self, 13)) {
	case 0:
		return reopen(self);
	case 1:
		return lseek(fd, any(self, 2) ? 0 : next(self), any(self, 6));
	case 2:
		return ioctl(fd, request(self), address(self));
	case 3:
	case 4:
		return ioctl(fd, right_request(self), address(self));
	case 5:
		return poll(&poll_fd, 1, any(self, 2));
	case 6:
		return pread(fd, address(self), size(self), next(self));
	case 7:
		for (i = 0; i < 3; i++)
			parts[i] = (struct iovec){ address(self), any(self, 4096) };
		return readv(fd, parts, 3);
	case 8:
		return write_parameter(self, fd);
	case 9:
		return sendfile(nowhere, fd, any(self, 2) ? NULL : &offset, any(self, 8192));
	case 10:
		return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0;
	case 11:
		return fcntl(fd, F_GETFL);
	default:
		return read(fd, address(self), size(self));
	}
}

static void count(struct thread *self, long value)
{
	if (value < -1)
		errx(1, "a call returned %ld", value);
	self->failed += value < 0;
	self->done += value >= 0;
}

static void *work(void *arg)
{
	struct thread *self = arg;
	long i;

	guide_open(&self->guide, self->seed);
	for (i = 0; i < calls_each; i++) {
		if (i % BURST == 0)
			guide_begin_burst(&self->guide);
		count(self, call(self));
		guide_note_places(&self->guide);
		if (i % BURST == BURST - 1)
			guide_end_burst(&self->guide);
	}
	return NULL;
}

static void make_room(void)
{
	room = mmap(NULL, ROOM + 2 * 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED || mprotect(room + ROOM, 4096, PROT_READ) ||
	    munmap(room + ROOM + 4096, 4096))
		err(1, "memory");
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS_MAX];
	int n = argc == 4 ? atoi(argv[1]) : 0, i;
	long done = 0, failed = 0;

	if (n < 1 || n > THREADS_MAX)
		errx(2, "usage: calls THREADS N SEED");
	calls_each = atol(argv[2]);
	make_room();
	nowhere = open("/dev/null", O_WRONLY);
	for (i = 0; i < FILES; i++)
		files[i] = open(paths[i], O_RDONLY | O_NONBLOCK);
	for (i = 0; i < n; i++) {
		threads[i].seed = strtoull(argv[3], NULL, 0) + i;
		if (pthread_create(&threads[i].id, NULL, work, &threads[i]))
			errx(1, "no thread");
	}
	for (i = 0; i < n; i++) {
		pthread_join(threads[i].id, NULL);
		done += threads[i].done;
		failed += threads[i].failed;
	}
	printf("%ld %ld %u %u\n", done, failed, guide_reached(), guide_kept());
	return 0;
}
