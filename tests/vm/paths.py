#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Where and how often packets are seen: headers, fragments, VRF, NAT, GSO."""

import contextlib
import ipaddress
import socket
import threading

from lib import net
from lib.kernel import attempt, stats
from lib.packet import fragments, packet, with_headers, with_options
from lib.tap import Skip, check, main, needs_speed, same, test, wait_for
from lib.trace import Flow, cause, check_tuple, line_of, lines_of, stage, told

REFUSED = """
syn          >S                    SYN_SENT     LISTEN
rst          <RA                   CLOSED       CLOSED
end          refused/none          CLOSED       CLOSED
"""

CLOSED_BY_CLIENT = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""

# IPv6 extension headers: their number and what follows the number of the next one
PADDING = bytes([0, 1, 4, 0, 0, 0, 0])
UNKNOWN = bytes([2, 30, 20]) + bytes(20)
HOP_BY_HOP, DESTINATION = (0, PADDING), (60, UNKNOWN)


def ends(address=net.SERVER):
    """A source and a destination that no other test uses."""
    return (net.CLIENT6 if ":" in address else net.CLIENT, net.new_port()), \
           (address, net.new_port())


def refused(lab, trace, whole, port, dest):
    """A SYN sent raw opens a flow at every host and the RST that answers it ends it."""
    before = stats()
    lab.client.send_raw(whole, dest)
    flows = trace.expect_at(lab.hosts, port, REFUSED)
    after = stats()
    same(after["segments"] - before["segments"], 6, "segments looked at")
    same(after["fragments"] - before["fragments"], 0, "fragments")
    return flows


@test
def extension_headers(lab, trace):
    """IPv6 segments behind extension headers"""
    for headers in ((HOP_BY_HOP,), (DESTINATION,), (HOP_BY_HOP, DESTINATION, DESTINATION)):
        here, there = ends(net.SERVER6)
        syn = with_headers(packet(here, there, "S", 77), *headers)
        for flow in refused(lab, trace, syn, there[1], net.SERVER6):
            check_tuple(flow, here, there)
            same((flow.one("syn")["tcp_seq"], flow.one("rst")["tcp_ack"]), (77, 78), "numbers")


@test
def extension_headers_checked(lab, trace):
    """a wrong checksum is found behind an extension header"""
    here, there = ends(net.SERVER6)
    for headers in ((HOP_BY_HOP, DESTINATION), (route(net.SERVER6, 0),)):
        syn = with_headers(packet(here, there, "S", 77, good_checksum=False), *headers)
        lab.client.send_raw(syn, net.SERVER6)
    for host in lab.hosts:
        trace.wait_event(host, there[1], "invalid", 2)
        same([cause(event) for event in trace.at(host, there[1])],
             [">S/bad_checksum"] * 2, "events")


def route(last, left):
    """A segment routing header with one address still to be visited, or none (RFC 8754)."""
    return 43, bytes([2, 4, left, 0, 0, 0, 0]) + ipaddress.ip_address(last).packed


@test
def routing_header(lab, trace):
    """IPv6 with a routing header: the sum covers the end of the route"""
    for host, iface in ((lab.router, "to-client"), (lab.server, "to-router")):
        for name in ("all", iface):
            host.sysctl(f"net/ipv6/conf/{name}/seg6_enabled", 1)
    here, last = ends(net.SERVER6)
    via = ("fd01::2", last[1])
    two = bytes([4, 4, 1, 1, 0, 0, 0])
    two += ipaddress.ip_address(net.SERVER6).packed + ipaddress.ip_address(via[0]).packed
    before = stats()["segments"]
    syn = packet(here, via, "S", 77, dest_in_sum=net.SERVER6)
    lab.client.send_raw(with_headers(syn, (43, two)), via[0])
    for host in (lab.router, lab.server):
        check_tuple(trace.expect(host, last[1], REFUSED), here, last)
    events = trace.at(lab.client, last[1])
    same([(cause(event), event["dest_ip"] if event["sender"] else None) for event in events[:1]],
         [(">S", via[0])], "at the client")
    check(not [event for event in events if "bad_checksum" in cause(event)], "bad_checksum",
          told(events))
    same(stats()["segments"] - before, 6, "segments looked at")


