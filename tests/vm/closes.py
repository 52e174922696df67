#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""How established connections end: in order, crossed, half, repeated, by a RST."""

from lib import net
from lib.tap import check, main, same, test
from lib.trace import stage

OPENED = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""

HALF_CLOSED_BY_CLIENT = OPENED + """\
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
"""

HALF_CLOSED_BY_SERVER = OPENED + """\
fin          <FA                   ESTABLISHED  FIN_WAIT_1
fin_acked    >A                    CLOSE_WAIT   FIN_WAIT_2
"""

CLOSED_BY_CLIENT = HALF_CLOSED_BY_CLIENT + """\
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""

CLOSED_BY_SERVER = HALF_CLOSED_BY_SERVER + """\
fin          >FA                   LAST_ACK     FIN_WAIT_2
fin_acked    <A                    CLOSED       TIME_WAIT
end          established/orderly   CLOSED       TIME_WAIT
"""


def send(source, dest, count):
    """Payload from one socket to the other, all of it."""
    source.sendall(b"x" * count)
    while count:
        received = len(dest.recv(65536))
        check(received, "the connection ended")
        count -= received


def half_close(trace, lab, port, sock, story):
    """One FIN and its ACK, seen by all."""
    sock.shutdown(net.socket.SHUT_WR)
    for host in lab.hosts:
        trace.wait_story(host, port, story)


def check_end(flow, first_fin, toserver, toclient):
    end = flow.end()
    same((end["first_fin"], end["bytes_toserver"], end["bytes_toclient"]),
         (first_fin, toserver, toclient), "first_fin and bytes")


@test
def by_client(lab, trace):
    """the client closes, then the server"""
    port = net.new_port()
    client, server = lab.connect(port)
    send(client, server, 123)
    send(server, client, 45678)
    half_close(trace, lab, port, client, HALF_CLOSED_BY_CLIENT)
    server.close()
    for flow in trace.expect_at(lab.hosts, port, CLOSED_BY_CLIENT):
        check_end(flow, "initiator", 123, 45678)


@test
def by_server(lab, trace):
    """the server closes, then the client"""
    port = net.new_port()
    client, server = lab.connect(port)
    send(client, server, 1)
    half_close(trace, lab, port, server, HALF_CLOSED_BY_SERVER)
    client.close()
    for flow in trace.expect_at(lab.hosts, port, CLOSED_BY_SERVER):
        check_end(flow, "responder", 1, 0)


@test
def half_by_client(lab, trace):
    """the server sends on after the client's FIN"""
    port = net.new_port()
    client, server = lab.connect(port)
    half_close(trace, lab, port, client, HALF_CLOSED_BY_CLIENT)
    send(server, client, 100000)
    trace.expect_at(lab.hosts, port, HALF_CLOSED_BY_CLIENT)
    server.close()
    for flow in trace.expect_at(lab.hosts, port, CLOSED_BY_CLIENT):
        check_end(flow, "initiator", 0, 100000)


@test
def half_by_server(lab, trace):
    """the client sends on after the server's FIN, over IPv6"""
    port = net.new_port()
    client, server = lab.connect(port, net.SERVER6)
    half_close(trace, lab, port, server, HALF_CLOSED_BY_SERVER)
    send(client, server, 100000)
    trace.expect_at(lab.hosts, port, HALF_CLOSED_BY_SERVER)
    client.close()
    for flow in trace.expect_at(lab.hosts, port, CLOSED_BY_SERVER):
        check_end(flow, "responder", 100000, 0)


@test
def crossed(lab, trace):
    """two FINs cross: simultaneous close"""
    port = net.new_port()
    lab.delay(200)	# of which the two calls take little
    try:
        client, server = lab.connect(port)
        for host in lab.hosts:
            trace.wait_story(host, port, OPENED)
        client.shutdown(net.socket.SHUT_WR)
        server.shutdown(net.socket.SHUT_WR)
        trace.expect(lab.client, port, OPENED + """\
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin          <FA                   FIN_WAIT_1   FIN_WAIT_1
fin_acked    >A                    CLOSING      CLOSING
fin_acked    <A                    TIME_WAIT    TIME_WAIT
end          established/orderly   TIME_WAIT    TIME_WAIT
""")
        trace.expect(lab.server, port, OPENED + """\
fin          <FA                   ESTABLISHED  FIN_WAIT_1
fin          >FA                   FIN_WAIT_1   FIN_WAIT_1
fin_acked    <A                    CLOSING      CLOSING
fin_acked    >A                    TIME_WAIT    TIME_WAIT
end          established/orderly   TIME_WAIT    TIME_WAIT
""")
        trace.expect(lab.router, port, OPENED + """\
fin          [<>]FA                (FIN_WAIT_1 ESTABLISHED|ESTABLISHED FIN_WAIT_1)
fin          [<>]FA                FIN_WAIT_1   FIN_WAIT_1
fin_acked    [<>]A                 CLOSING      CLOSING
fin_acked    [<>]A                 TIME_WAIT    TIME_WAIT
end          established/orderly   TIME_WAIT    TIME_WAIT
""")
    finally:
        lab.delay(0)


