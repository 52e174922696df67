# SPDX-License-Identifier: GPL-2.0
"""Captures: pcap files of Ethernet frames, recorded, cut, and read by others."""

import collections
import signal
import socket
import struct
import subprocess

from lib.kernel import run
from lib.packet import FLAGS, checksum
from lib.tap import wait_for

FILE = struct.Struct("=IHHiIII")
RECORD = struct.Struct("=IIII")

# A frame: when it passed, its bytes, and how many there were before it was cut.
Frame = collections.namedtuple("Frame", "time data length")


def read(path):
    """The frames of a file, perhaps one that is still written."""
    data, at, frames = path.read_bytes(), FILE.size, []
    while at + RECORD.size <= len(data):
        seconds, micros, size, length = RECORD.unpack_from(data, at)
        at += RECORD.size
        if at + size > len(data):
            break
        frames.append(Frame(seconds + micros / 1e6, data[at:at + size], length))
        at += size
    return frames


def write(path, frames):
    with path.open("wb") as file:
        file.write(FILE.pack(0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for time, data, length in frames:
            micros = round(time * 1e6)
            file.write(RECORD.pack(micros // 10**6, micros % 10**6, len(data), length) + data)


class Segment:
    """The TCP segment in a frame that real hosts sent: no tags, no options in between."""

    def __init__(self, frame):
        self.frame = frame
        data = frame.data
        v6 = data[12:14] == b"\x86\xdd"
        at, size = (22, 16) if v6 else (26, 4)
        self.family = socket.AF_INET6 if v6 else socket.AF_INET
        self.addresses = data[at:at + 2 * size]
        self.tcp = at + 2 * size
        length, = struct.unpack_from("!H", data, 18 if v6 else 16)
        self.end = self.tcp + length if v6 else 14 + length
        source, dest, self.seq, _, offset, flags = struct.unpack_from("!HHIIBB", data, self.tcp)
        self.ports = (source, dest)
        self.payload_len = self.end - self.tcp - (offset >> 4) * 4
        self.flags = "".join(letter for letter, bit in FLAGS.items() if flags & bit)

    @property
    def ends(self):
        half = len(self.addresses) // 2
        return tuple((socket.inet_ntop(self.family, address), port) for address, port in
                     zip((self.addresses[:half], self.addresses[half:]), self.ports, strict=True))

    def with_port(self, port, other):
        """The same segment in another connection: one of its ports is another."""
        ports = [other if known == port else known for known in self.ports]
        segment = struct.pack("!HH", *ports) + self.frame.data[self.tcp + 4:self.end]
        whole = self.addresses + struct.pack("!II", len(segment), 6)
        whole += segment[:16] + bytes(2) + segment[18:]
        segment = segment[:16] + struct.pack("!H", checksum(whole)) + segment[18:]
        data = self.frame.data[:self.tcp] + segment + self.frame.data[self.end:]
        return self.frame._replace(data=data)


def of_port(frames, port):
    """The segments of a connection."""
    return [segment for segment in map(Segment, frames) if port in segment.ports]


class Recording:
    """What passes an interface of a host, as long as the context lasts."""

    def __init__(self, host, iface, path):
        self.host, self.iface, self.path = host, iface, path

    def __enter__(self):
        with self.host:
            self.process = subprocess.Popen(
                ["tcpdump", "-p", "-i", self.iface, "-U", "--immediate-mode", "-s", "2000", "-B",
                 "16384", "-Z", "root", "-w", self.path, "tcp"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if "listening" not in line:
            raise RuntimeError(f"tcpdump: {line}")
        return self

    def wait_for_port(self, port):
        """Wait until the last segment that passed, to this port, is in the file."""
        wait_for(lambda: of_port(read(self.path)[-10:], port), "the end of the recording")

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()


class Stream:
    """One connection as tshark tells it."""

    def __init__(self):
        self.initiator = None	# who sent the SYN, or was sent a SYN+ACK
        self.fins = self.rsts = self.completeness = 0
        self.bytes = collections.Counter()

    def add(self, source, dest, flags, length, completeness):
        if flags & FLAGS["S"] and not self.initiator:
            self.initiator = dest if flags & FLAGS["A"] else source
        self.fins += bool(flags & FLAGS["F"])
        self.rsts += bool(flags & FLAGS["R"])
        self.bytes[source] += length
        self.completeness |= completeness


def analyse(path):
    """The connections that tshark finds in a file, by the two ends: a list of each.

    In two passes: completeness is that of the whole connection for each segment then.
    """
    fields = ("tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst",
              "tcp.dstport", "tcp.flags", "tcp.len", "tcp.completeness")
    lines = run("tshark", "-2", "-n", "-r", path, "-T", "fields", "-E", "separator=,",
                *(word for field in fields for word in ("-e", field)), limit=180)
    streams, found = {}, {}
    for line in lines.splitlines():
        number, src, src6, sport, dst, dst6, dport, flags, length, complete = line.split(",")
        source, dest = (src or src6, int(sport)), (dst or dst6, int(dport))
        if number not in streams:
            streams[number] = Stream()
            found.setdefault(frozenset((source, dest)), []).append(streams[number])
        streams[number].add(source, dest, int(flags, 16), int(length), int(complete))
    return found
