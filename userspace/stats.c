// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libtcptrace.h"
#include "standard.h"
#include "stats.h"

#define STATS_FILE	"/proc/net/stat/tcptrace"

/**
 * struct stat_format - how to print numbers
 * @begin: before all
 * @number: prints one; @first: nothing was printed before it
 * @end: behind all
 */
struct stat_format {
	const char *begin;
	void (*number)(bool first, const char *name, unsigned long long value,
		       const char *meaning);
	const char *end;
};

static void print_line(bool first, const char *name, unsigned long long value,
		       const char *meaning)
{
	(void)first;
	printf("%-24s %20llu  %s\n", name, value, meaning);
}

static void print_member(bool first, const char *name, unsigned long long value,
			 const char *meaning)
{
	(void)meaning;
	printf("%s\"%s\":%llu", first ? "" : ",", name, value);
}

static const struct stat_format text = { "", print_line, "" };
static const struct stat_format json = { "{", print_member, "}\n" };

static void print_info(const struct stat_format *format, const struct tcptrace_info *info)
{
	format->number(true, "abi", info->abi, "version of the interface to programs");
	format->number(false, "event_size", info->event_size, "bytes of a record");
	format->number(false, "ring_events", info->ring_events, "events that the ring holds");
	format->number(false, "first_seq", info->first_seq, "the oldest event in the ring");
	format->number(false, "produced", info->next_seq - 1, "events since the module was loaded");
	format->number(false, "flows", info->flows, "live flows in all namespaces");
	format->number(false, "buckets", info->buckets, "that the table of flows has for them");
}

/* One counter a line: its name, its value, what it means. */
static bool print_counter(const struct stat_format *format, bool first, char *line)
{
	char *name = strtok(line, " \t\n");
	char *value = strtok(NULL, " \t\n");
	char *meaning = strtok(NULL, "\n");
	char *end;
	unsigned long long number;

	if (!name || !value || strpbrk(name, "\"\\"))
		return false;
	number = strtoull(value, &end, 10);
	if (*end)
		return false;
	if (meaning)
		meaning += strspn(meaning, " \t");
	format->number(first, name, number, meaning ? meaning : "");
	return true;
}

static int print_counters(const struct stat_format *format)
{
	FILE *file = fopen(STATS_FILE, "re");
	bool first = true;
	char line[512];
	int ret = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (print_counter(format, first, line))
			first = false;
	if (ferror(file))
		ret = -EIO;
	fclose(file);
	return ret;
}

static int print_all(const struct stat_format *format, const struct tcptrace_info *info)
{
	int ret;

	fputs(format->begin, stdout);
	print_info(format, info);
	if (format == &json)
		fputs(",\"counters\":{", stdout);
	ret = print_counters(format);
	if (format == &json)
		fputs("}", stdout);
	fputs(format->end, stdout);
	return ret;
}

/**
 * stats_print - print how the device stands and the counters of the module
 * @options: which device, and whether in JSON
 *
 * Return: what to exit with; what went wrong was said on stderr.
 */
int stats_print(const struct options *options)
{
	static struct tcptrace_source source;
	int ret;

	if (tcptrace_open_device(&source, options->device)) {
		fprintf(stderr, "tcptracectl: %s\n", source.error);
		return EXIT_ERROR;
	}
	ret = print_all(options->json ? &json : &text, &source.info);
	tcptrace_close(&source);
	if (ret)
		fprintf(stderr, "tcptracectl: %s: %s\n", STATS_FILE, strerror(-ret));
	return standard_output_end() && !ret ? EXIT_OK : EXIT_ERROR;
}
