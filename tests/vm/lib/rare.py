# SPDX-License-Identifier: GPL-2.0
"""What comes too seldom to wait for: endpoints of agreement.py, recorded once or put together
from what was seen, the rules that each takes, and what must not be there for the rules to hold."""

import dataclasses
import types

from lib.device import CONSTANTS
from lib.packet import FLAGS
from lib.stories import Event, Story

# An endpoint of the server, port 7004, and a client, port 10004
ENDPOINT = ("0.0.0.0", 7004, "0.0.0.0", 10004)
ISNS = {">": 1000, "<": 5000}
OTHER = {">": "<", "<": ">"}


@dataclasses.dataclass
class Case:
    """One endpoint that the server has.

    sockets: of each, the states with the seconds when they were entered
    flows: of each, a line for each event: seconds, kind[/reason], segment, its number[,the
           one that it acknowledges], states; numbers count from the ISNs
    rules: by their names, those that make both the same
    spoilt: pairs of texts; with the one in place of the other nothing must make them the same
    """

    title: str
    sockets: tuple
    flows: tuple
    rules: set
    spoilt: tuple
    cookies: bool = True	# may syncookies be sent?
    vanished: bool = False	# did one host lose its power?

    def replaced(self, old, new):
        def other(texts):
            return tuple(text.replace(old, new) for text in texts)
        return dataclasses.replace(self, sockets=other(self.sockets), flows=other(self.flows))

    def without_cookies(self):
        return dataclasses.replace(self, cookies=False)


