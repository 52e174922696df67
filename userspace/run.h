/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUN_H
#define _RUN_H

#include "display.h"
#include "options.h"

int run(const struct options *options, const struct formatter *formatter);

#endif /* _RUN_H */
