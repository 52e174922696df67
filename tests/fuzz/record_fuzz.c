// SPDX-License-Identifier: GPL-2.0
/* A recording of any bytes, shown in every format. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "display.h"
#include "fuzz.h"
#include "libtcptrace.h"

static int nowhere;

static void show(const char *path, const struct formatter *formatter)
{
	static struct tcptrace_source source;
	static struct display display;
	const struct tcptrace_event *event;
	int n;

	if (tcptrace_open_recording(&source, path)) {
		must(strlen(source.error) > 0);
		return;
	}
	display_init(&display, formatter, nowhere, TIME_RFC3339, source.wall_offset_ns);
	display_heading(&display);
	do {
		n = tcptrace_fill(&source);
		while ((event = tcptrace_next(&source)))
			display_event(&display, event);
	} while (n > 0);
	out_flush(&display.out);
	tcptrace_close(&source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct formatter *const formatters[] = {
		&format_text, &format_wide, &format_json, &format_raw, &format_flows,
	};
	char path[64];
	unsigned int i;
	int fd = memfd_create("recording", 0);

	if (!nowhere)
		nowhere = open("/dev/null", O_WRONLY);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (i = 0; i < sizeof(formatters) / sizeof(formatters[0]); i++)
		show(path, formatters[i]);
	close(fd);
	return 0;
}
