// SPDX-License-Identifier: GPL-2.0
/*
 * Hand each file of a directory to a fuzz target, then each cut off in the middle:
 * what the fuzzer found stays found, without the fuzzer.
 *
 *	replay DIRECTORY	prints one TAP test
 */
#include <dirent.h>
#include <err.h>
#include <string.h>
#include "fuzz.h"

#define INPUT_MAX	1048576

/* In memory of just its size, so that ASan sees a read behind it. */
static void hand_over(const uint8_t *bytes, size_t size)
{
	uint8_t *input = malloc(size ? size : 1);

	if (!input)
		err(1, "%zu bytes", size);
	memcpy(input, bytes, size);
	LLVMFuzzerTestOneInput(input, size);
	free(input);
}

static void replay(const char *directory, const char *name)
{
	static uint8_t bytes[INPUT_MAX];
	char path[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file)
		err(1, "%s", path);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	hand_over(bytes, size);
	hand_over(bytes, size / 2);
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	unsigned int inputs = 0;
	DIR *directory;

	if (argc != 2)
		errx(2, "usage: replay DIRECTORY");
	directory = opendir(argv[1]);
	if (!directory)
		err(1, "%s", argv[1]);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		replay(argv[1], entry->d_name);
		inputs += 2;
	}
	closedir(directory);
	printf("1..1\n%s 1 - %u inputs from %s\n", inputs ? "ok" : "not ok", inputs, argv[1]);
	return !inputs;
}
