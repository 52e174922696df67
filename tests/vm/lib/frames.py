# SPDX-License-Identifier: GPL-2.0
"""A connection in frames, as a mirrored interface gets them."""

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from lib import net
from lib.mirror import ends_of
from lib.tap import same

STRANGER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")

WHOLE = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <FA                   FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""

# who sends, flags, seq, ack; the client starts at 1000, the server at 5000
CONNECTION = ((0, "S", 1000, 0), (1, "SA", 5000, 1001), (0, "A", 1001, 5001),
              (0, "PA", 1001, 5001), (1, "PA", 5001, 1101), (0, "FA", 1101, 5101),
              (1, "FA", 5101, 1102), (0, "A", 1102, 5102))
PAYLOAD = b"x" * 100


def connection(ends, lower=STRANGER, between=None):
    """The frames of a connection with 100 bytes each way.

    ends: address and port of the client and of the server; lower: what is below IP;
    between: headers between IP and TCP
    """
    ip = IPv6 if ":" in ends[0][0] else IP
    for sender, flags, seq, ack in CONNECTION:
        (src, sport), (dst, dport) = ends[sender], ends[not sender]
        frame = lower.copy() / ip(src=src, dst=dst)
        if between is not None:
            frame /= between.copy()
        yield frame / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack, window=8192) / (
            PAYLOAD if flags == "PA" else b"")


def ends(client="192.0.2.1", server="198.51.100.1"):
    return (client, net.new_port()), (server, net.new_port())


def expect_whole(trace, mirror, whole, size=100):
    """A connection at this port was told from its SYN to its end."""
    flow = trace.expect(mirror, whole[1][1], WHOLE)
    same(ends_of(flow), whole, "ends")
    end = flow.end()
    same((end["bytes_toserver"], end["bytes_toclient"]), (size, size), "bytes")
    return flow
