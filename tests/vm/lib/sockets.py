# SPDX-License-Identifier: GPL-2.0
"""What the kernel says of its own sockets: the tracepoint sock:inet_sock_set_state, and ss;
of requests, which are no sockets yet, ss and the tracepoint tcp:tcp_retransmit_synack.

An endpoint is (local address, local port, remote address, remote port), addresses as
text, so that each of the two sockets of a connection has a name of its own.
"""

import collections
import contextlib
import os
import pathlib
import re
import socket
import struct

from lib.tap import check

TRACING = pathlib.Path("/sys/kernel/tracing")
EVENT = "events/sock/inet_sock_set_state"

# include/net/tcp_states.h, in the words of RFC 9293; what ss calls them
STATES = {
    1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECEIVED", 4: "FIN_WAIT_1", 5: "FIN_WAIT_2",
    6: "TIME_WAIT", 7: "CLOSED", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING",
}
SS_STATES = {
    "ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECEIVED",
    "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "TIME-WAIT": "TIME_WAIT",
    "UNCONN": "CLOSED", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
    "LISTEN": "LISTEN", "CLOSING": "CLOSING",
}

Change = collections.namedtuple("Change", "time_ns address old new family sport dport source dest")


class Socket:
    """One socket: its endpoint, the states it went through, and when it entered each."""

    def __init__(self, change):
        self.endpoint = None
        self.states = [STATES[change.old]]
        self.times = [None]
        self.add(change)

    def add(self, change):
        # a socket that a SYN made gets its tuple after its first change
        if change.dport:
            self.endpoint = (change.source, change.sport, change.dest, change.dport)
        # a second shutdown() is told, too
        if change.new != change.old:
            self.states.append(STATES[change.new])
            self.times.append(change.time_ns)

    def when(self, state):
        """When it entered a state, in ns of CLOCK_MONOTONIC; None if it never did."""
        return self.times[self.states.index(state)] if state in self.states[1:] else None


def offsets():
    """Name of each field of the event to where it is, as the kernel describes it."""
    form = (TRACING / EVENT / "format").read_text()
    return {name: int(offset) for name, offset in re.findall(
        r"field:[^;]*?(\w+)(?:\[\d+\])?;\s+offset:(\d+);", form)}


class StateTrace:
    """A trace of all changes of state, of its own, as long as the context lasts."""

    def __init__(self, buffer_kb=16384):
        self.path = TRACING / "instances/agreement"
        self.buffer_kb = buffer_kb
        self.open = {}		# by the address of the socket

    def __enter__(self):
        self.path.mkdir()
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", self.buffer_kb)
        self.write(f"{EVENT}/filter", f"protocol == {socket.IPPROTO_TCP}")
        self.write(f"{EVENT}/enable", 1)
        self.at = offsets()
        self.cpus = sorted((self.path / "per_cpu").iterdir())
        self.fds = [os.open(cpu / "trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK)
                    for cpu in self.cpus]
        return self

    def __exit__(self, *exception):
        self.write(f"{EVENT}/enable", 0)
        for fd in self.fds:
            os.close(fd)
        self.path.rmdir()

    def write(self, name, value):
        (self.path / name).write_text(str(value))

    def lost(self):
        """How many changes the buffers had no room for."""
        stats = "".join((cpu / "stats").read_text() for cpu in self.cpus)
        return sum(map(int, re.findall(r"(?:overrun|dropped events): (\d+)", stats)))

    def sockets(self):
        """The sockets that appeared or changed since the last call, with all they did."""
        changes = sorted(change for fd in self.fds for change in self.changes(fd))
        touched = {}
        for change in changes:
            sock = self.open.get(change.address)
            if sock and sock.states[-1] == STATES[change.old]:
                sock.add(change)
            else:
                # a socket that never had a tuple goes without a word
                check(STATES[change.old] in ("CLOSED", "LISTEN"), f"no beginning: {change}")
                sock = self.open[change.address] = Socket(change)
            touched[id(sock)] = sock
            if change.new == 7:
                del self.open[change.address]
        return list(touched.values())

    def changes(self, fd):
        while True:
            try:
                page = os.read(fd, os.sysconf("SC_PAGE_SIZE"))
            except BlockingIOError:
                return
            if not page:
                return
            for time_ns, at in records(page):
                yield self.change(time_ns, page, at)

    def change(self, time_ns, page, start):
        def field(name, form):
            return struct.unpack_from(form, page, start + self.at[name])[0]

        family = field("family", "H")
        if family == socket.AF_INET6:
            source, dest = field("saddr_v6", "16s"), field("daddr_v6", "16s")
        else:
            source, dest = field("saddr", "4s"), field("daddr", "4s")
        return Change(time_ns, field("skaddr", "P"), field("oldstate", "i"),
                      field("newstate", "i"), family, field("sport", "H"), field("dport", "H"),
                      socket.inet_ntop(family, source), socket.inet_ntop(family, dest))


class RepeatedOffers:
    """The SYN+ACKs that are sent again by the kernel's timer, as long as the context lasts.

    Each is of a request; on a slow machine ss may come too late to see one.
    """

    path = TRACING / "instances/requests"
    enable = path / "events/tcp/tcp_retransmit_synack/enable"
    form = re.compile(r"sport=(\d+) dport=(\d+) .*saddrv6=(\S+) daddrv6=(\S+)")

    def __enter__(self):
        self.path.mkdir()
        self.fd = os.open(self.path / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.enable.write_text("1")
        return self

    def __exit__(self, *exception):
        self.enable.write_text("0")
        os.close(self.fd)
        self.path.rmdir()

    def endpoints(self):
        """Those that sent one since the last call."""
        text = ""
        with contextlib.suppress(BlockingIOError):
            while True:
                text += os.read(self.fd, 65536).decode()
        for sport, dport, source, dest in self.form.findall(text):
            yield (source.removeprefix("::ffff:"), int(sport),
                   dest.removeprefix("::ffff:"), int(dport))


def records(page):
    """Time and place of each record on a page of a ring buffer: include/linux/ring_buffer.h."""
    header = struct.Struct("QL")	# a long is as wide as the kernel's
    time_ns, commit = header.unpack_from(page)
    at, end = header.size, header.size + (commit & 0xfffff)
    while at < end:
        head, = struct.unpack_from("I", page, at)
        kind, delta = head & 31, head >> 5
        word = struct.unpack_from("I", page, at + 4)[0] if kind in (0, 29, 30, 31) else 0
        if kind == 29:			# padding
            if not delta:
                return
            time_ns += delta
            at += 4 + word
        elif kind == 30:		# the time advances by more than fits
            time_ns += delta + (word << 27)
            at += 8
        elif kind == 31:		# the time itself, but for its highest bits
            time_ns = time_ns & ~((1 << 59) - 1) | word << 27 | delta
            at += 8
        else:
            time_ns += delta
            yield time_ns, at + (4 if kind else 8)
            at += 4 + (kind * 4 if kind else word)


def split(endpoint):
    """Address and port as ss and /proc/net/tcptrace write them."""
    address, _, port = endpoint.rpartition(":")
    return address.strip("[]"), int(port) if port != "*" else 0


def listed(namespace, *states):
    """What ss lists of a namespace: endpoint to state."""
    words = [word for state in states for word in ("state", state)]
    lines = namespace.run("ss", "-Htan", *words).splitlines()
    found = {}
    for line in lines:
        columns = line.split()
        state = SS_STATES[columns[0]] if not states or len(states) > 1 else states[0]
        local, peer = columns[-2:]
        found[(*split(local), *split(peer))] = state
    return found
