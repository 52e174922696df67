# SPDX-License-Identifier: GPL-2.0
"""Segments that no kernel would send."""

import functools
import ipaddress
import struct

FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}


parse_address = functools.cache(ipaddress.ip_address)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


TCP, ICMP, ICMPV6 = 6, 1, 58


def summed(header):
    """An IPv4 header, its checksum still zero, with the checksum."""
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]


def ip_header(source, dest, length, protocol=TCP):
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + source.packed + dest.packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, protocol, 0)
    return summed(header + source.packed + dest.packed)


def tcp_sum(source, dest, segment):
    """The checksum of a segment that goes from one IP address to another."""
    pseudo = source.packed + dest.packed + struct.pack("!II", len(segment), TCP)
    return checksum(pseudo + segment[:16] + bytes(2) + segment[18:])


def with_sum(segment, total):
    return segment[:16] + struct.pack("!H", total) + segment[18:]


def packet(source, dest, flags, seq=0, ack=0, *, window=8192, urgent=0, options=b"",
           offset=None, good_checksum=True, cut=None, payload=b"", dest_in_sum=None):
    """An IP packet with a TCP header; source and dest are (address, port).

    options: a multiple of four bytes; offset: the data offset that the header claims, if
    it lies; cut: send only so much of the segment; dest_in_sum: the end of a source route,
    which the checksum covers in place of dest
    """
    addresses = [parse_address(end[0]) for end in (source, dest)]
    bits = sum(FLAGS[letter] for letter in flags)
    if offset is None:
        offset = 5 + len(options) // 4
    header = struct.pack("!HHIIBBHHH", source[1], dest[1], seq % 2**32, ack % 2**32,
                         offset << 4, bits, window, 0, urgent) + options
    segment = header + payload
    last = parse_address(dest_in_sum) if dest_in_sum else addresses[1]
    total = tcp_sum(addresses[0], last, segment) ^ (0 if good_checksum else 0x5555)
    segment = with_sum(segment, total)[:cut]
    return ip_header(*addresses, len(segment)) + segment


def readdressed(whole, source, dest):
    """A segment in IP without options, as it would go between two other addresses."""
    ends = [parse_address(end) for end in (source, dest)]
    segment = whole[40 if whole[0] >> 4 == 6 else 20:]
    return ip_header(*ends, len(segment)) + with_sum(segment, tcp_sum(*ends, segment))


def with_tos(whole, tos):
    """An IP packet with another TOS or traffic class."""
    if whole[0] >> 4 == 6:
        return bytes([0x60 | tos >> 4, (tos & 15) << 4]) + whole[2:]
    return summed(whole[:1] + bytes([tos]) + whole[2:10] + bytes(2) + whole[12:20]) + whole[20:]


def icmp_error(source, dest, number, code, quote, good_checksum=True):
    """An IP packet with an ICMP or ICMPv6 error; source and dest are addresses.

    number: the type; quote: the packet that it is about, or as much of it as is quoted
    """
    ends = [parse_address(end) for end in (source, dest)]
    protocol = ICMPV6 if ends[0].version == 6 else ICMP
    message = struct.pack("!BBHI", number, code, 0, 0) + quote
    pseudo = ends[0].packed + ends[1].packed + struct.pack("!II", len(message), protocol)
    total = checksum((pseudo if protocol == ICMPV6 else b"") + message)
    total ^= 0 if good_checksum else 0x5555
    message = message[:2] + struct.pack("!H", total) + message[4:]
    return ip_header(*ends, len(message), protocol) + message


def with_options(whole, options):
    """An IPv4 packet with IP options, whose length is a multiple of four."""
    words = 5 + len(options) // 4
    header = bytes([0x40 | words]) + whole[1:2] + struct.pack("!H", len(whole) + len(options))
    return summed(header + whole[4:10] + bytes(2) + whole[12:20] + options) + whole[20:]


def with_headers(whole, *headers):
    """An IPv6 packet with extension headers: (number, its bytes from the second on)."""
    numbers = [number for number, _ in headers] + [whole[6]]
    chain = b"".join(bytes([after]) + rest
                     for (_, rest), after in zip(headers, numbers[1:], strict=True))
    length = struct.pack("!H", len(whole) - 40 + len(chain))
    return whole[:4] + length + bytes([numbers[0]]) + whole[7:40] + chain + whole[40:]


def fragments(whole, size, ident):
    """An IP packet in fragments of so many bytes, a multiple of eight."""
    parts = []
    start = 40 if whole[0] >> 4 == 6 else 20
    for at in range(start, len(whole), size):
        data, more = whole[at:at + size], at + size < len(whole)
        if start == 40:
            frag = struct.pack("!BHI", 0, at - start | more, ident)
            parts.append(with_headers(whole[:40] + data, (44, frag)))
        else:
            where = struct.pack("!HH", ident, (at - start) // 8 | more << 13)
            header = whole[:2] + struct.pack("!H", 20 + len(data)) + where + whole[8:10] + bytes(2)
            parts.append(summed(header + whole[12:20]) + data)
    return parts
