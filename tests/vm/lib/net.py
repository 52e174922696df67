# SPDX-License-Identifier: GPL-2.0
"""Three hosts:

  client                        router                        server
 ┌─────────────────┐   ┌──────────────────────────┐   ┌─────────────────┐
 │       to-router ├───┤ to-client      to-server ├───┤ to-router       │
 │     10.0.1.1/24 │   │ 10.0.1.2/24  10.0.2.2/24 │   │ 10.0.2.1/24     │
 │      fd01::1/64 │   │ fd01::2/64    fd02::2/64 │   │ fd02::1/64      │
 └─────────────────┘   └──────────────────────────┘   └─────────────────┘

Each is a network namespace, so a connection from client to server is followed three
times: at the client, forwarded at the router, at the server.
"""

import contextlib
import itertools
import os
import socket
import struct
import threading

from lib.kernel import attempt, run
from lib.system import set_namespace
from lib.tap import Skip

CLIENT, SERVER = "10.0.1.1", "10.0.2.1"
CLIENT6, SERVER6 = "fd01::1", "fd02::1"

ETH_P_ALL = 3		# linux/if_ether.h
SO_RCVBUFFORCE = 33	# asm-generic/socket.h

LINKS = """\
link add to-router netns client type veth peer name to-client netns router
link add to-router netns server type veth peer name to-server netns router
"""

ADDRESSES = {
    "client": (("to-router", "10.0.1.1/24", "fd01::1/64"),),
    "router": (("to-client", "10.0.1.2/24", "fd01::2/64"),
               ("to-server", "10.0.2.2/24", "fd02::2/64")),
    "server": (("to-router", "10.0.2.1/24", "fd02::1/64"),),
}

VRF = """\
link set blue up
link set to-router master blue
addr flush dev to-router
addr add 10.0.1.1/24 dev to-router
addr add fd01::1/64 dev to-router nodad
addr add 10.0.7.7/32 dev blue
route add default via 10.0.1.2 vrf blue
route add default via fd01::2 vrf blue
"""

GATEWAYS = {"client": ("10.0.1.2", "fd01::2"), "server": ("10.0.2.2", "fd02::2")}

# What a firewall does to connections to some port. The output chain acts before the
# module looks, the forward chain behind it.
FIREWALL = """\
table inet lab {
	set swallow { type inet_service; }
	set refuse { type inet_service; }
	set mute { type inet_service; }
	set no_reset { type inet_service; }
	chain forward {
		type filter hook forward priority 0;
		tcp dport @swallow drop
		tcp dport @refuse reject with tcp reset
	}
	chain output {
		type filter hook output priority 0;
		tcp dport @mute drop
		tcp dport @no_reset tcp flags & rst == rst drop
	}
}
"""

ports = itertools.count(5001)