@test
def source_route(lab, trace):
    """IPv4 with a source route: the sum covers the end of the route"""
    for name in ("all", "to-client"):
        lab.router.sysctl(f"net/ipv4/conf/{name}/accept_source_route", 1)
    lab.router.sysctl("net/ipv4/conf/all/rp_filter", 0)
    for name in ("all", "to-router"):
        lab.server.sysctl(f"net/ipv4/conf/{name}/accept_source_route", 1)
    here, last = ends()
    via = ("10.0.1.2", last[1])
    syn = packet(here, via, "S", 77, dest_in_sum=net.SERVER)
    options = bytes([131, 7, 4]) + socket.inet_aton(net.SERVER) + b"\x01"
    lab.client.send_raw(with_options(syn, options), via[0])
    trace.wait_event(lab.server, last[1], "invalid")	# its answer takes the route back
    trace.sync()
    for host in lab.hosts:
        events = trace.at(host, last[1])
        check(events and not [event for event in events if "bad_checksum" in cause(event)],
              "events", told(events))


@test
def ip_options(lab, trace):
    """IPv4 segments behind IP options"""
    record_route = bytes([7, 15, 4]) + bytes(12) + b"\x01"
    for options in (record_route, b"\x01" * 4, b"\x01" * 40):
        here, there = ends()
        syn = with_options(packet(here, there, "S", 77), options)
        for flow in refused(lab, trace, syn, there[1], net.SERVER):
            check_tuple(flow, here, there)
            same((flow.one("syn")["tcp_seq"], flow.one("rst")["tcp_ack"]), (77, 78), "numbers")


def fragmented(lab, trace, address, cut, whole_at):
    """A connection whose segments with payload go in three fragments.

    cut: bytes of payload in the first fragment; whole_at: hosts that see them joined
    """
    here, there = ends(address)
    lab.client.firewall("no_reset", there[1])
    lab.server.firewall("no_reset", here[1])

    def send(flags, seq, ack, count=0):
        whole = packet(here, there, flags, seq, ack, payload=b"x" * count)
        for part in fragments(whole, 48, here[1]) if count else [whole]:
            lab.client.send_raw(part, address)

    def answer(flags, seq, ack):
        lab.server.send_raw(packet(there, here, flags, seq, ack), here[0])

    before = stats()
    send("S", 1000, 0)
    answer("SA", 5000, 1001)
    send("A", 1001, 5001)
    send("PA", 1001, 5001, 100)
    answer("A", 5001, 1101)
    send("PA", 1101, 5001, 100)
    answer("A", 5001, 1201)
    # not the FIN: its number is unknown where its segment is not whole
    send("FA", 1201, 5001)
    answer("A", 5001, 1202)
    answer("FA", 5001, 1202)
    send("A", 1202, 5002)
    for host in lab.hosts:
        flow = exactly(trace, host, there[1], CLOSED_BY_CLIENT)
        check_tuple(flow, here, there)
        end = flow.end()
        same((end["bytes_toserver"], end["pkts_toserver"], end["pkts_toclient"]),
             (200 if host in whole_at else 2 * cut, 6, 5), f"bytes and packets at {host.name}")
    after = stats()
    same(after["segments"] - before["segments"], 3 * 11, "segments looked at")
    same(after["fragments"] - before["fragments"], 4 * (3 - len(whole_at)), "fragments")


@test
def fragments_ipv4(lab, trace):
    """IPv4 fragments: the first is looked at, the others are counted, the host joins them"""
    fragmented(lab, trace, net.SERVER, 28, [lab.server])


@test
def fragments_ipv6(lab, trace):
    """IPv6 fragments: the first is looked at, the others are counted"""
    fragmented(lab, trace, net.SERVER6, 28, [])


