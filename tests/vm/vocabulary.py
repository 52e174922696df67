#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What an end is called in the words of Zeek, Wireshark and conntrack.

Each test makes a connection and says what its ends have to be called by Zeek's
documentation. The others are there themselves: tshark reads what tcpdump took at
each host, conntrack -E tells what it saw there, and the last tests compare every end
with that.
"""

import concurrent.futures
import contextlib
import itertools
import re
import socket
import struct

from lib import net
from lib.device import Device
from lib.kernel import RELEASE, stats
from lib.packet import packet
from lib.peers import Capture, Conntrack
from lib.tap import Skip, check, main, same, test, wait_for
from lib.trace import stage, told

# Connections of these ports are scripted: what the kernels say to them is not sent.
SCRIPTED = itertools.count(20000)
CLIENT_PORT = 40000
SILENCE = """\
table inet silence {
	chain output {
		type filter hook output priority raw;
		tcp sport 20000-20999 tcp flags & rst == rst tcp window 0 drop
		tcp dport 20000-20999 tcp flags & rst == rst tcp window 0 drop
	}
}
"""
ISN = {">": 1000, "<": 5000}

OPENED = """
>S 0
<SA 0 1
>A 1 1
"""


class World:
    """The hosts, the trace, and the other tools at each host."""

    def __init__(self, lab, trace, tools):
        self.lab = lab
        self.trace = trace
        self.captures = {host: tools.enter_context(Capture(host, iface)) for host, iface in
                         zip(lab.hosts, ("to-router", "to-client", "to-router"))}
        self.conntracks = {host: tools.enter_context(Conntrack(host)) for host in lab.hosts}
        self.ends = []
        self.midway = set()
        self.believed = {}

    def called(self, port, conn_state, history, hosts=(), count=1):
        """The count-th end of a port is called so at each of the hosts."""
        for host in hosts or self.lab.hosts:
            end = self.trace.wait_event(host, port, "end", count)
            self.ends.append((host, port, count, end))
            same(end["zeek_conn_state"], conn_state, f"conn_state at {host.name}",
                 [end["zeek_history"], *told(self.trace.at(host, port))])
            check(re.fullmatch(history, end["zeek_history"]),
                  f"history at {host.name}: {end['zeek_history']}, wanted {history}")

    def flush(self):
        """End what is live."""
        with Device() as device:
            device.flush()

    def play(self, script):
        """Send segments from the client (>) and from the server (<).

        A line has flags, sequence number, acknowledgment and bytes of payload; "bad"
        means the checksum. Returns the server's port.
        """
        port = next(SCRIPTED)
        ends = {">": (net.CLIENT, CLIENT_PORT), "<": (net.SERVER, port)}
        for line in script.split("\n"):
            if line:
                self.send(ends, *line.split())
        return port

    def send(self, ends, segment, seq, ack=0, payload=0, checksum=None):
        side, flags = segment[0], segment[1:]
        peer = "<" if side == ">" else ">"
        host = self.lab.client if side == ">" else self.lab.server
        before = stats()["segments"]
        host.send_raw(packet(ends[side], ends[peer], flags, ISN[side] + int(seq),
                             ISN[peer] + int(ack) if "A" in flags else 0,
                             payload=b"x" * int(payload), good_checksum=checksum != "bad"),
                      ends[peer][0])
        wait_for(lambda: stats()["segments"] >= before + 3, f"{segment} at all hosts")

    def unfinished(self, script, conn_state, history, midway=False):
        """A scripted connection that a flush ends."""
        port = self.play(script)
        self.flush()
        if midway:
            self.midway.add(port)
        self.called(port, conn_state, history)
        return port

    def finished(self, script, conn_state, history, midway=False):
        """A scripted connection that ends by itself."""
        port = self.play(script)
        if midway:
            self.midway.add(port)
        self.called(port, conn_state, history)


def send(source, dest, count):
    source.sendall(b"x" * count)
    while count:
        count -= len(dest.recv(65536))


def half_close(world, port, sock, count=1):
    """One FIN and its ACK, seen by all."""
    sock.shutdown(socket.SHUT_WR)
    for host in world.lab.hosts:
        world.trace.wait_event(host, port, "fin_acked", count)


@test
def orderly(world):
    """SF: data both ways, the client closes first"""
    port = net.new_port()
    client, server = world.lab.connect(port)
    send(client, server, 100)
    send(server, client, 3000)
    half_close(world, port, client)
    server.close()
    world.called(port, "SF", "ShAD(a?dA?|da)Fa?f")


@test
def orderly_ipv6(world):
    """SF: no data, the server closes first, over IPv6"""
    port = net.new_port()
    client, server = world.lab.connect(port, net.SERVER6)
    half_close(world, port, server)
    client.close()
    world.called(port, "SF", "ShAfFa")


@test
def half_closed(world):
    """SF: the server sends on after the client's FIN"""
    port = net.new_port()
    client, server = world.lab.connect(port)
    half_close(world, port, client)
    send(server, client, 20000)
    server.close()
    world.called(port, "SF", "ShAFadf")


