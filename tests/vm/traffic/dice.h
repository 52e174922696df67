/* SPDX-License-Identifier: GPL-2.0 */
/* splitmix64, a public-domain generator: every seed gives a good start. */
#ifndef TRAFFIC_DICE_H
#define TRAFFIC_DICE_H

#include <stdint.h>

static inline uint64_t dice_next(uint64_t *dice)
{
	uint64_t z = *dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