@test
def lonely_fragments(lab, trace):
    """fragments of nothing, and a first one without a whole header"""
    for address in (net.SERVER, net.SERVER6):
        here, there = ends(address)
        hosts = 2 if address == net.SERVER else 3
        whole = packet(here, there, "FA", payload=b"x" * 28)
        for chosen, invalid, skipped in ((fragments(whole, 16, 1)[1:], 0, 2 * hosts),
                                         (fragments(whole, 16, 2)[:1], hosts, 0)):
            before, count = stats(), len(trace.events)
            for part in chosen:
                lab.client.send_raw(part, address)
            wait_for(lambda: stats()["fragments"] >= before["fragments"] + skipped and
                     stats()["segments"] >= before["segments"] + invalid, "the server's host")
            trace.sync()
            same([event["reason"] for event in trace.events[count:]],
                 ["truncated"] * invalid, "events", told(trace.events[count:]))
            same(stats()["fragments"] - before["fragments"], skipped, "fragments")


@test
def truncated(lab, trace):
    """segments shorter than a TCP header, behind every kind of IP header"""
    for address in (net.SERVER, net.SERVER6):
        for cut in (0, 1, 4, 19):
            for more in ((), (with_options, b"\x01" * 12), (with_headers, HOP_BY_HOP)):
                if more and (more[0] == with_headers) != (address == net.SERVER6):
                    continue
                whole = packet(*ends(address), "SA", cut=cut)
                if more:
                    whole = more[0](whole, *more[1:])
                before = len(trace.events)
                lab.client.send_raw(whole, address)
                trace.wait(lambda: len(trace.events) >= before + 3, "three events")
                same([(event["event"], event["reason"], event["dest_ip"], event["hook"])
                      for event in trace.events[before:]],
                     [("invalid", "truncated", address, hook)
                      for hook in ("out", "forward", "in")], f"events after {cut} bytes")


@test
def truncated_chain(lab, trace):
    """IPv6 extension headers that reach past the end"""
    here, there = ends(net.SERVER6)
    count = len(trace.events)
    for chain in ((60, bytes([200, 1, 4, 0, 0, 0, 0])), (43, bytes([255, 4, 0, 0, 0, 0, 0]))):
        lab.client.send_raw(with_headers(packet(here, there, "S"), chain), net.SERVER6)
    refused(lab, trace, packet(here, there, "S"), there[1], net.SERVER6)
    same(len(trace.events) - count, 9, "events")


def exactly(trace, host, port, story):
    """As trace.expect(), but the interfaces may be others and lengths incomplete."""
    wanted = lines_of(story)
    with contextlib.suppress(Exception):
        trace.wait(lambda: len(trace.at(host, port)) >= len(wanted), "all events", 5)
    trace.sync()
    flow = Flow(trace.at(host, port))
    same([" ".join(line_of(event).split()) for event in flow.events], wanted,
         f"story at {host.name}", told(flow.events))
    flow.check_order()
    return flow


def transfer(trace, client, server, hosts):
    """Payload both ways and an orderly end; a Flow for each host, told by the port here."""
    port = client.getsockname()[1]
    server.settimeout(10)
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"x" * 100)
        same(len(receiver.recv(500)), 100, "bytes")
    client.shutdown(socket.SHUT_WR)
    for host in hosts:
        trace.wait_event(host, port, "fin_acked")
    server.close()
    flows = [exactly(trace, host, port, CLOSED_BY_CLIENT) for host in hosts]
    client.close()
    for host, flow in zip(hosts, flows, strict=True):
        end = flow.end()
        same((end["bytes_toserver"], end["bytes_toclient"]), (100, 100), f"bytes at {host.name}")
        same((end["pkts_toserver"], end["pkts_toclient"]),
             tuple(flows[0].end()[f"pkts_{way}"] for way in ("toserver", "toclient")),
             f"packets at {host.name}")
        check(end["pkts_toserver"] < 8 and end["pkts_toclient"] < 8, "packets", [str(end)])
    return flows


