#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ICMP and ICMPv6 errors where addresses are changed, and in a VRF."""

import socket

from lib import net
from lib.icmp import (ROUTER, UNREACHABLE, at_router, connect_error, error_of_connect,
                      hurry_neighbours, reject, slow_stage, unreachable)
from lib.kernel import stats
from lib.net import CLIENT, CLIENT6, SERVER, SERVER6
from lib.tap import main, same, test
from lib.trace import check_tuple, line_of, lines_of, told


def check_nat(lab, trace, address, port, icmp, error, tuples):
    """An attempt that ends unreachable; tuples: what each host sees, None for nothing.

    port: the client's own
    """
    with lab.client.socket(address[0]) as client:
        client.bind((CLIENT, port))
        same(error_of_connect(client, address), error, "connect()")
    for host, ends in zip(lab.hosts, tuples, strict=True):
        if not ends:
            same(trace.at(host, port), [], f"events at {host.name}")
            continue
        check_tuple(trace.expect(host, port, UNREACHABLE.format(icmp)), *ends)


@test
def masquerade(lab, trace):
    """the router masquerades: each host ties the error to the tuple that it sees"""
    to, port = (SERVER, net.new_port()), net.new_port()
    here, outside = (CLIENT, port), ("10.0.2.2", port)
    with lab.router.nat("postrouting", "oifname to-server masquerade"):
        with lab.server.rules("input", reject("port-unreachable", SERVER, to[1])):
            check_nat(lab, trace, to, port, "3/3", "ECONNREFUSED",
                      [(here, to), (here, to), (outside, to)])
        # rejected before the source is changed
        port = net.new_port()
        with lab.router.rules("forward", reject("net-prohibited", SERVER, to[1])):
            check_nat(lab, trace, to, port, "3/9", "ENETUNREACH",
                      [((CLIENT, port), to)] * 2 + [None])
        # and after: the error about the changed segment goes to the router itself
        port, nowhere = net.new_port(), ("10.0.2.78", to[1])
        hurry_neighbours(lab)
        check_nat(lab, trace, nowhere, port, "3/1", "EHOSTUNREACH",
                  [((CLIENT, port), nowhere)] * 2 + [None])


@test
def dnat(lab, trace):
    """the router redirects to the server: each host ties the error to what it sees"""
    to, real = (ROUTER, net.new_port()), (SERVER, net.new_port())
    with lab.router.nat("prerouting", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        for rejecting, hook, last in ((lab.server, "input", True), (lab.router, "forward", False)):
            port = net.new_port()
            here = (CLIENT, port)
            with rejecting.rules(hook, reject("host-prohibited", SERVER, real[1])):
                check_nat(lab, trace, to, port, "3/10", "EHOSTUNREACH",
                          [(here, to), (here, real), (here, real) if last else None])


@test
def own_nat(lab, trace):
    """the endpoints' own hosts change addresses: client and server see one tuple"""
    to, real = ("10.0.9.9", net.new_port()), (SERVER, net.new_port())
    port = net.new_port()
    here = (CLIENT, port)
    with lab.server.rules("input", reject("port-unreachable", SERVER, real[1])), \
            lab.client.nat("output", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        check_nat(lab, trace, to, port, "3/3", "ECONNREFUSED", [(here, real)] * 3)
    port = net.new_port()
    here = (CLIENT, port)
    with lab.server.rules("input", reject("port-unreachable", SERVER, real[1])), \
            lab.server.nat("input", f"tcp dport {real[1]} snat to 10.0.9.9"):
        check_nat(lab, trace, real, port, "3/3", "ECONNREFUSED", [(here, real)] * 3)


@test
def vrf(lab, trace):
    """a VRF: each error is seen once, those of its own host too"""
    lab.enslave()
    blue = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"blue\0")
    for address, words in ((SERVER, ("host-prohibited", "3/10", "EHOSTUNREACH")),
                           (SERVER6, ("addr-unreachable", "1/3", "EHOSTUNREACH"))):
        word, icmp, error = words
        port, before = net.new_port(), stats()["icmp_errors"]
        with lab.router.rules("forward", reject(word, address, port)):
            same(connect_error(lab.client, address, port, blue), error, "connect()")
        unreachable(trace, lab.client, port, icmp, at_router(address), ("in", "blue"))
        same(stats()["icmp_errors"] - before, 2, "ICMP errors")

        here = CLIENT6 if ":" in address else CLIENT
        port, before = net.new_port(), stats()["icmp_errors"]
        with lab.client.rules("input", reject(word, address, port)):
            same(connect_error(lab.server, here, port), error, "connect()")
        for host, place in ((lab.client, ("out", "to-router")),
                            (lab.router, ("forward", "to-client")),
                            (lab.server, ("in", "to-router"))):
            flow = trace.at(host, port)
            same([line_of(event) for event in flow], lines_of(UNREACHABLE.format(icmp)),
                 f"at {host.name}", told(flow))
            same((flow[1]["hook"], flow[1]["iface"], flow[1]["icmp_from"]), (*place, here),
                 f"place at {host.name}")
        same(stats()["icmp_errors"] - before, 3, "ICMP errors")


if __name__ == "__main__":
    main(slow_stage())
