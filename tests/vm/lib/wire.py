# SPDX-License-Identifier: GPL-2.0
"""A host, and two wires of which this program holds the other ends:

  by hand         left ┌──────────────┐ right        by hand
 10.0.1.1 ─────────────┤ .2   host .2 ├───────────── 10.0.2.1
  fd01::1 ─────────────┤ ::2      ::2 ├─────────────  fd02::1
                       └──────────────┘

What is sent on a wire comes in at the host before send() returns, and all that the host
does about it at once has been done by then: only its timers have to be waited for.
"""

import fcntl
import os
import select
import struct

from lib.kernel import run
from lib.net import Namespace

TUNSETIFF = 0x400454ca
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000

# The network of each wire: the far end, which is ours, has 1, the host has 2.
NETWORKS = {"left": {4: "10.0.1.", 6: "fd01::"}, "right": {4: "10.0.2.", 6: "fd02::"}}

SYSCTLS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv6/conf/all/forwarding": 1,
    # what it connects besides is no end of a script
    "net/ipv4/ip_local_port_range": "20000 29999",
    # every challenge ACK is sent, not one in half a second
    "net/ipv4/tcp_invalid_ratelimit": 0,
    "net/ipv4/tcp_challenge_ack_limit": 2**31 - 1,
    # no tail loss probes: on a slow machine they would come in between
    "net/ipv4/tcp_early_retrans": 0,
    # data in a SYN both ways, and no cookie needed
    "net/ipv4/tcp_fastopen": 0x1 | 0x2 | 0x4 | 0x200,
}


class Wire:
    """A TUN device in the namespace where this thread is; a packet is an IP packet."""

    def __init__(self, name):
        self.name = name
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                                    IFF_TUN | IFF_NO_PI))

    def close(self):
        os.close(self.fd)

    def send(self, packet):
        os.write(self.fd, packet)

    def receive(self, seconds=0):
        """The next packet, or None if none comes in that time."""
        try:
            return os.read(self.fd, 65536)
        except BlockingIOError:
            if not seconds or not select.select([self.fd], [], [], seconds)[0]:
                return None
        return self.receive()

    def far(self, version):
        return NETWORKS[self.name][version] + "1"

    def near(self, version):
        return NETWORKS[self.name][version] + "2"


class WiredHost:
    """The host as long as the context lasts; this thread is in its namespace."""

    def __enter__(self):
        if not os.path.exists("/dev/net/tun"):	# not built in
            run("modprobe", "tun")
        self.namespace = Namespace.make("wired")
        self.inode = self.namespace.inode
        with self.namespace:
            self.left, self.right = Wire("left"), Wire("right")
            self.build()
        self.namespace.__enter__()
        return self

    def build(self):
        lines = []
        for wire in (self.left, self.right):
            lines += [f"addr add {wire.near(4)}/24 dev {wire.name}",
                      f"addr add {wire.near(6)}/64 dev {wire.name} nodad",
                      f"link set {wire.name} up"]
            # the host does not repeat data and FINs while a script is played
            lines += [f"route replace {NETWORKS[wire.name][4]}0/24 dev {wire.name} "
                      f"src {wire.near(4)} rto_min 20s",
                      f"-6 route replace {NETWORKS[wire.name][6]}/64 dev {wire.name} "
                      "metric 1 rto_min 20s"]
        for line in lines:
            run("ip", *line.split())
        for name, value in SYSCTLS.items():
            self.namespace.sysctl(name, value)

    def __exit__(self, *exception):
        self.namespace.__exit__()
        self.left.close()
        self.right.close()
        self.namespace.remove()
