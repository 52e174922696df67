// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdlib.h>

#include "address.h"

static unsigned int address_len(unsigned int version)
{
	return version == 4 ? 4 : 16;
}

static void set_prefix(struct address *address, unsigned int bits)
{
	unsigned int i;

	address->bits = bits;
	memset(address->mask, 0, sizeof(address->mask));
	for (i = 0; i < bits; i++)
		address->mask[i / 8] |= 0x80 >> i % 8;
	for (i = 0; i < sizeof(address->bytes); i++)
		address->bytes[i] &= address->mask[i];
}

/**
 * address_parse - read an address
 * @address: receives it
 * @text: an IPv4 or IPv6 address; names are not resolved
 *
 * Return: whether @text is an address
 */
bool address_parse(struct address *address, const char *text)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		address->version = 4;
	else if (inet_pton(AF_INET6, text, address->bytes) == 1)
		address->version = 6;
	else
		return false;
	set_prefix(address, 8 * address_len(address->version));
	return true;
}

/**
 * address_parse_net - read a network
 * @address: receives it
 * @text: ADDRESS/LENGTH; bits of the address beyond the length do not matter
 *
 * Return: whether @text is a network
 */
bool address_parse_net(struct address *address, const char *text)
{
	char copy[INET6_ADDRSTRLEN + sizeof("/128")];
	unsigned long bits;
	char *slash, *end;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (!slash || slash[1] < '0' || slash[1] > '9')
		return false;
	*slash = '\0';
	if (!address_parse(address, copy))
		return false;
	bits = strtoul(slash + 1, &end, 10);
	if (*end || bits > address->bits)
		return false;
	set_prefix(address, bits);
	return true;
}

/**
 * address_covers - is an address in a network
 * @net: the network, or a single address
 * @version: 4 or 6
 * @bytes: the address, as in the ABI
 *
 * Return: whether it is
 */
bool address_covers(const struct address *net, unsigned int version, const __u8 bytes[16])
{
	unsigned int len = address_len(version);
	unsigned int i;

	if (net->version != version)
		return false;
	for (i = 0; i < len; i++)
		if ((bytes[i] & net->mask[i]) != net->bytes[i])
			return false;
	return true;
}

static void write_ipv4(struct out *out, const __u8 bytes[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (i)
			out_char(out, '.');
		out_number(out, bytes[i]);
	}
}

static void write_ipv6(struct out *out, const __u8 bytes[16])
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(AF_INET6, bytes, text, sizeof(text)))
		out_text(out, text);
}

/**
 * address_write - append an address
 * @out: the output
 * @version: 4 or 6
 * @bytes: the address, as in the ABI
 */
void address_write(struct out *out, unsigned int version, const __u8 bytes[16])
{
	if (version == 4)
		write_ipv4(out, bytes);
	else
		write_ipv6(out, bytes);
}

/**
 * endpoint_write - append 10.0.0.1:80 or [2001:db8::1]:80
 * @out: the output
 * @version: 4 or 6
 * @bytes: the address, as in the ABI
 * @port: in network order
 */
void endpoint_write(struct out *out, unsigned int version, const __u8 bytes[16],
		    __u16 port)
{
	if (version != 4)
		out_char(out, '[');
	address_write(out, version, bytes);
	if (version != 4)
		out_char(out, ']');
	out_char(out, ':');
	out_number(out, ntohs(port));
}
