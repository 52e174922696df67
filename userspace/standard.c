// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "standard.h"

/**
 * standard_output_end - write what stdio still holds for standard output
 *
 * Return: whether all was written, now and before; if not, that was said on stderr. A pipe
 * that its reader has closed is no failure: whoever reads wants no more.
 */
bool standard_output_end(void)
{
	bool failed = fflush(stdout) || ferror(stdout);

	if (!failed || errno == EPIPE)
		return true;
	perror("tcptracectl: cannot write the output");
	return false;
}