CASES = (
    Case("a keepalive probe for the ACK that was discarded",
         ("LISTEN, SYN_RECEIVED 1.400, ESTABLISHED 1.401, FIN_WAIT_1 3.0, CLOSED 3.002",),
         ("""\
0.100 SYN >S 0 SYN_SENT LISTEN
0.101 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
0.102 ESTABLISHED >A 1 ESTABLISHED ESTABLISHED
3.000 FIN <FA 1 ESTABLISHED FIN_WAIT_1
3.001 INVALID/OUT_OF_WINDOW >R 0 ESTABLISHED FIN_WAIT_1
""",),
         {"reset_at_isn"},
         (("3.001 INVALID/OUT_OF_WINDOW >R 0", "3.001 INVALID/OUT_OF_WINDOW >R 1"),
          ("3.001 INVALID/OUT_OF_WINDOW >R", "3.001 INVALID/OUT_OF_WINDOW <R"),
          ("3.001 INVALID", "3.003 INVALID"), ("3.001 INVALID", "1.999 INVALID"),
          ("OUT_OF_WINDOW", "BAD_ACK"))),
    Case("a keepalive probe for the ACK that was lost",
         ("LISTEN, SYN_RECEIVED 1.400, ESTABLISHED 1.401, FIN_WAIT_1 3.0, CLOSED 3.002",),
         ("""\
0.100 SYN >S 0 SYN_SENT LISTEN
0.101 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.400 INVALID/OUT_OF_WINDOW >A 0 SYN_SENT SYN_RECEIVED
3.000 FIN <FA 1 SYN_SENT FIN_WAIT_1
3.001 INVALID/OUT_OF_WINDOW >R 0 SYN_SENT FIN_WAIT_1
""",),
         {"probe_for_ack", "reset_at_isn"},
         (("1.400 INVALID/OUT_OF_WINDOW >A 0", "1.400 INVALID/OUT_OF_WINDOW >A 3"),)),
    Case("the second socket of a cookie, which closes",
         ("LISTEN, SYN_RECEIVED 1.1, ESTABLISHED 1.101, CLOSED 1.2",
          "LISTEN, SYN_RECEIVED 1.4, ESTABLISHED 1.401, CLOSE_WAIT 11.1, CLOSED 11.101"),
         ("""\
1.000 SYN >S 0 SYN_SENT LISTEN
1.001 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.002 ESTABLISHED >A 1 ESTABLISHED ESTABLISHED
1.201 RST <RA 1 CLOSED CLOSED
1.201 END <RA 1 CLOSED CLOSED
""", """\
11.300 PICKUP >FA 1 ESTABLISHED ESTABLISHED
11.300 FIN >FA 1 FIN_WAIT_1 ESTABLISHED
11.301 RST <R 1 CLOSED CLOSED
11.301 END <R 1 CLOSED CLOSED
"""),
         {"second_cookie_midway"},
         (("PICKUP", "SYN"), ("1.4, ESTABLISHED", "11.5, ESTABLISHED"),
          ("1.201 RST <RA 1 CLOSED CLOSED\n1.201 END <RA 1 CLOSED CLOSED\n", ""))),
    Case("a second socket after a loss of power, and a third after a RST",
         ("LISTEN, SYN_RECEIVED 1.4, ESTABLISHED 1.401, CLOSED 3.042",
          "LISTEN, SYN_RECEIVED 4.066, ESTABLISHED 4.067, FIN_WAIT_1 13.048, CLOSED 13.053",
          "LISTEN, SYN_RECEIVED 13.065, ESTABLISHED 13.066, CLOSED 13.068"),
         ("""\
1.326 SYN >S 0 SYN_SENT LISTEN
1.327 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.400 ESTABLISHED >A 1 ESTABLISHED ESTABLISHED
13.050 FIN <FA 1 ESTABLISHED FIN_WAIT_1
13.051 FIN >FA 1 FIN_WAIT_1 FIN_WAIT_1
13.054 RST <R 1 CLOSED CLOSED
13.054 END <R 1 CLOSED CLOSED
""",),
         {"second_cookie"},
         (("FIN_WAIT_1 13.048, ", ""),),
         vanished=True),
    Case("the ACK of a cookie beside a later SYN's request",
         ("LISTEN, SYN_RECEIVED 1.2, CLOSED 1.201",
          "LISTEN, SYN_RECEIVED 1.3, ESTABLISHED 1.301"),
         ("""\
0.100 SYN >S 0 SYN_SENT LISTEN
0.101 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.100 RETRANSMIT >S 0 SYN_SENT SYN_RECEIVED
1.101 RETRANSMIT <SA 77 SYN_SENT SYN_RECEIVED
1.300 ESTABLISHED >A 1 ESTABLISHED ESTABLISHED
""",),
         {"cookie_beside_request"},
         (("<SA 77", "<SA 0"), ("CLOSED 1.201", "ESTABLISHED 1.201"))),
    Case("the ACK of its FIN, as the socket was on its end",
         ("LISTEN, SYN_RECEIVED 1.981, ESTABLISHED 1.986, FIN_WAIT_1 2.0819, CLOSED 2.0878",),
         ("""\
1.980 SYN >S 0 SYN_SENT LISTEN
1.981 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.986 ESTABLISHED >A 358 ESTABLISHED ESTABLISHED
2.0822 FIN <FA 1 ESTABLISHED FIN_WAIT_1
2.0854 FIN_ACKED >A 1174,2 CLOSE_WAIT FIN_WAIT_2
2.0866 RST <R 2 CLOSED CLOSED
2.0866 END <R 2 CLOSED CLOSED
""",),
         {"queued_fin", "unhashed"},
         (("RST <R ", "RST <RA "), ("RST <R 2", "RST <R 1"), ("CLOSED 2.0878", "CLOSED 2.9"),
          ("2.0866 RST", "2.9 RST"), ("FIN_ACKED >A", "FIN_ACKED <A")),
         cookies=False),
    Case("the ACK of its FIN, as close() had the socket",
         ("LISTEN, SYN_RECEIVED 1.4714, ESTABLISHED 1.4724, FIN_WAIT_1 1.6267, CLOSED 1.6356",),
         ("""\
1.4590 SYN >S 0 SYN_SENT LISTEN
1.4612 SYN_ACK <SA 0 SYN_SENT SYN_RECEIVED
1.4709 ESTABLISHED >A 1 ESTABLISHED ESTABLISHED
1.6287 FIN <FA 1 ESTABLISHED FIN_WAIT_1
1.6352 FIN_ACKED >A 1310,2 CLOSE_WAIT FIN_WAIT_2
1.6367 RST <RA 2 CLOSED CLOSED
1.6367 END <RA 2 CLOSED CLOSED
""",),
         {"queued_fin", "backlogged"},
         (("RST <RA 2", "RST <RA 1"), ("CLOSED 1.6356", "CLOSED 2.9"),
          ("CLOSED 1.6356", "CLOSED 1.6370"), ("1.6367 RST", "2.9 RST"),
          ("FIN_ACKED >A", "FIN_ACKED <A")),
         cookies=False),
)

