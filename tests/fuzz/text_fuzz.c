// SPDX-License-Identifier: GPL-2.0
/* A line of text from a record of any content. */
#include <string.h>
#include "fuzz.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcptrace_event event = {};
	char *line = malloc(TEXT_LINE_MAX), *time = malloc(32);
	size_t len, i;

	must(line && time);
	memcpy(&event, data, size < sizeof(event) ? size : sizeof(event));
	len = text_event(line, &event);
	must(len > 0 && len < TEXT_LINE_MAX - 1 && !line[len]);
	for (i = 0; i < len; i++)
		must(line[i] >= ' ' && line[i] != 0x7f);
	must(text_time(time, event.time_ns) <= 32);
	free(time);
	free(line);
	return 0;
}
