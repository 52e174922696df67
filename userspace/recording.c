// SPDX-License-Identifier: GPL-2.0
#include <byteswap.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "recording.h"

_Static_assert(sizeof(struct recording_header) == 32, "the layout of recordings");

static ssize_t read_all(int fd, void *to, size_t count)
{
	size_t done = 0;
	ssize_t n;

	while (done < count) {
		n = read(fd, (char *)to + done, count - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

static int check_header(struct tcptrace_source *source, const struct recording_header *header)
{
	if (header->version == bswap_32(RECORDING_VERSION))
		return tcptrace_fail(source, -EPROTO,
			"recorded on a machine of the other byte order");
	if (header->version != RECORDING_VERSION)
		return tcptrace_fail(source, -EPROTO,
			"a recording of format %u, this program reads format %u",
			header->version, RECORDING_VERSION);
	if (header->abi != TCPTRACE_ABI || header->event_size != TCPTRACE_EVENT_SIZE)
		return tcptrace_fail(source, -EPROTO,
			"recorded with ABI %u (records of %u bytes), this program has ABI %u (%u bytes)",
			header->abi, header->event_size, TCPTRACE_ABI, TCPTRACE_EVENT_SIZE);
	return 0;
}

/**
 * recording_read_header - read and check the head of a recording
 * @source: an open recording, at its start; receives the wall-clock offset
 *
 * Return: 0, or a negative errno and a sentence in @source: -EPROTO, it is not
 * a recording that this program can read.
 */
int recording_read_header(struct tcptrace_source *source)
{
	struct recording_header header;
	const ssize_t magic = sizeof(header.magic);
	ssize_t n = read_all(source->fd, &header, sizeof(header));
	int ret;

	if (n < 0)
		return tcptrace_fail(source, n, "%s", strerror(-n));
	if (n == 0)
		return tcptrace_fail(source, -EPROTO, "empty, not a recording of tcptracectl");
	if (memcmp(header.magic, RECORDING_MAGIC, n < magic ? n : magic))
		return tcptrace_fail(source, -EPROTO, "not a recording of tcptracectl");
	if (n < (ssize_t)sizeof(header))
		return tcptrace_fail(source, -EPROTO, "truncated: it ends inside its header");
	ret = check_header(source, &header);
	if (ret)
		return ret;
	source->wall_offset_ns = header.wall_offset_ns;
	return 0;
}

/**
 * recording_write_header - begin a recording
 * @out: the output
 * @wall_offset_ns: CLOCK_REALTIME less CLOCK_MONOTONIC
 */
void recording_write_header(struct out *out, __s64 wall_offset_ns)
{
	struct recording_header header = {
		.version = RECORDING_VERSION,
		.abi = TCPTRACE_ABI,
		.event_size = TCPTRACE_EVENT_SIZE,
		.wall_offset_ns = wall_offset_ns,
	};

	memcpy(header.magic, RECORDING_MAGIC, sizeof(header.magic));
	out_bytes(out, &header, sizeof(header));
}