def new_port():
    """A port that no other test uses, so that it tells whose events are whose."""
    return next(ports)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tap(interface):
    """A socket that gets what the interface sends and receives, without the link layer."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.bind((interface, ETH_P_ALL))
    return sock


class Namespace:
    """A network namespace; as a context, where this thread is meanwhile."""

    def __init__(self, name):
        self.name = name
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        self.inode = os.fstat(self.fd).st_ino
        self.outside = threading.local()
        self.sysctl("net/ipv6/conf/default/accept_dad", 0)
        # later kernels repeat the first SYNs each second: as before, and as on any other host
        with contextlib.suppress(FileNotFoundError):
            self.sysctl("net/ipv4/tcp_syn_linear_timeouts", 0)
        self.walled = False

    @classmethod
    def make(cls, name):
        run("ip", "netns", "add", name)
        host = cls(name)
        host.run("ip", "link", "set", "lo", "up")
        return host

    def remove(self):
        os.close(self.fd)
        run("ip", "netns", "del", self.name)

    def __enter__(self):
        if not hasattr(self.outside, "fds"):
            self.outside.fds = []
        self.outside.fds.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        set_namespace(self.fd)
        return self

    def __exit__(self, *exception):
        fd = self.outside.fds.pop()
        set_namespace(fd)
        os.close(fd)

    def run(self, *command, **options):
        with self:
            return run(*command, **options)

    def read(self, path):
        with self, open(path, encoding="ascii") as file:
            return file.read()

    def sysctl(self, name, value):
        with self, open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
            file.write(str(value))

    def socket(self, address, kind=socket.SOCK_STREAM, protocol=0):
        with self:
            sock = socket.socket(family(address), kind, protocol)
        sock.settimeout(10)
        return sock

    def listen(self, address, port):
        sock = self.socket(address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen()
        return sock

    def firewall(self, what, port):
        """Put a port in one of the sets of FIREWALL."""
        if not self.walled:
            self.run("nft", "-f", "-", input=FIREWALL)
            self.walled = True
        self.run("nft", f"add element inet lab {what} {{ {port} }}")

    def firewall_off(self, what, port):
        self.run("nft", f"delete element inet lab {what} {{ {port} }}")

    @contextlib.contextmanager
    def rules(self, hook, rules, kind="filter", family="inet"):
        """Rules of nftables, separated by semicolons, as long as the context lasts."""
        self.run("nft", "-f", "-", input=f"table {family} {kind} {{ chain {hook} {{ "
                 f"type {kind} hook {hook} priority 0; {rules}; }}; }}")
        try:
            yield
        finally:
            self.run("nft", f"delete table {family} {kind}")

    def nat(self, hook, rule):
        return self.rules(hook, rule, "nat", "ip")

    def send_raw(self, packet, dest):
        """Send a whole IP packet, whatever it is."""
        with self.socket(dest, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
            sock.sendto(packet, (dest, 0))


def abort_on_close(sock):
    """close() will send a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Lab:
    """The three hosts, as long as the context lasts."""

    hosts = ()

    def __enter__(self):
        run("ip", "-batch", "-", input="".join(f"netns add {name}\n" for name in ADDRESSES))
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        self.hosts = [Namespace(name) for name in ADDRESSES]
        self.client, self.router, self.server = self.hosts
        run("ip", "-batch", "-", input=LINKS)
        for host in self.hosts:
            host.run("ip", "-batch", "-", input=self.addresses(host.name))
            # no tail loss probes: on a slow machine they would send bytes twice
            host.sysctl("net/ipv4/tcp_early_retrans", 0)
        self.router.sysctl("net/ipv4/ip_forward", 1)
        self.router.sysctl("net/ipv6/conf/all/forwarding", 1)

    @staticmethod
    def addresses(name):
        lines = ["link set lo up"]
        for iface, v4, v6 in ADDRESSES[name]:
            lines += [f"addr add {v4} dev {iface}", f"addr add {v6} dev {iface} nodad",
                      f"link set {iface} up"]
        for gateway in GATEWAYS.get(name, ()):
            lines.append(f"route add default via {gateway}")
        return "\n".join(lines)

    def __exit__(self, *exception):
        for host in self.hosts:
            os.close(host.fd)
        run("ip", "-batch", "-", input="".join(f"netns del {name}\n" for name in ADDRESSES))

    def delay(self, milliseconds):
        """Let every segment between the hosts take its time; 0 ends it."""
        for host in (self.client, self.server):
            if milliseconds:
                host.run("tc", "qdisc", "add", "dev", "to-router", "root", "netem",
                         "delay", f"{milliseconds}ms")
            else:
                host.run("tc", "qdisc", "del", "dev", "to-router", "root")

    def enslave(self):
        """Put the client's interface into a VRF, for good."""
        if attempt("ip", "-n", self.client.name, "link", "add", "blue", "type", "vrf",
                   "table", 10).returncode:
            raise Skip("this kernel has no VRF")
        self.client.run("ip", "-batch", "-", input=VRF)

    def connect(self, port, address=SERVER, source_port=0, patience=10):
        """A connection to a listener that accepts just this one; both sockets."""
        with self.server.listen(address, port) as listener:
            listener.settimeout(patience)
            client = self.client.socket(address)
            client.settimeout(patience)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((CLIENT6 if ":" in address else CLIENT, source_port))
            client.connect((address, port))
            server, _ = listener.accept()
        server.settimeout(patience)
        return client, server
