/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STATS_H
#define _STATS_H

#include "options.h"

int stats_print(const struct options *options);

#endif /* _STATS_H */
