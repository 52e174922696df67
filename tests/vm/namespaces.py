#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Namespaces come and go while the module looks."""

import stat
import pathlib

from lib import net
from lib.net import Namespace
from lib.packet import packet
from lib.tap import check, main, same, test, wait_for
from lib.trace import stage

PROC = "/proc/thread-self/net/tcptrace"


def proc_flows(host):
    """What /proc/net/tcptrace of a namespace lists: endpoints and states."""
    heading, *lines = host.read(PROC).splitlines()
    check(heading.split()[0] == "flow", "no heading", [heading])
    return [tuple(line.split()[1:5]) for line in lines]


def loopback_connection(host, port):
    with host.listen("127.0.0.1", port) as listener:
        client = host.socket("127.0.0.1")
        client.connect(("127.0.0.1", port))
        server, _ = listener.accept()
    return client, server


@test
def late(lab, trace):
    """a namespace made after the module was loaded is followed too"""
    host = Namespace.make("late")
    port = net.new_port()
    try:
        client, server = loopback_connection(host, port)
        net.abort_on_close(client)
        client.close()
        server.close()
        flow = trace.expect(host, port, """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
rst          >RA                   CLOSED       CLOSED
end          established/reset_by_initiator  CLOSED  CLOSED
""")
        same({event["netns"] for event in flow.events}, {host.inode}, "inode")
        same(trace.at(lab.client, port), [], "events elsewhere")
    finally:
        host.remove()


@test
def removed(lab, trace):
    """a namespace that goes ends its flows as flushed"""
    host = Namespace.make("doomed")
    port = net.new_port()
    sockets = [sock for _ in range(5) for sock in loopback_connection(host, port)]
    trace.wait_event(host, port, "established", 5)
    # their sockets would keep the namespace, and their RSTs must not end the flows
    host.run("nft", "add table inet wall; add chain inet wall output "
             "{ type filter hook output priority 0; policy drop; }")
    for sock in sockets:
        net.abort_on_close(sock)
        sock.close()
    host.remove()
    trace.wait_event(host, port, "end", 5)
    trace.sync()
    ends = [event for event in trace.at(host, port) if event["event"] == "end"]
    same([(end["handshake"], end["close"], end["initiator_state"]) for end in ends],
         [("established", "flushed", "ESTABLISHED")] * 5, "ends")
    same(len({end["flow_id"] for end in ends}), 5, "number of flows")


@test
def own_flows(lab, trace):
    """/proc/net/tcptrace shows the flows of its namespace, and no others"""
    trace.device.flush()
    port, other = net.new_port(), net.new_port()
    client, server = lab.connect(port)
    source = client.getsockname()[1]
    wanted = (f"{net.CLIENT}:{source}", f"{net.SERVER}:{port}", "ESTABLISHED", "ESTABLISHED")
    with lab.server.socket("127.0.0.1") as sock:
        sock.connect_ex(("127.0.0.1", other))
    trace.wait_event(lab.server, other, "end")
    for host in (lab.client, lab.router):
        same(proc_flows(host), [wanted], f"flows at {host.name}")
    check(wanted in proc_flows(lab.server), "flows at server")
    for host in (lab.client, lab.router):
        check(str(other) not in host.read(PROC), f"a foreign flow at {host.name}")
    same(pathlib.Path("/proc/net/tcptrace").read_text().count("\n"), 1, "lines outside")
    client.close()
    server.close()
    for host in lab.hosts:	# all has passed before the next test's flush
        trace.wait_event(host, port, "end")


@test
def many_flows(lab, trace):
    """a long list is read whole, each flow once"""
    trace.device.flush()
    lab.router.firewall("swallow", 9)
    for source in range(2000, 2400):
        lab.client.send_raw(packet((net.CLIENT, source), (net.SERVER, 9), "S", source), net.SERVER)
    flows = wait_for(lambda: len(proc_flows(lab.client)) >= 400 and proc_flows(lab.client),
                     "400 flows")
    same(sorted(flows), sorted((f"{net.CLIENT}:{source}", f"{net.SERVER}:9", "SYN_SENT", "LISTEN")
                               for source in range(2000, 2400)), "flows")
    same(proc_flows(lab.server), [], "flows at the server")
    trace.device.flush()
    same(proc_flows(lab.client), [], "flows after a flush")


@test
def private(lab, trace):
    """/proc/net/tcptrace is not for everybody"""
    mode = pathlib.Path("/proc/net/tcptrace").stat().st_mode
    check(not mode & stat.S_IRWXO, f"mode {mode:o}")


if __name__ == "__main__":
    main(stage())
