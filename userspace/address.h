/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ADDRESS_H
#define _ADDRESS_H

#include <stdbool.h>
#include <linux/types.h>

#include "out.h"

/**
 * struct address - an address or a network
 * @version: 4 or 6
 * @bits: length of the prefix in bits, of an address 32 or 128
 * @bytes: as in the ABI: an IPv4 address is in the first 4 bytes; zero beyond @bits
 * @mask: ones in the first @bits bits
 */
struct address {
	__u8 version;
	__u8 bits;
	__u8 bytes[16];
	__u8 mask[16];
};

bool address_parse(struct address *address, const char *text);
bool address_parse_net(struct address *address, const char *text);
bool address_covers(const struct address *net, unsigned int version, const __u8 bytes[16]);
void address_write(struct out *out, unsigned int version, const __u8 bytes[16]);
void endpoint_write(struct out *out, unsigned int version, const __u8 bytes[16],
		    __u16 port);

#endif /* _ADDRESS_H */
