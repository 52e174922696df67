# SPDX-License-Identifier: GPL-2.0
"""Segments that no kernel would send."""

import ipaddress
import struct

FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_header(source, dest, length):
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, 6, 64) + source.packed + dest.packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 6, 0)
    header += source.packed + dest.packed
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]


def packet(source, dest, flags, seq=0, ack=0, *, offset=5, good_checksum=True, cut=None):
    """An IP packet with a TCP header; source and dest are (address, port).

    offset: the data offset that the header claims; cut: send only so much of the header
    """
    addresses = [ipaddress.ip_address(end[0]) for end in (source, dest)]
    bits = sum(FLAGS[letter] for letter in flags)
    header = struct.pack("!HHIIBBHHH", source[1], dest[1], seq % 2**32, ack % 2**32,
                         offset << 4, bits, 8192, 0, 0)
    pseudo = b"".join(address.packed for address in addresses)
    pseudo += struct.pack("!II", len(header), 6)
    total = checksum(pseudo + header) ^ (0 if good_checksum else 0x5555)
    header = header[:16] + struct.pack("!H", total) + header[18:]
    header = header[:cut]
    return ip_header(*addresses, len(header)) + header