@test
def repeated_fin(lab, trace):
    """the last ACK is lost behind the router, the FIN comes again"""
    port = net.new_port()
    client, server = lab.connect(port)
    half_close(trace, lab, port, client, HALF_CLOSED_BY_CLIENT)
    lab.router.firewall("swallow", port)
    server.close()
    trace.wait_event(lab.server, port, "retransmit")
    lab.router.firewall_off("swallow", port)
    trace.wait_event(lab.server, port, "end")
    # the client cannot know that its ACK was lost; its host sees the FIN again
    trace.sync()
    count = len(trace.at(lab.server, port)) - len(CLOSED_BY_CLIENT.strip().split("\n"))
    check(count >= 1, "no repetition")
    again = "".join(f"retransmit <FA/{i + 1} TIME_WAIT CLOSED\n" for i in range(count))
    trace.expect_at((lab.client, lab.router), port, CLOSED_BY_CLIENT + again)
    again = again.replace("TIME_WAIT CLOSED", "FIN_WAIT_2 LAST_ACK")
    lines = CLOSED_BY_CLIENT.splitlines(keepends=True)
    trace.expect(lab.server, port, "".join(lines[:-2]) + again + "".join(lines[-2:]))


@test
def reset_by_client(lab, trace):
    """the client resets: SO_LINGER of 0"""
    port = net.new_port()
    client, server = lab.connect(port)
    send(client, server, 500)
    net.abort_on_close(client)
    client.close()
    for flow in trace.expect_at(lab.hosts, port, OPENED + """\
rst          >RA                   CLOSED       CLOSED
end          established/reset_by_initiator  CLOSED  CLOSED
"""):
        check_end(flow, None, 500, 0)
    server.close()


@test
def reset_by_server(lab, trace):
    """the server resets: SO_LINGER of 0"""
    port = net.new_port()
    client, server = lab.connect(port)
    send(server, client, 500)
    net.abort_on_close(server)
    server.close()
    for flow in trace.expect_at(lab.hosts, port, OPENED + """\
rst          <RA                   CLOSED       CLOSED
end          established/reset_by_responder  CLOSED  CLOSED
"""):
        check_end(flow, None, 0, 500)
    client.close()


@test
def reset_half_closed(lab, trace):
    """the server resets after the client's FIN"""
    port = net.new_port()
    client, server = lab.connect(port)
    half_close(trace, lab, port, client, HALF_CLOSED_BY_CLIENT)
    net.abort_on_close(server)
    server.close()
    for flow in trace.expect_at(lab.hosts, port, HALF_CLOSED_BY_CLIENT + """\
rst          <RA                   CLOSED       CLOSED
end          established/reset_by_responder  CLOSED  CLOSED
"""):
        check_end(flow, "initiator", 0, 0)
    client.close()


@test
def reused(lab, trace):
    """a new connection takes the tuple of one in TIME_WAIT"""
    port = net.new_port()
    first = CLOSED_BY_SERVER + """\
evict        -                     CLOSED       TIME_WAIT
reuse        >S                    CLOSED       LISTEN
"""
    client, server = lab.connect(port, source_port=3333)
    half_close(trace, lab, port, server, HALF_CLOSED_BY_SERVER)
    client.close()
    trace.expect_at(lab.hosts, port, CLOSED_BY_SERVER)
    server.close()
    client, server = lab.connect(port, source_port=3333)
    half_close(trace, lab, port, client, first + HALF_CLOSED_BY_CLIENT[1:])
    server.close()
    for flow in trace.expect_at(lab.hosts, port, first + CLOSED_BY_CLIENT[1:]):
        same(len({event["flow_id"] for event in flow.events}), 2, "number of flows")


if __name__ == "__main__":
    main(stage())
