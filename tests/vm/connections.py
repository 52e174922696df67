#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Whole connections of real programs: curl and nginx, at three hosts."""

import contextlib

from lib import net
from lib.cpu import one_cpu
from lib.kernel import stats
from lib.tap import check, main, same, test
from lib.trace import stage
from lib.web import PAGE, curl, nginx

# The client closes first; nginx may close in the same segment that acknowledges that.
CLOSED_BY_CLIENT = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <F?A                  FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""

CLOSED_BY_SERVER = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
fin          <FP?A                 ESTABLISHED  FIN_WAIT_1
fin_acked    >F?A                  CLOSE_WAIT   FIN_WAIT_2
fin          >FA                   LAST_ACK     FIN_WAIT_2
fin_acked    <A                    CLOSED       TIME_WAIT
end          established/orderly   CLOSED       TIME_WAIT
"""

def check_transfer(flow, transfers, address):
    """The tracer and curl tell the same connection."""
    end = flow.end()
    last = transfers[-1]
    same(end["src_port"], last["local_port"], "source port")
    same((end["src_ip"], end["dest_ip"], end["dest_port"]),
         (last["local_ip"], address, last["remote_port"]), "tuple")
    same(end["ip_version"], 6 if ":" in address else 4, "IP version")
    same(end["bytes_toserver"], sum(t["size_request"] for t in transfers), "bytes to the server")
    same(end["bytes_toclient"], sum(t["size_header"] + t["size_download"] for t in transfers),
         "bytes to the client")
    check(end["pkts_toserver"] > 3 and end["pkts_toclient"] > 3, "packets")
    check(end["syn_retrans"] == end["synack_retrans"] == 0, "retransmissions")
    syn, syn_ack = flow.one("syn"), flow.one("syn_ack")
    for event in (syn, syn_ack):
        same(event["mss"], 1440 if ":" in address else 1460, "mss")
        check("wscale" in event and event["sack_ok"] and event["timestamps"], "options")
        check("fastopen" not in event, "fastopen")


def check_curl(lab, trace, story, transfers, address, first_fin):
    for flow in trace.expect_at(lab.hosts, transfers[0]["local_port"], story):
        check_transfer(flow, transfers, address)
        same(flow.end()["first_fin"], first_fin, "first_fin")


@test
def ipv4(lab, trace):
    """curl fetches a page from nginx over IPv4"""
    transfers = curl(lab, f"http://{net.SERVER}/page")
    same(transfers[0]["size_download"], len(PAGE), "download")
    check_curl(lab, trace, CLOSED_BY_CLIENT, transfers, net.SERVER, "initiator")


@test
def ipv6(lab, trace):
    """curl fetches a page from nginx over IPv6"""
    transfers = curl(lab, f"http://[{net.SERVER6}]/page")
    check_curl(lab, trace, CLOSED_BY_CLIENT, transfers, net.SERVER6, "initiator")


@test
def keep_alive(lab, trace):
    """curl sends three requests on one connection"""
    transfers = curl(lab, *[f"http://{net.SERVER}/{name}" for name in ("page", "none", "page")])
    same([t["response_code"] for t in transfers], [200, 404, 200], "answers")
    same(len({t["local_port"] for t in transfers}), 1, "number of connections")
    check_curl(lab, trace, CLOSED_BY_CLIENT, transfers, net.SERVER, "initiator")


@test
def closed_by_server(lab, trace):
    """nginx without keep-alive closes first"""
    # without a length curl has to wait for the end
    transfers = curl(lab, "--ignore-content-length", f"http://{net.SERVER}:81/page")
    check_curl(lab, trace, CLOSED_BY_SERVER, transfers, net.SERVER, "responder")


@test
def latency(lab, trace):
    """the handshake's latency is split at each host"""
    port = net.new_port()
    lab.delay(30)
    try:
        client, server = lab.connect(port)
        client.close()
        server.close()
        ends = [trace.wait_event(host, port, "end") for host in lab.hosts]
    finally:
        lab.delay(0)
    # the whole round trip lies before the client, and behind the server
    at_client, at_router, at_server = [(e["synack_us"], e["ack_us"]) for e in ends]
    check(60000 <= at_client[0] < 600000 and at_client[1] < 60000, f"client: {at_client}")
    check(at_server[0] < 60000 and 60000 <= at_server[1] < 600000, f"server: {at_server}")
    check(min(at_router) >= 30000, f"router: {at_router}")


@test
def loopback(lab, trace):
    """a loopback segment is seen once, where it leaves"""
    port = net.new_port()
    before = stats()["segments"]
    with lab.server.listen("127.0.0.1", port) as listener:
        client = lab.server.socket("127.0.0.1")
        client.connect(("127.0.0.1", port))
        server, _ = listener.accept()
    client.sendall(b"x" * 1000)
    same(len(server.recv(5000)), 1000, "bytes")
    client.close()
    trace.wait_event(lab.server, port, "fin_acked")
    server.close()
    flow = trace.expect(lab.server, port, CLOSED_BY_CLIENT)
    end = flow.end()
    same((end["bytes_toserver"], end["bytes_toclient"]), (1000, 0), "bytes")
    same(stats()["segments"] - before, end["pkts_toserver"] + end["pkts_toclient"],
         "segments counted")


@contextlib.contextmanager
def served():
    # what overtakes is taken for lost, and sent twice
    with stage() as (lab, trace), one_cpu(), nginx(lab):
        yield lab, trace


if __name__ == "__main__":
    main(served())
