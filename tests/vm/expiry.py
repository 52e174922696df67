#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What happens to flows when nothing happens: every timer, all at once.

The cases are set up one after the other and run out together; each timer may take up
to a second more than its parameter says.
"""

import contextlib
import time

from lib import net
from lib.kernel import set_parameter
from lib.net import CLIENT, SERVER
from lib.packet import packet
from lib.tap import check, in_time, main, needs_speed, same, test
from lib.trace import stage

TIMEOUT = 2

OPENED = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""

HALF_CLOSED = OPENED + """\
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
"""

WAITED_2MSL = HALF_CLOSED + """\
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
timeout      time_wait             CLOSED       CLOSED
"""


def timed_out(flow, timer):
    """The timer's event came in time after the one before; this one."""
    timeout = flow.one("timeout")
    same((timeout["sender"], timeout["hook"], timeout["iface"]), (None, None, None),
         "segment of a timeout")
    before = flow.events[flow.events.index(timeout) - 1]
    waited = flow.seconds(before, timeout)
    in_time(waited, TIMEOUT, f"timeout_{timer}={TIMEOUT}")
    return timeout


def first_flow(trace, host, port):
    """Without what comes after its end: a FIN that is sent again, say, is another flow."""
    events = trace.at(host, port)
    return trace.checked(host, [event for event in events
                                if event["flow_id"] == events[0]["flow_id"]])


class Cases:
    """Connections left in every state that has a timer.

    A firewall may take longer to come than an idle connection has here: it has more until
    both stand.
    """

    def __init__(self, lab, trace):
        self.sockets = []
        self.fin_wait = self.leave_fin_wait(lab)
        self.last_ack = self.leave_last_ack(lab, trace)
        for timer in ("established", "close_wait"):
            set_parameter(f"timeout_{timer}", TIMEOUT)
        self.idle = self.leave_idle(lab)
        self.time_wait = self.leave_time_wait(lab, trace)
        self.close_wait = self.leave_close_wait(lab)

    def connect(self, lab):
        port = net.new_port()
        pair = lab.connect(port)
        self.sockets += pair
        return port, *pair

    def leave_idle(self, lab):
        port, client, _ = self.connect(lab)
        client.sendall(b"x")
        return port

    def leave_time_wait(self, lab, trace):
        port, client, server = self.connect(lab)
        client.shutdown(net.socket.SHUT_WR)
        for host in lab.hosts:
            trace.wait_story(host, port, HALF_CLOSED)
        server.close()
        return port

    def leave_close_wait(self, lab):
        port, client, _ = self.connect(lab)
        client.shutdown(net.socket.SHUT_WR)
        return port

    def leave_fin_wait(self, lab):
        port, client, _ = self.connect(lab)
        lab.router.firewall("swallow", port)
        client.shutdown(net.socket.SHUT_WR)
        return port

    def leave_last_ack(self, lab, trace):
        port, client, server = self.connect(lab)
        client.shutdown(net.socket.SHUT_WR)
        for host in lab.hosts:
            trace.wait_story(host, port, HALF_CLOSED)
        lab.client.firewall("mute", port)
        server.close()
        return port


@test
def time_wait(lab, trace, cases):
    """2MSL: TIME_WAIT ends with a timeout, the END was told before"""
    for flow in trace.expect_at(lab.hosts, cases.time_wait, WAITED_2MSL):
        timed_out(flow, "time_wait")


@test
def established(lab, trace, cases):
    """an idle connection"""
    for flow in trace.expect_at(lab.hosts, cases.idle, OPENED + """\
timeout      established                CLOSED  CLOSED
end          established/idle_timeout   CLOSED  CLOSED
"""):
        # the data came a moment after the last event
        waited = flow.seconds(flow.one("established"), flow.one("timeout"))
        in_time(waited, TIMEOUT, f"timeout_established={TIMEOUT}", 1.5)
        same(flow.end()["bytes_toserver"], 1, "bytes")