@test
def crossed_fins(world):
    """SF: both close at the same time"""
    port = net.new_port()
    world.lab.delay(100)
    try:
        client, server = world.lab.connect(port)
        world.trace.wait_event(world.lab.server, port, "established")
        client.shutdown(socket.SHUT_WR)
        server.shutdown(socket.SHUT_WR)
        world.called(port, "SF", "ShA(Ff|fF)a")
    finally:
        world.lab.delay(0)


@test
def reused(world):
    """SF: twice on one tuple"""
    port = net.new_port()
    for count in (1, 2):
        client, server = world.lab.connect(port, source_port=3333)
        half_close(world, port, server, 2 * count - 1)
        client.close()
        world.called(port, "SF", "ShAfFa", count=count)
        server.close()


@test
def fast_open(world):
    """SF: the only data come with the SYN"""
    port = net.new_port()
    world.lab.client.sysctl("net/ipv4/tcp_fastopen", 0x5)
    world.lab.server.sysctl("net/ipv4/tcp_fastopen", 0x202)
    with world.lab.server.listen(net.SERVER, port) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 1)
        client = world.lab.client.socket(net.SERVER)
        client.sendto(b"x" * 10, socket.MSG_FASTOPEN, (net.SERVER, port))
        server, _ = listener.accept()
    same(len(server.recv(100)), 10, "bytes")
    for host in world.lab.hosts:
        same(world.trace.wait_event(host, port, "syn")["payload_len"], 10, "bytes in the SYN")
        world.trace.wait_event(host, port, "established")
    half_close(world, port, client)
    server.close()
    world.called(port, "SF", "ShAFaf")


@test
def refused(world):
    """REJ: a closed port"""
    port = net.new_port()
    with world.lab.client.socket(net.SERVER) as client:
        client.connect_ex((net.SERVER, port))
    world.called(port, "REJ", "Sr")


@test
def reset_by_client(world):
    """RSTO: the client resets"""
    port = net.new_port()
    client, server = world.lab.connect(port)
    send(client, server, 500)
    net.abort_on_close(client)
    client.close()
    world.called(port, "RSTO", "ShADa?R")
    server.close()


@test
def reset_by_server(world):
    """RSTR: the server resets"""
    port = net.new_port()
    client, server = world.lab.connect(port)
    net.abort_on_close(server)
    server.close()
    world.called(port, "RSTR", "ShAr")
    client.close()


@test
def reset_half_closed(world):
    """RSTR: the server resets after the client's FIN"""
    port = net.new_port()
    client, server = world.lab.connect(port)
    half_close(world, port, client)
    net.abort_on_close(server)
    server.close()
    world.called(port, "RSTR", "ShAFar")
    client.close()


@test
def scanned(world):
    """RSTO: a scan that answers the SYN+ACK with a RST"""
    port = net.new_port()
    with world.lab.server.listen(net.SERVER, port):
        world.lab.client.send_raw(packet((net.CLIENT, 1234), (net.SERVER, port), "S", 77),
                                  net.SERVER)
        world.called(port, "RSTO", "ShR")


@test
def swallowed(world):
    """S0: the router drops the SYN; the server never sees it"""
    port = net.new_port()
    world.lab.router.firewall("swallow", port)
    world.lab.client.send_raw(packet((net.CLIENT, 1234), (net.SERVER, port), "S", 77), net.SERVER)
    for host in (world.lab.client, world.lab.router):
        world.trace.wait_event(host, port, "syn")
    world.flush()
    world.called(port, "S0", "S", hosts=[world.lab.client])


