/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A fuzz target is one function, which both libFuzzer and replay.c call with one
 * input.  It aborts at what must never be; the sanitizers find the rest.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition) do {							\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);	\
		abort();							\
	}									\
} while (0)

#endif /* _FUZZ_H */
