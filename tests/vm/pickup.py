#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Connections that are older than the module, or than the last flush."""

from lib import net
from lib.packet import packet
from lib.tap import main, same, test
from lib.trace import stage

OPENED = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""


def check_guess(flow, initiator, guessed=True):
    for event in flow.events:
        same(event.get("initiator_guessed", False), guessed, "initiator_guessed")
        same(event["src_ip"], initiator, "initiator")


@test
def flushed(lab, trace):
    """a flush ends the flow with its verdict; the next segment picks it up"""
    port = net.new_port()
    client, server = lab.connect(port)
    for host in lab.hosts:
        trace.wait_story(host, port, OPENED)
    trace.device.flush()
    ended = OPENED + "end established/flushed ESTABLISHED ESTABLISHED\n"
    for flow in trace.expect_at(lab.hosts, port, ended):
        check_guess(flow, net.CLIENT, False)
        same(flow.end()["sender"], None, "sender of a flush")
    skip = len(ended.splitlines()) - 1

    client.sendall(b"x" * 10)
    same(len(server.recv(100)), 10, "received")
    client.shutdown(net.socket.SHUT_WR)
    for host in lab.hosts:
        trace.wait(lambda: len(trace.at(host, port)) >= skip + 3, "FIN and its ACK")
    server.close()
    story = """
pickup       >PA                   ESTABLISHED  ESTABLISHED
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          unseen/orderly        TIME_WAIT    CLOSED
"""
    for host in lab.hosts:
        flow = trace.expect(host, port, ended + story[1:])
        picked_up = trace.checked(host, flow.events[skip:])
        check_guess(picked_up, net.CLIENT)
        end = picked_up.end()
        same((end["bytes_toserver"], end["bytes_toclient"], end["first_fin"]),
             (10, 0, "initiator"), "figures")
        same((end["synack_us"], end["ack_us"]), (None, None), "latency")
        same((picked_up.events[0]["prev_initiator_state"],
              picked_up.events[0]["prev_responder_state"]), (None, None), "states before")


@test
def by_server(lab, trace):
    """the server speaks first: the lower port is still taken for the server's"""
    port = net.new_port()
    client, server = lab.connect(port)
    for host in lab.hosts:
        trace.wait_story(host, port, OPENED)
    trace.device.flush()
    server.sendall(b"x" * 10)
    for host in lab.hosts:
        trace.wait_event(host, port, "pickup")
        flow = trace.checked(host, trace.at(host, port)[4:])
        check_guess(flow, net.CLIENT)
        same(flow.one("pickup")["sender"], "responder", "sender")
    net.abort_on_close(client)
    client.close()
    server.close()
    for host in lab.hosts:
        end = trace.wait_event(host, port, "end", 2)
        same((end["handshake"], end["close"]), ("unseen", "reset_by_initiator"), "outcome")


@test
def syn_ack(lab, trace):
    """a SYN+ACK shows who initiated: no guess"""
    port = net.new_port()
    # the responder's port is the higher one, so a guess would be wrong
    lab.client.send_raw(packet((net.CLIENT, 50000), (net.SERVER, port), "SA", 1000, 2000),
                        net.SERVER)
    for flow in trace.expect_at(lab.hosts, port, """
pickup       <SA                   SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
rst          >R                    CLOSED       CLOSED
end          aborted/none          CLOSED       CLOSED
"""):
        check_guess(flow, net.SERVER, False)


if __name__ == "__main__":
    main(stage())
