/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RECORDING_H
#define _RECORDING_H

/*
 * A recording is a header and then records as the device gave them, LOST ones
 * too, in the byte order of the machine that wrote them.
 */

#include <linux/types.h>

#include "libtcptrace.h"
#include "out.h"

#define RECORDING_MAGIC		"tcptrace"
#define RECORDING_VERSION	1

/**
 * struct recording_header - the first bytes of a recording
 * @magic: RECORDING_MAGIC, without a zero byte
 * @version: RECORDING_VERSION; tells the byte order too
 * @abi: TCPTRACE_ABI of the records
 * @event_size: bytes of a record
 * @pad: zero
 * @wall_offset_ns: CLOCK_REALTIME less CLOCK_MONOTONIC when it was begun
 */
struct recording_header {
	char		magic[8];
	__u32		version;
	__u32		abi;
	__u32		event_size;
	__u32		pad;
	__s64		wall_offset_ns;
};

int recording_read_header(struct tcptrace_source *source);
void recording_write_header(struct out *out, __s64 wall_offset_ns);

#endif /* _RECORDING_H */