@test
def close_wait(lab, trace, cases):
    """a half-closed connection"""
    for flow in trace.expect_at(lab.hosts, cases.close_wait, HALF_CLOSED + """\
timeout      close_wait                 CLOSED  CLOSED
end          established/idle_timeout   CLOSED  CLOSED
"""):
        timed_out(flow, "close_wait")
        same(flow.end()["first_fin"], "initiator", "first_fin")


@test
def fin_wait(lab, trace, cases):
    """a FIN that is never acknowledged: its repetitions restart the timer"""
    needs_speed()
    for host in (lab.client, lab.router):
        trace.wait_event(host, cases.fin_wait, "end", seconds=15)
        flow = first_flow(trace, host, cases.fin_wait)
        timeout = timed_out(flow, "fin_wait")
        same(timeout["timer"], "fin_wait", "timer")
        check(len(flow.all("retransmit")) >= 2, "retransmissions")
        same([event["retransmit_count"] for event in flow.all("retransmit")],
             list(range(1, len(flow.all("retransmit")) + 1)), "counts")
        same(flow.end()["close"], "idle_timeout", "close")
    trace.expect(lab.server, cases.fin_wait, OPENED + """\
timeout      established                CLOSED  CLOSED
end          established/idle_timeout   CLOSED  CLOSED
""")


@test
def last_ack(lab, trace, cases):
    """a last ACK that never comes"""
    for host in (lab.router, lab.server):
        trace.wait_event(host, cases.last_ack, "end", seconds=15)
        flow = first_flow(trace, host, cases.last_ack)
        same(timed_out(flow, "last_ack")["timer"], "last_ack", "timer")
        check(flow.all("retransmit", "responder"), "no retransmission")
        same(flow.end()["close"], "idle_timeout", "close")


@test
def busy_neighbour(lab, trace, _cases):
    """data on one half-closed connection holds up the end of no other, with long timeouts too"""
    set_parameter("timeout_established", 432000)
    busy_port, idle_port = net.new_port(), net.new_port()
    busy, busy_server = lab.connect(busy_port)
    busy.shutdown(net.socket.SHUT_WR)
    idle, idle_server = lab.connect(idle_port)
    idle.shutdown(net.socket.SHUT_WR)
    for port in (busy_port, idle_port):	# before data takes the ACK with it
        trace.wait_event(lab.client, port, "fin_acked")
    end = time.monotonic() + TIMEOUT + 3
    while time.monotonic() < end:
        busy_server.sendall(b"x")
        busy.recv(10)
        time.sleep(0.2)
    for flow in trace.expect_at(lab.hosts, idle_port, HALF_CLOSED + """\
timeout      close_wait                 CLOSED  CLOSED
end          established/idle_timeout   CLOSED  CLOSED
"""):
        timed_out(flow, "close_wait")
    trace.expect_at(lab.hosts, busy_port, HALF_CLOSED)
    for sock in (busy, busy_server, idle, idle_server):
        sock.close()


def close(lab, trace, port):
    """A connection that ends; what the client's last ACK was."""
    client, server = lab.connect(port)
    client.shutdown(net.socket.SHUT_WR)
    trace.wait_event(lab.router, port, "fin_acked")
    server.close()
    client.close()
    return trace.wait_event(lab.router, port, "fin_acked", 2)


@test
def late_acks(lab, trace, _cases):
    """ACKs that come late, in TIME_WAIT, hold up no end: neither its own nor another's"""
    late, other = net.new_port(), net.new_port()
    last = close(lab, trace, late)
    close(lab, trace, other)
    ack = packet((SERVER, late), (CLIENT, last["src_port"]), "A", last["tcp_ack"],
                 last["tcp_seq"])
    end = time.monotonic() + TIMEOUT + 3
    while time.monotonic() < end:
        lab.server.send_raw(ack, CLIENT)
        time.sleep(0.2)
    for host in lab.hosts:
        for port in (late, other):
            trace.wait_event(host, port, "timeout")
            timed_out(first_flow(trace, host, port), "time_wait")


@contextlib.contextmanager
def started():
    timers = ("time_wait", "fin_wait", "last_ack")
    with stage(**{f"timeout_{timer}": TIMEOUT for timer in timers}) as (lab, trace):
        yield lab, trace, Cases(lab, trace)


if __name__ == "__main__":
    main(started())