def connect(here, address, there, listen, source="0.0.0.0", **devices):
    """From one host to another that listens, perhaps somewhere else; both sockets."""
    def bind(sock, host):
        if host.name in devices:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                            devices[host.name].encode() + b"\0")
    with there.socket(listen[0]) as listener:
        bind(listener, there)
        listener.bind(listen)
        listener.listen()
        client = here.socket(address[0])
        bind(client, here)
        client.bind((source, net.new_port()))
        client.connect(address)
        return client, listener.accept()[0]


def check_nat(lab, trace, address, listen, tuples):
    """A connection to address that listen gets; tuples: what each host sees."""
    client, server = connect(lab.client, address, lab.server, listen)
    source = client.getsockname()[1]
    flows = transfer(trace, client, server, lab.hosts)
    for flow, (here, there) in zip(flows, tuples, strict=True):
        check_tuple(flow, (here, source), there)


@test
def masquerade(lab, trace):
    """the router masquerades the client: one flow at each host"""
    to = (net.SERVER, net.new_port())
    with lab.router.nat("postrouting", "oifname to-server masquerade"):
        check_nat(lab, trace, to, to,
                  [(net.CLIENT, to), (net.CLIENT, to), ("10.0.2.2", to)])


@test
def dnat(lab, trace):
    """the router redirects to the server: one flow at each host"""
    to, real = ("10.0.1.2", net.new_port()), (net.SERVER, net.new_port())
    with lab.router.nat("prerouting", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        check_nat(lab, trace, to, real,
                  [(net.CLIENT, to), (net.CLIENT, real), (net.CLIENT, real)])


@test
def redirect(lab, trace):
    """the server's own host redirects a port: one flow at each host"""
    to, real = (net.SERVER, net.new_port()), (net.SERVER, net.new_port())
    with lab.server.nat("prerouting", f"tcp dport {to[1]} redirect to :{real[1]}"):
        check_nat(lab, trace, to, real,
                  [(net.CLIENT, to), (net.CLIENT, to), (net.CLIENT, real)])


@test
def input_snat(lab, trace):
    """the server's own host changes the source: one flow at each host"""
    to = (net.SERVER, net.new_port())
    with lab.server.nat("input", f"tcp dport {to[1]} snat to 10.0.9.9"):
        check_nat(lab, trace, to, to, [(net.CLIENT, to)] * 3)


@test
def output_dnat(lab, trace):
    """the client's own host redirects elsewhere: one flow at each host"""
    to, real = ("10.0.9.9", net.new_port()), (net.SERVER, net.new_port())
    with lab.client.nat("output", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        check_nat(lab, trace, to, real, [(net.CLIENT, real)] * 3)


@test
def output_snat(lab, trace):
    """the client's own host masquerades: one flow at each host"""
    to = (net.SERVER, net.new_port())
    lab.client.run("ip", "addr", "add", "10.0.1.7/24", "dev", "to-router")
    with lab.client.nat("postrouting", "oifname to-router snat to 10.0.1.7"):
        check_nat(lab, trace, to, to,
                  [(net.CLIENT, to), ("10.0.1.7", to), ("10.0.1.7", to)])


@test
def loopback_redirect(lab, trace):
    """a host redirects on loopback: one flow"""
    to, real = ("127.0.0.1", net.new_port()), ("127.0.0.1", net.new_port())
    with lab.server.nat("output", f"tcp dport {to[1]} redirect to :{real[1]}"):
        sockets = connect(lab.server, to, lab.server, real)
        here = sockets[0].getsockname()
        check_tuple(transfer(trace, *sockets, [lab.server])[0], here, real)


def big_transfer(trace, client, server, hosts, count=1 << 20):
    """So many bytes from the client to the server; the ends at all hosts."""
    port = client.getsockname()[1]
    sender = threading.Thread(target=client.sendall, args=(b"x" * count,))
    sender.start()
    server.settimeout(10)
    received = 0
    while received < count:
        received += len(server.recv(1 << 20))
    sender.join()
    # struct tcp_info: tcpi_bytes_sent, repetitions too
    sent = int.from_bytes(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)[200:208],
                          "little")
    client.shutdown(socket.SHUT_WR)
    for host in hosts:
        trace.wait_event(host, port, "fin_acked")
    server.close()
    found = [exactly(trace, host, port, CLOSED_BY_CLIENT).end() for host in hosts]
    client.close()
    check(sent >= count, "bytes sent")
    for end in found:
        same((end["bytes_toserver"], end["bytes_toclient"]), (sent, 0), "bytes")
    return found


@test
def gso(lab, trace):
    """large sends: segments joined by GSO count with all their bytes"""
    found = [end for address in (net.SERVER, net.SERVER6) for end in
             big_transfer(trace, *lab.connect(net.new_port(), address), lab.hosts)]
    needs_speed()
    for end in found:
        check(end["pkts_toserver"] < (1 << 20) // 1500 // 2, "not joined", [str(end)])


def lengths(sock):
    """Of the packets that wait at a tap."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield sock.recv_into(bytearray(1), 1, socket.MSG_TRUNC | socket.MSG_DONTWAIT)


@test
def big_tcp(lab, trace):
    """IPv6 packets longer than 64 KiB, with a jumbo payload option"""
    if attempt("ip", "-n", "client", "link", "set", "to-router",
               "gso_max_size", 200000).returncode:
        raise Skip("no gso_max_size beyond 64 KiB")
    to = ("fd01::2", net.new_port())
    sockets = connect(lab.client, to, lab.router, to, net.CLIENT6)
    with lab.client:
        tap = net.tap("to-router")
    with tap:
        found = big_transfer(trace, *sockets, [lab.client, lab.router], 8 << 20)
        largest = max(lengths(tap))
    needs_speed()
    check(largest > 0x10000, "packets are small", [f"largest {largest}", str(found[0])])


def through_vrf(lab, trace):
    """Connections out of the VRF and into it, each packet seen once."""
    for server, client in ((net.SERVER, net.CLIENT), (net.SERVER6, net.CLIENT6)):
        for ends_of in ((lab.client, server, lab.server, client),
                        (lab.server, client, lab.client, server)):
            here, address, there, source = ends_of
            to = (address, net.new_port())
            before = stats()["segments"]
            sockets = connect(here, to, there, to, source, client="blue")
            port = sockets[0].getsockname()[1]
            flows = transfer(trace, *sockets, lab.hosts)
            for flow in flows:
                check_tuple(flow, (source, port), to)
            end = flows[0].end()
            same(stats()["segments"] - before,
                 3 * (end["pkts_toserver"] + end["pkts_toclient"]), "segments looked at")
            same({(event["hook"], event["iface"]) for event in flows[0].events
                  if event["sender"]}, {("out", "to-router"), ("in", "blue")}, "places")


@test
def vrf(lab, trace):
    """a VRF: each packet is seen once"""
    lab.enslave()
    through_vrf(lab, trace)


@test
def vrf_queued(lab, trace):
    """a VRF with a queue of its own, which takes another path: each packet is seen once"""
    if attempt("ip", "-n", "client", "link", "show", "blue").returncode:
        raise Skip("this kernel has no VRF")
    lab.client.run("tc", "qdisc", "add", "dev", "blue", "root", "pfifo")
    through_vrf(lab, trace)
    lab.client.run("tc", "qdisc", "del", "dev", "blue", "root")


@test
def vrf_local(lab, trace):
    """a connection inside of a VRF: each packet is seen once"""
    if attempt("ip", "-n", "client", "link", "show", "blue").returncode:
        raise Skip("this kernel has no VRF")
    for address in (net.CLIENT, "10.0.7.7", net.CLIENT6):
        to = (address, net.new_port())
        before = stats()["segments"]
        sockets = connect(lab.client, to, lab.client, to, address, client="blue")
        end = transfer(trace, *sockets, [lab.client])[0].end()
        same(stats()["segments"] - before, end["pkts_toserver"] + end["pkts_toclient"],
             "segments looked at")


if __name__ == "__main__":
    main(stage())
