#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Attempts to connect: refused, lost, repeated, aborted, crossed."""

import select
import socket

from lib import net
from lib.packet import packet
from lib.tap import check, in_time, main, same, test
from lib.trace import stage


def try_connect(lab, port, tries=1):
    """Connect once more than so many repetitions; the error's type."""
    with lab.client.socket(net.SERVER) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, tries)
        try:
            client.connect((net.SERVER, port))
        except OSError as error:
            return type(error)
    return None


@test
def refused(lab, trace):
    """a closed port refuses"""
    port = net.new_port()
    same(try_connect(lab, port), ConnectionRefusedError, "connect()")
    for flow in trace.expect_at(lab.hosts, port, """
syn          >S                    SYN_SENT     LISTEN
rst          <RA                   CLOSED       CLOSED
end          refused/none          CLOSED       CLOSED
"""):
        same(flow.one("rst")["tcp_ack"], (flow.one("syn")["tcp_seq"] + 1) % 2**32, "ack")
        end = flow.end()
        same((end["bytes_toserver"], end["bytes_toclient"]), (0, 0), "bytes")
        same((end["synack_us"], end["ack_us"], end["first_fin"]), (None, None, None), "figures")


@test
def refused_ipv6(lab, trace):
    """a closed port refuses over IPv6"""
    port = net.new_port()
    with lab.client.socket(net.SERVER6) as client:
        client.connect_ex((net.SERVER6, port))
    for flow in trace.expect_at(lab.hosts, port, """
syn          >S                    SYN_SENT     LISTEN
rst          <RA                   CLOSED       CLOSED
end          refused/none          CLOSED       CLOSED
"""):
        same((flow.end()["src_ip"], flow.end()["dest_ip"]), (net.CLIENT6, net.SERVER6), "tuple")


@test
def rejected(lab, trace):
    """a firewall rejects with a RST of its own"""
    port = net.new_port()
    lab.router.firewall("refuse", port)
    same(try_connect(lab, port), ConnectionRefusedError, "connect()")
    story = """
syn          >S                    SYN_SENT     LISTEN
rst          <RA                   CLOSED       CLOSED
end          refused/none          CLOSED       CLOSED
"""
    trace.expect(lab.client, port, story)
    trace.sync()
    at_router = trace.at(lab.router, port)
    same([(event["event"], event["hook"]) for event in at_router],
         [("syn", "forward"), ("rst", "out"), ("end", "out")], "events at the router")
    same(trace.at(lab.server, port), [], "events at the server")


@test
def repeated(lab, trace):
    """a SYN that was lost is repeated, then answered"""
    port = net.new_port()
    with lab.router.rules("forward", f"tcp dport {port} limit rate 1/hour burst 1 packets drop"):
        client, server = lab.connect(port)
    story = """
syn          >S                    SYN_SENT     LISTEN
retransmit   >S/1                  SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""
    flow, _ = trace.expect_at((lab.client, lab.router), port, story)
    established = flow.one("established")
    same((established["syn_retrans"], established["synack_retrans"]), (1, 0), "retransmissions")
    check(950000 < established["synack_us"] < 2000000, "synack_us counts from the first SYN")
    flow = trace.expect(lab.server, port, """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
""")
    established = flow.one("established")
    same(established["syn_retrans"], 0, "retransmissions at the server")
    check(established["synack_us"] < 500000, "synack_us at the server")
    client.close()
    server.close()


@test
def swallowed(lab, trace):
    """a firewall swallows the SYN and its repetition: no answer"""
    port = net.new_port()
    lab.router.firewall("swallow", port)
    same(try_connect(lab, port), TimeoutError, "connect()")
    for flow in trace.expect_at((lab.client, lab.router), port, """
syn          >S                    SYN_SENT     LISTEN
retransmit   >S/1                  SYN_SENT     LISTEN
timeout      syn                   CLOSED       CLOSED
end          no_answer/none        CLOSED       CLOSED
"""):
        waited = flow.seconds(flow.one("retransmit"), flow.one("timeout"))
        in_time(waited, 2, "timeout_syn=2 from the last SYN")
        same(flow.end()["syn_retrans"], 1, "retransmissions")
    same(trace.at(lab.server, port), [], "events at the server")


@test
def half_open(lab, trace):
    """a SYN+ACK that is never acknowledged: half-open"""
    port = net.new_port()
    lab.server.sysctl("net/ipv4/tcp_synack_retries", 1)
    lab.client.firewall("no_reset", port)
    with lab.server.listen(net.SERVER, port):
        lab.client.send_raw(packet((net.CLIENT, 1234), (net.SERVER, port), "S", seq=7), net.SERVER)
        for flow in trace.expect_at(lab.hosts, port, """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
retransmit   <SA/1                 SYN_SENT     SYN_RECEIVED
timeout      synack                CLOSED       CLOSED
end          half_open/none        CLOSED       CLOSED
"""):
            waited = flow.seconds(flow.one("retransmit"), flow.one("timeout"))
            in_time(waited, 2, "timeout_synack=2 from the last SYN+ACK")
            end = flow.end()
            same((end["synack_retrans"], end["ack_us"], end["handshake_us"]), (1, None, None),
                 "figures")


@test
def crossed(lab, trace):
    """two SYNs cross: simultaneous open"""
    port = net.new_port()
    lab.delay(200)	# of which the two calls take little, and no SYN is repeated
    ends = []
    try:
        for host, address in ((lab.client, net.CLIENT), (lab.server, net.SERVER)):
            sock = host.socket(address)
            sock.bind((address, port))
            sock.setblocking(False)
            ends.append(sock)
        ends[0].connect_ex((net.SERVER, port))
        ends[1].connect_ex((net.CLIENT, port))
        check(len(select.select([], ends, [], 5)[1]) > 0, "not connected")
        story = """
syn          >S                    SYN_SENT     LISTEN
syn          <S                    SYN_SENT     SYN_SENT
syn_ack      >SA                   SYN_RECEIVED SYN_SENT
syn_ack      <SA                   ESTABLISHED  SYN_RECEIVED
established  <SA                   ESTABLISHED  ESTABLISHED
"""
        for host, address in ((lab.client, net.CLIENT), (lab.server, net.SERVER)):
            flow = trace.expect(host, port, story)
            same({event["src_ip"] for event in flow.events}, {address},
                 f"initiator as {host.name} sees it")
        trace.expect(lab.router, port, """
syn          >S                    SYN_SENT     LISTEN
syn          <S                    SYN_SENT     SYN_SENT
syn_ack      [<>]SA                (SYN_RECEIVED SYN_SENT|SYN_SENT SYN_RECEIVED)
syn_ack      [<>]SA                (ESTABLISHED SYN_RECEIVED|SYN_RECEIVED ESTABLISHED)
established  [<>]SA                ESTABLISHED  ESTABLISHED
""")
    finally:
        lab.delay(0)
        for sock in ends:
            net.abort_on_close(sock)
            sock.close()


if __name__ == "__main__":
    main(stage(timeout_syn=2, timeout_synack=2))
