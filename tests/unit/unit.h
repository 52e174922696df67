/* SPDX-License-Identifier: GPL-2.0 */
/* cmocka wants these before itself. */
#ifndef _TESTS_UNIT_H
#define _TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* _TESTS_UNIT_H */