# A client's fast open, as it was met here: the server's RST came before its SYN+ACK, by another
# CPU. Then the texts that must spoil it.
OVERTAKEN = """\
0.100 SYN >S 0 SYN_SENT LISTEN
0.102 RST <RA 1 CLOSED CLOSED
0.102 END <RA 1 CLOSED CLOSED
0.103 INVALID/UNEXPECTED <SA 0 CLOSED CLOSED
"""
NOT_OVERTAKEN = (("RST <RA 1", "RST <RA 2"), ("<SA 0", "<A 0"), ("<SA 0", ">SA 0"))


class RareBatch:
    """A case as agreement.py knows its batches, of this endpoint alone."""

    lossy = True
    requests = listed = remains = choosy_ports = frozenset()

    def __init__(self, case):
        self.cookies = case.cookies
        self.power_lost = case.vanished
        self.socks = {ENDPOINT: [socket_of(text) for text in case.sockets]}
        self.stories = {ENDPOINT: [flow_of(text, 1) for text in case.flows]}

    def may_send_cookies(self, _port):
        return self.cookies

    def vanished(self, _endpoint):
        return self.power_lost

    @staticmethod
    def behaviour(_endpoint):
        return "narrow", "rare"


def nanoseconds(seconds):
    return round(float(seconds) * 1e9)


def socket_of(text):
    """What lib/sockets.py would tell of a socket."""
    first, *changes = (change.split() for change in text.split(", "))
    return types.SimpleNamespace(
        endpoint=ENDPOINT, states=[*first, *(state for state, _ in changes)],
        times=[None, *(nanoseconds(when) for _, when in changes)])


def flow_of(text, side):
    return Story(list(events_of(text)), side)


def events_of(text):
    """The events of a flow."""
    before = [CONSTANTS["STATE_NONE"]] * 2 if "PICKUP" in text else \
             [CONSTANTS["STATE_SYN_SENT"], CONSTANTS["STATE_LISTEN"]]
    for line in text.splitlines():
        when, kind, segment, numbers, *states = line.split()
        seq, _, ack = numbers.partition(",")
        kind, _, reason = kind.partition("/")
        after = [CONSTANTS["STATE_" + state] for state in states]
        fields = dict.fromkeys(Event._fields, 0) | {
            "time_ns": nanoseconds(when), "kind": CONSTANTS["EVENT_" + kind], "ip_version": 4,
            "cause": CONSTANTS["REASON_" + reason] if reason else 0,
            "sender": 1 if segment[0] == ">" else 2, "flow_id": 1,
            "tcp_flags": sum(FLAGS[letter] for letter in segment[1:]),
            "tcp_seq": ISNS[segment[0]] + int(seq),
            "tcp_ack": ISNS[OTHER[segment[0]]] + int(ack or 0),
            "initiator_isn": ISNS[">"], "responder_isn": ISNS["<"],
            "initiator_addr": bytes(16), "responder_addr": bytes(16),
            "initiator_port": ENDPOINT[3].to_bytes(2), "responder_port": ENDPOINT[1].to_bytes(2),
            "prev_initiator_state": before[0], "prev_responder_state": before[1],
            "initiator_state": after[0], "responder_state": after[1]}
        yield Event(**fields)
        before = after
