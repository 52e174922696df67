/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TRAFFIC_BEHAVIOUR_H
#define _TRAFFIC_BEHAVIOUR_H

#include <stdint.h>
#include "connection.h"

#define BEHAVIOUR_FIRST_PORT	10000	/* of connections 0 and 1, over IPv4 and IPv6 */

/**
 * behaviour_draw - a connection at random
 * @conn: filled in
 * @number: of the connection; even ones are IPv4, odd ones IPv6
 * @seed: the same seed and number make the same connection
 */
void behaviour_draw(struct connection *conn, int number, uint64_t seed);

#endif /* _TRAFFIC_BEHAVIOUR_H */
