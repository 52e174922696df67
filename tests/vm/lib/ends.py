# SPDX-License-Identifier: GPL-2.0
"""The endpoints of a play: those played by hand, and the one that is the host's kernel."""

import errno
import socket
import struct
import time

from lib import net
from lib.tap import check, same

SECONDS = 3	# that the kernel may take for what it does at once

KERNEL_STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECEIVED", 4: "FIN_WAIT_1",
                 5: "FIN_WAIT_2", 6: "TIME_WAIT", 7: "CLOSED", 8: "CLOSE_WAIT", 9: "LAST_ACK",
                 10: "LISTEN", 11: "CLOSING", 12: "SYN_RECEIVED"}


class End:
    """One endpoint: where it is, what its numbers count from."""

    def __init__(self, address, port, wire, isn, version):
        self.address = address
        self.port = port
        self.wire = wire	# that leads to it, if it is played by hand
        self.isn = isn
        self.version = version

    def here(self):
        return self.address, self.port


class Seen:
    """A segment that the host sent."""

    def __init__(self, data):
        start = 40 if data[0] >> 4 == 6 else (data[0] & 15) * 4
        self.tcp = data[start:] if (data[6] if start == 40 else data[9]) == 6 else None
        if self.tcp:
            (self.source, self.dest, self.seq, self.ack, offset, self.flags,
             self.window) = struct.unpack("!HHIIBBH", self.tcp[:16])
            self.length = len(self.tcp) - (offset >> 4) * 4


class RealEnd(End):
    """The end that the host's kernel plays: its sockets, and what it sends."""

    def __init__(self, end, peer, fast):
        super().__init__(peer.wire.near(end.version), end.port, None, end.isn, end.version)
        self.peer = peer
        self.fast = fast
        self.sure = False	# of its ISN, which its first SYN tells
        self.listener = self.connection = None
        self.filler = None	# a connection that is in the listener's queue

    def state(self):
        """That of the socket; TIME_WAIT and SYN_RECEIVED have one too."""
        here, there = (f":{port:04X}" for port in (self.port, self.peer.port))
        with open("/proc/thread-self/net/tcp" + "6" * (self.version == 6),
                  encoding="ascii") as table:
            for entry in table:
                words = entry.split()
                if words[1].endswith(here) and words[2].endswith(there):
                    return KERNEL_STATES[int(words[3], 16)]
        return "none"

    def receive(self, seconds=0):
        """The next segment that it sends, or None if there is none in that time."""
        deadline = time.monotonic() + seconds
        while data := self.peer.wire.receive(max(0, deadline - time.monotonic())):
            seen = Seen(data)
            if seen.tcp and (seen.source, seen.dest) == (self.port, self.peer.port):
                return seen
        return None

    def clean_up(self):
        if self.connection:
            net.abort_on_close(self.connection)
        for sock in (self.connection, self.listener, self.filler):
            if sock:
                sock.close()

    def listen(self):
        self.listener = socket.socket(net.family(self.address))
        self.listener.settimeout(SECONDS)
        self.listener.bind(self.here())
        if self.fast:
            self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        self.listener.listen()

    def sock(self):
        """The connection, accepted if it has to be."""
        if not self.connection:
            self.order_accept()
        return self.connection

    def order_connect(self, fast=None, count=0):
        self.connection = socket.socket(net.family(self.address))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.connection.bind(self.here())
        self.connection.setblocking(False)
        try:
            if fast:
                self.connection.sendto(b"x" * int(count), socket.MSG_FASTOPEN, self.peer.here())
            else:
                self.connection.connect(self.peer.here())
        except BlockingIOError:
            pass

    def order_accept(self):
        check(self.listener, "nobody listens")
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(SECONDS)

    def order_send(self, count):
        self.sock().sendall(b"x" * int(count))

    def order_read(self, count):
        self.sock().settimeout(SECONDS)
        found = b""
        while len(found) < int(count):
            data = self.sock().recv(int(count) - len(found))
            check(data, f"the end after {len(found)} bytes")
            found += data

    def order_shutdown(self):
        self.sock().shutdown(socket.SHUT_WR)

    def order_close(self):
        self.sock().close()
        self.connection = None

    def order_abort(self):
        net.abort_on_close(self.sock())
        self.order_close()

    def order_full(self):
        """Let its listener accept no more: the queue has room for one, and this is it."""
        self.listener.listen(0)
        self.filler = socket.create_connection(self.here(), SECONDS)

    def order_room(self):
        """Make room for one again."""
        self.listener.accept()[0].close()
        self.filler.close()

    def order_unlisten(self):
        self.listener.close()
        self.listener = None

    def order_error(self, name):
        """What its program gets to know."""
        number = self.sock().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        same(errno.errorcode.get(number, "none"), name, "error of the socket")