@test
def crossed_syns(world):
    """SF: a simultaneous open"""
    port = net.new_port()
    world.lab.delay(100)
    try:
        client, server = [host.socket(address) for host, address in
                          ((world.lab.client, net.CLIENT), (world.lab.server, net.SERVER))]
        for sock, address, peer in ((client, net.CLIENT, net.SERVER),
                                    (server, net.SERVER, net.CLIENT)):
            sock.bind((address, port))
            sock.setblocking(False)
            sock.connect_ex((peer, port))
        for host in world.lab.hosts:
            world.trace.wait_event(host, port, "established")
        for sock in (client, server):
            sock.settimeout(10)
        send(client, server, 10)
        half_close(world, port, client)
        server.close()
        world.called(port, "SF", "Ss(Hh|hH)[AaDdFf]+")
    finally:
        world.lab.delay(0)


@test
def established(world):
    """S1: established, with and without data"""
    world.unfinished(OPENED, "S1", "ShA")
    world.unfinished(OPENED + """
>PA 1 1 10
<PA 1 11 20
<PA 1 11 20
>A 11 21
<A 21 11
""", "S1", "ShADda")


@test
def half_open(world):
    """S1: the SYN+ACK is not acknowledged, and the responder sends already"""
    world.unfinished(">S 0\n<SA 0 1", "S1", "Sh")
    world.unfinished(">S 0\n<SA 0 1\n<PA 1 1 10", "S1", "Shd")


@test
def crossed_without_answer(world):
    """S1: two SYNs cross, neither is answered, or both, or one gets an ACK more"""
    world.unfinished(">S 0\n<S 0", "S1", "Ss")
    world.unfinished(">S 0\n<S 0\n>SA 0 1\n<SA 0 1", "S1", "SsHh")
    world.unfinished(">S 0\n<S 0\n<SA 0 1\n>SA 0 1\n<A 1 1", "S1", "SshHa")


@test
def one_way(world):
    """S0: only what the initiator sends passes here"""
    world.unfinished(">S 0\n>A 1 1\n>PA 1 1 10", "S0", "SAD")


@test
def closed_by_one(world):
    """S2 and S3: a FIN of one side, before and after an ACK, and again"""
    for script, history in ((">FA 1 1", "ShAF"), (">FA 1 1\n>A 2 1", "ShAF"),
                            (">PA 1 1 10\n>FA 11 1\n<A 1 12", "ShADFa"),
                            (">FA 1 1\n>FA 1 1", "ShAF"), (">FA 1 1\n<PA 1 1 10", "ShAFd"),
                            (">FA 1 1\n<A 1 2\n>FA 1 1\n<A 1 2", "ShAFa")):
        world.unfinished(OPENED + script, "S2", history)
    for script, history in (("<FA 1 1", "ShAf"), ("<FA 1 1\n>A 1 2", "ShAf"),
                            ("<FA 1 1\n>A 1 2\n>PA 1 2 10", "ShAfD")):
        world.unfinished(OPENED + script, "S3", history)


@test
def closed_by_both(world):
    """SF: the last ACK is missing, comes with a FIN, or a RST comes for it"""
    closed = OPENED + ">FA 1 1\n<FA 1 2\n"
    world.unfinished(closed, "SF", "ShAFf")
    world.finished(closed + ">FA 1 2", "SF", "ShAFf")
    world.finished(closed + ">A 2 2", "SF", "ShAFf")
    world.finished(closed + ">RA 2 2", "SF", "ShAFfR")


@test
def half_scans(world):
    """RSTOS0 and SH: after its SYN the initiator sends a RST, or a FIN"""
    world.finished(">S 0\n>R 1", "RSTOS0", "SR")
    world.unfinished(">S 0\n>F 1", "SH", "SF")
    world.unfinished(">S 0\n>FA 1 1", "SH", "SF")


@test
def responder_only(world):
    """RSTRH, SHR and OTH: of the initiator nothing was seen"""
    world.finished("<SA 0 1\n<RA 1 1", "RSTRH", r"\^hr", midway=True)
    world.unfinished("<SA 0 1\n<FA 1 1", "SHR", r"\^hf", midway=True)
    world.unfinished("<SA 0 1", "OTH", r"\^h", midway=True)
    world.unfinished("<SA 0 1\n<PA 1 1 10", "OTH", r"\^hd", midway=True)


