/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STANDARD_H
#define _STANDARD_H

#include <stdbool.h>

bool standard_output_end(void);

#endif /* _STANDARD_H */
