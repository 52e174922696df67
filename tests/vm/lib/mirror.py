# SPDX-License-Identifier: GPL-2.0
"""Mirrored interfaces, in the initial network namespace:

 feed0 ─── mon0     what is sent into feed0 comes in on mon0, and so on
 feed1 ─── mon1
"""

import contextlib
import itertools
import os
import pathlib
import socket

from lib.cpu import one_cpu
from lib.kernel import Module, run
from lib.packet import packet
from lib.trace import Flow, Trace

BACKLOG = pathlib.Path("/proc/sys/net/core/netdev_max_backlog")


class Mirror:
    """One of them, as long as the context lasts; as a host, its events are at it."""

    def __init__(self, number=0):
        self.name, self.feed = f"mon{number}", f"feed{number}"
        self.inode = os.stat("/proc/self/ns/net").st_ino
        self.strangers = itertools.cycle(range(1, 60000))

    def __enter__(self):
        BACKLOG.write_text("100000")	# at top speed too, every frame arrives
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", self.feed)
        for name in (self.name, self.feed):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            run("ip", "link", "set", name, "up")
        return self

    def __exit__(self, *exception):
        run("ip", "link", "del", self.feed)

    def replay(self, path, *pace):
        """Replay a capture."""
        with one_cpu():
            run("tcpreplay", "-q", "-i", self.feed, *pace, path, limit=180)

    def socket(self):
        """What is written to it comes in as a frame."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((self.feed, 0))
        return sock

    def send(self, *frames):
        with one_cpu(), self.socket() as sock:
            for frame in frames:
                sock.send(bytes(frame))

    def syns(self, count):
        """So many attempts of strangers."""
        self.send(*(bytes(12) + b"\x08\x00" + packet(("192.0.2.1", port),
                                                     ("198.51.100.1", 80), "S")
                    for port in itertools.islice(self.strangers, count)))


def flows_of(events):
    """The flows of these events, each with its number, in the order of their first."""
    flows = {}
    for event in events:
        if event["flow_id"]:
            flows.setdefault(event["flow_id"], []).append(event)
    return [Flow(found) for found in flows.values()]


def ends_of(flow):
    """Both ends of a flow, the initiator first."""
    first = flow.events[0]
    return (first["src_ip"], first["src_port"]), (first["dest_ip"], first["dest_port"])


@contextlib.contextmanager
def mirrored_stage():
    """The first of them, the module that waits for a second, and the trace."""
    with Mirror() as mirror, Module(ingress="mon0,mon1"), Trace() as trace:
        yield mirror, trace
