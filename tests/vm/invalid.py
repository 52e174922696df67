#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Segments that must change nothing: forged, broken, impossible."""

from lib import net
from lib.kernel import Kmsg
from lib.packet import packet
from lib.tap import check, main, same, test
from lib.trace import stage

OPENED = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""

CLOSED = """\
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""


def forge(lab, trace, forgeries, address=net.SERVER):
    """Send forgeries from the client's host into an established connection.

    forgeries: for each, flags, how far seq and ack are off, more for packet(), and
    the reason that is told. The connection lives on, and ends in order.
    """
    port = net.new_port()
    client, server = lab.connect(port, address)
    established = trace.wait_event(lab.client, port, "established")
    source = client.getsockname()[:2]
    for flags, seq, ack, more, _ in forgeries:
        lab.client.send_raw(packet(source, (address, port), flags, established["tcp_seq"] + seq,
                                   established["tcp_ack"] + ack, **more), address)
    invalid = "".join(f"invalid >{flags}/{reason} ESTABLISHED ESTABLISHED\n"
                      for flags, _, _, _, reason in forgeries)
    trace.expect_at(lab.hosts, port, OPENED + invalid)
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"x" * 10)
        same(len(receiver.recv(100)), 10, "bytes after the forgeries")
    client.shutdown(net.socket.SHUT_WR)
    for host in lab.hosts:
        trace.wait_event(host, port, "fin_acked")
    server.close()
    for flow in trace.expect_at(lab.hosts, port, OPENED + invalid + CLOSED):
        end = flow.end()
        same((end["bytes_toserver"], end["bytes_toclient"]), (10, 10), "bytes")


@test
def checksum(lab, trace):
    """control segments with a wrong checksum"""
    bad = {"good_checksum": False}
    forge(lab, trace, [("RA", 0, 0, bad, "bad_checksum"), ("FA", 0, 0, bad, "bad_checksum"),
                       ("S", 0, 0, bad, "bad_checksum")])


@test
def checksum_ipv6(lab, trace):
    """a RST with a wrong checksum over IPv6"""
    forge(lab, trace, [("RA", 0, 0, {"good_checksum": False}, "bad_checksum")], net.SERVER6)


@test
def flags(lab, trace):
    """flags that no endpoint sends together"""
    forge(lab, trace, [("SF", 0, 0, {}, "bad_flags"), ("", 0, 0, {}, "bad_flags"),
                       ("SFPAUEC", 0, 0, {}, "bad_flags"), ("FPU", 0, 0, {}, "bad_flags"),
                       ("SFR", -9, 0, {}, "out_of_window")])


@test
def header(lab, trace):
    """headers that are too short or reach past the end"""
    forge(lab, trace, [("RA", 0, 0, {"offset": 4}, "bad_offset"),
                       ("FA", 0, 0, {"offset": 15}, "bad_offset")])


@test
def truncated(lab, trace):
    """a segment shorter than a TCP header"""
    before = len(trace.events)
    lab.client.send_raw(packet((net.CLIENT, 1), (net.SERVER, 2), "RA", cut=12), net.SERVER)
    trace.wait(lambda: len(trace.events) >= before + 3, "three events")
    same([(event["event"], event["reason"], event["src_ip"], event["dest_ip"], event["hook"])
          for event in trace.events[before:]],
         [("invalid", "truncated", net.CLIENT, net.SERVER, hook)
          for hook in ("out", "forward", "in")], "events")


@test
def blind_reset(lab, trace):
    """RSTs that do not stand where the receiver is, RFC 5961"""
    forge(lab, trace, [("R", 100000000, 0, {}, "out_of_window"),
                       ("R", -1, 0, {}, "out_of_window"),
                       ("RA", 1, 0, {}, "out_of_window"),
                       ("R", -2**31, 0, {}, "out_of_window")])


@test
def blind_fin(lab, trace):
    """a FIN outside of the window"""
    forge(lab, trace, [("FA", 100000000, 0, {}, "out_of_window"),
                       ("FA", -100, 0, {}, "out_of_window")])


@test
def blind_syn(lab, trace):
    """SYN and SYN+ACK inside a connection"""
    forge(lab, trace, [("S", 5000, 0, {}, "unexpected_syn"),
                       ("SA", 5000, 0, {}, "unexpected_syn")])


@test
def bad_answer(lab, trace):
    """answers to a SYN that acknowledge something else"""
    port = net.new_port()
    lab.router.firewall("swallow", port)
    lab.client.firewall("no_reset", port)
    here, there = (net.CLIENT, 1234), (net.SERVER, port)
    lab.client.send_raw(packet(here, there, "S", 1000), net.SERVER)
    for answer in (packet(there, here, "RA", 0, 1000), packet(there, here, "SA", 0, 1002)):
        lab.server.send_raw(answer, net.CLIENT)
    flow = trace.expect(lab.client, port, """
syn          >S                    SYN_SENT     LISTEN
invalid      <RA/out_of_window     SYN_SENT     LISTEN
invalid      <SA/bad_ack           SYN_SENT     LISTEN
""")
    lab.server.send_raw(packet(there, here, "RA", 0, 1001), net.CLIENT)
    same(trace.wait_event(lab.client, port, "end")["handshake"], "refused", "outcome")
    same(len(flow.events), 3, "events")


@test
def no_flow(lab, trace):
    """impossible flags and broken headers of no known connection"""
    port = net.new_port()
    here, there = (net.CLIENT, 1234), (net.SERVER, port)
    for strange in (packet(here, there, "SF"), packet(here, there, "RA", offset=1)):
        lab.client.send_raw(strange, net.SERVER)
    for host in lab.hosts:
        # the server's host answers the first with a RST, of no flow either
        trace.wait_event(host, port, "invalid", 3)
        same([(event["event"], event["reason"], event["flow_id"], event["src_ip"])
              for event in trace.at(host, port) if event["src_ip"] == net.CLIENT],
             [("invalid", "bad_flags", None, net.CLIENT),
              ("invalid", "bad_offset", None, net.CLIENT)], "events")


@test
def never_logged(lab, trace):
    """at log level 1 none of them gets into dmesg"""
    kmsg = Kmsg()
    forge(lab, trace, [("SF", 0, 0, {}, "bad_flags")] * 20)
    lines = [line for line in kmsg.lines() if " invalid " in line]
    check(not lines, "dmesg", lines)


if __name__ == "__main__":
    main(stage())
