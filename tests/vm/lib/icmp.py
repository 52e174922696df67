# SPDX-License-Identifier: GPL-2.0
"""Attempts that an ICMP error ends, with connect() as the judge."""

import contextlib
import errno

from lib.net import GATEWAYS
from lib.tap import same
from lib.trace import stage

ROUTER, ROUTER6 = "10.0.1.2", "fd01::2"

UNREACHABLE = """
syn          >S                    SYN_SENT     LISTEN
icmp_error   >{0}                  CLOSED       CLOSED
end          unreachable/none      CLOSED       CLOSED
"""


def error_of_connect(sock, address):
    """The name of the error that it ends with.

    It waits in the kernel. Python's own way to wait for so long and no longer, poll(), may
    be woken by the copy of the error that goes to the socket's error queue first, and then
    find no error (tcp_v4_err() from 6.1 on).
    """
    sock.settimeout(None)
    return errno.errorcode.get(sock.connect_ex(address))


def connect_error(host, address, port, *options):
    with host.socket(address) as sock:
        for option in options:
            sock.setsockopt(*option)
        return error_of_connect(sock, (address, port))


def unreachable(trace, host, port, icmp, origin, place):
    """An attempt ended by this error; its Flow.  place: hook and interface."""
    flow = trace.expect(host, port, UNREACHABLE.format(icmp))
    error = flow.one("icmp_error")
    same((error["icmp_from"], error["hook"], error["iface"]), (origin, *place),
         f"origin and place at {host.name}")
    same((error["tcp_seq"], error["flags"]), (flow.one("syn")["tcp_seq"], ""), "segment")
    return flow


def reject(word, address, port, match="dport"):
    kind = "icmpv6" if ":" in address else "icmp"
    return f"tcp {match} {port} reject with {kind} type {word}"


def at_router(address):
    return ROUTER6 if ":" in address else ROUTER


def hurry_neighbours(lab):
    """Give up to look for a neighbour after a moment."""
    for version in (4, 6):
        for name, value in (("mcast_solicit", 1), ("retrans_time_ms", 200)):
            lab.router.sysctl(f"net/ipv{version}/neigh/to-server/{name}", value)


@contextlib.contextmanager
def slow_stage():
    """An answer takes so long that connect() waits for it, and no error is too many."""
    with stage() as (lab, trace):
        for host in lab.hosts:
            host.sysctl("net/ipv4/icmp_ratemask", 0)
            host.sysctl("net/ipv6/icmp/ratemask", "")
        # a socket that is just in use takes an error for a passing one
        lab.client.run("tc", "qdisc", "add", "dev", "to-router", "root", "netem", "delay", "50ms")
        # and what is held up for a moment is not repeated at once
        for host in (lab.client, lab.server):
            for gateway in GATEWAYS[host.name]:
                host.run("ip", "route", "replace", "default", "via", gateway, "rto_min", "1s")
        yield lab, trace