@test
def midway(world):
    """OTH: no SYN was seen"""
    world.unfinished(">PA 1 1 10\n<A 1 11\n<PA 1 11 10", "OTH", "Dad", midway=True)
    world.unfinished("<PA 1 1 10\n>A 1 11", "OTH", r"\^dA", midway=True)
    world.finished(">A 1 1\n<RA 1 1", "OTH", "Ar", midway=True)
    world.finished(">A 1 1\n<FA 1 1\n>FA 1 2\n<A 2 2", "OTH", "AfFa", midway=True)


@test
def odd_resets(world):
    """RSTO and RSTR: a RST without ACK, with payload, in the handshake"""
    world.finished(OPENED + ">R 1", "RSTO", "ShAR")
    world.finished(OPENED + "<RA 1 1 5", "RSTR", "ShAr")
    world.finished(">S 0\n<SA 0 1\n<RA 1 1", "RSTR", "Shr")


@test
def invalid(world):
    """segments that nobody believes are in the history, and decide nothing"""
    world.unfinished(OPENED + """
<R 100000000
>FA 100000000 1
>SF 0
<FR 100000000
>S 0 0 0 bad
""", "S1", "ShArFQiC")


@test
def corrupt(world):
    """S1: a FIN and a RST with a wrong checksum"""
    for segment, theirs in ((">FA 1 1 0 bad", "FIN_WAIT"), (">R 1 0 0 bad", "CLOSE")):
        port = world.unfinished(OPENED + segment, "S1", "ShAC")
        # conntrack does not look at the checksum of what leaves the host
        world.believed[world.lab.client, port] = theirs


@test
def many_kinds(world):
    """more kinds of segments than a record holds"""
    world.unfinished("""
>S 0
<S 0
>SA 0 1
<SA 0 1
>A 1 1
<A 1 1
>PA 1 1 10
<PA 1 11 10
>SF 0
<SF 0
>S 0 0 0 bad
<S 0 0 0 bad
>FA 11 11
""", "S2", "SsHhAaDdQqCcx")


@test
def wireshark(world):
    """tshark has the same completeness for every end"""
    # a segment of no flow is the last
    last = struct.pack("!HH", CLIENT_PORT, world.play(">R 1"))
    for capture in world.captures.values():
        capture.end(last)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = dict(zip(world.captures, pool.map(Capture.completeness,
                                                  world.captures.values())))
    wrong = []
    for host, port, count, end in world.ends:
        theirs, ours = found[host][port][count - 1], end["completeness"]
        # it leaves out the first packet of what it met midway
        if theirs & ~ours if port in world.midway else theirs != ours:
            wrong.append(f"{host.name} {port}: {theirs}, here {ours} {end['zeek_history']}")
    check(not wrong, "tshark differs", wrong)


@test
def conntrack(world):
    """conntrack has the same state for every end"""
    if RELEASE < (6, 1):
        raise Skip("nf_conntrack had other rules for a RST then")
    last = {(host, port): end for host, port, _, end in world.ends}
    wrong = []
    for (host, port), end in last.items():
        ours = end["conntrack_state"]
        wanted = world.believed.get((host, port), ours)
        if (world.conntracks[host].states(port) or ["NONE"])[-1] != wanted:
            wrong.append(f"{host.name} {port}: {world.conntracks[host].states(port)}, "
                         f"here {ours} {end['zeek_history']}")
    check(not wrong, "conntrack differs", wrong)
    seen = {end["conntrack_state"] for end in last.values()}
    same(seen, {"NONE", "SYN_SENT", "SYN_SENT2", "SYN_RECV", "ESTABLISHED", "FIN_WAIT",
                "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"}, "states that were tried")


@contextlib.contextmanager
def peopled():
    with stage() as (lab, trace), contextlib.ExitStack() as tools:
        for host in (lab.client, lab.server):
            host.run("nft", "-f", "-", input=SILENCE)
        yield (World(lab, trace, tools),)


if __name__ == "__main__":
    main(peopled())
