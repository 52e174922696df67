# SPDX-License-Identifier: GPL-2.0
"""ENDs and what other tools call them.

The sentences are those of Zeek's documentation of conn_state; the names of conntrack's
states are those of the table in nf_conntrack_proto_tcp.c.
"""
from typing import NamedTuple

from records import Flow, Trace, summary


class Case(NamedTuple):
    """One END: its verdicts, the states before it, how far the close went; the words."""

    letters: str
    handshake: str
    close: str
    before: str
    teardown: str
    conn_state: str
    conntrack: str


# For each sentence what yields the word, and conntrack's name for that.
CASES = {
    "S0: Connection attempt seen, no reply": [
        Case("S", "NO_ANSWER", "NONE", "SYN_SENT LISTEN", "NONE", "S0", "SYN_SENT"),
        Case("S", "NO_ANSWER", "EVICTED", "SYN_SENT LISTEN", "NONE", "S0", "SYN_SENT"),
        Case("S", "UNREACHABLE", "NONE", "SYN_SENT LISTEN", "NONE", "S0", "SYN_SENT"),
        # the responder's way is another, nothing of it was seen
        Case("SAD", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S0",
             "SYN_SENT"),
    ],
    "S1: Connection established, not terminated": [
        Case("ShA", "ESTABLISHED", "IDLE_TIMEOUT", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
        Case("ShADad", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
        Case("ShD", "ESTABLISHED", "EVICTED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
        # Zeek asks for no ACK, conntrack does
        Case("Sh", "HALF_OPEN", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "S1", "SYN_RECV"),
        Case("Shd", "HALF_OPEN", "EVICTED", "SYN_SENT SYN_RECEIVED", "NONE", "S1", "SYN_RECV"),
        # FIN or RST was seen, but nobody has to believe it
        Case("ShAFr", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
        # simultaneous open
        Case("Ss", "NO_ANSWER", "NONE", "SYN_SENT SYN_SENT", "NONE", "S1", "SYN_SENT2"),
        Case("SsHh", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "SYN_RECV"),
        Case("SsHhd", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
        # the SYN was missed, the handshake went on
        Case("hA", "ESTABLISHED", "FLUSHED", "ESTABLISHED ESTABLISHED", "NONE", "S1",
             "ESTABLISHED"),
    ],
    "SF: Normal establishment and termination": [
        Case("ShADadFf", "ESTABLISHED", "ORDERLY", "FIN_WAIT_2 LAST_ACK", "LAST_ACK", "SF",
             "TIME_WAIT"),
        Case("ShAfF", "ESTABLISHED", "ORDERLY", "LAST_ACK FIN_WAIT_2", "LAST_ACK", "SF",
             "TIME_WAIT"),
        # the FINs crossed; conntrack takes the first ACK for the last
        Case("ShAFf", "ESTABLISHED", "ORDERLY", "TIME_WAIT CLOSING", "LAST_ACK", "SF",
             "TIME_WAIT"),
        Case("ShAFf", "ESTABLISHED", "FLUSHED", "CLOSING CLOSING", "LAST_ACK", "SF", "TIME_WAIT"),
        # the last ACK came with the FIN again
        Case("ShAFf", "ESTABLISHED", "ORDERLY", "TIME_WAIT CLOSED", "FINS", "SF", "LAST_ACK"),
        Case("ShAFf", "ESTABLISHED", "IDLE_TIMEOUT", "FIN_WAIT_2 LAST_ACK", "FINS", "SF",
             "LAST_ACK"),
        # both have closed: to Zeek a RST is nothing then
        Case("ShADdFfR", "ESTABLISHED", "RESET_BY_INITIATOR", "FIN_WAIT_2 LAST_ACK", "FINS",
             "SF", "CLOSE"),
        Case("hAFf", "ESTABLISHED", "ORDERLY", "FIN_WAIT_2 LAST_ACK", "LAST_ACK", "SF",
             "TIME_WAIT"),
    ],
    "REJ: Connection attempt rejected": [
        Case("Sr", "REFUSED", "NONE", "SYN_SENT LISTEN", "NONE", "REJ", "CLOSE"),
    ],
    "S2: Connection established and close attempt by originator seen": [
        Case("ShAF", "ESTABLISHED", "IDLE_TIMEOUT", "FIN_WAIT_1 ESTABLISHED", "FIN", "S2",
             "FIN_WAIT"),
        Case("ShADFad", "ESTABLISHED", "IDLE_TIMEOUT", "FIN_WAIT_2 CLOSE_WAIT", "ACK", "S2",
             "CLOSE_WAIT"),
        # a FIN sent again looks to conntrack as the other side's
        Case("ShAF", "ESTABLISHED", "FLUSHED", "FIN_WAIT_1 ESTABLISHED", "FINS", "S2",
             "LAST_ACK"),
    ],
    "S3: Connection established and close attempt by responder seen": [
        Case("ShAf", "ESTABLISHED", "FLUSHED", "ESTABLISHED FIN_WAIT_1", "FIN", "S3", "FIN_WAIT"),
        Case("ShAfD", "ESTABLISHED", "EVICTED", "CLOSE_WAIT FIN_WAIT_2", "ACK", "S3",
             "CLOSE_WAIT"),
        Case("hAf", "ESTABLISHED", "EVICTED", "CLOSE_WAIT FIN_WAIT_2", "ACK", "S3",
             "CLOSE_WAIT"),
    ],
    "RSTO: Connection established, originator aborted (sent a RST)": [
        Case("ShADR", "ESTABLISHED", "RESET_BY_INITIATOR", "ESTABLISHED ESTABLISHED", "NONE",
             "RSTO", "CLOSE"),
        Case("ShAFR", "ESTABLISHED", "RESET_BY_INITIATOR", "FIN_WAIT_2 CLOSE_WAIT", "ACK",
             "RSTO", "CLOSE"),
        # a scan that never answers the SYN+ACK
        Case("ShR", "ABORTED", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "RSTO", "CLOSE"),
    ],
    "RSTR: Responder sent a RST": [
        Case("ShADr", "ESTABLISHED", "RESET_BY_RESPONDER", "ESTABLISHED ESTABLISHED", "NONE",
             "RSTR", "CLOSE"),
        Case("ShADFar", "ESTABLISHED", "RESET_BY_RESPONDER", "FIN_WAIT_2 CLOSE_WAIT", "ACK",
             "RSTR", "CLOSE"),
        Case("Shr", "RESET", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "RSTR", "CLOSE"),
    ],
    "RSTOS0: Originator sent a SYN followed by a RST, we never saw a SYN-ACK": [
        Case("SR", "ABORTED", "NONE", "SYN_SENT LISTEN", "NONE", "RSTOS0", "CLOSE"),
    ],
    "RSTRH: Responder sent a SYN ACK followed by a RST, we never saw a SYN": [
        Case("hr", "RESET", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "RSTRH", "NONE"),
    ],
    "SH: Originator sent a SYN followed by a FIN, we never saw a SYN ACK": [
        Case("SF", "NO_ANSWER", "NONE", "SYN_SENT LISTEN", "NONE", "SH", "SYN_SENT"),
        Case("SF", "ESTABLISHED", "IDLE_TIMEOUT", "FIN_WAIT_1 ESTABLISHED", "FIN", "SH",
             "SYN_SENT"),
    ],
    "SHR: Responder sent a SYN ACK followed by a FIN, we never saw a SYN": [
        Case("hf", "HALF_OPEN", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "SHR", "NONE"),
    ],
    "OTH: No SYN seen, just midstream traffic": [
        Case("Dad", "UNSEEN", "IDLE_TIMEOUT", "ESTABLISHED ESTABLISHED", "NONE", "OTH",
             "ESTABLISHED"),
        Case("dADfF", "UNSEEN", "ORDERLY", "LAST_ACK FIN_WAIT_2", "LAST_ACK", "OTH", "TIME_WAIT"),
        Case("ADr", "UNSEEN", "RESET_BY_RESPONDER", "ESTABLISHED ESTABLISHED", "NONE", "OTH",
             "CLOSE"),
        Case("F", "UNSEEN", "IDLE_TIMEOUT", "FIN_WAIT_1 ESTABLISHED", "FIN", "OTH", "NONE"),
        Case("h", "HALF_OPEN", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "OTH", "NONE"),
        Case("hd", "HALF_OPEN", "NONE", "SYN_SENT SYN_RECEIVED", "NONE", "OTH", "ESTABLISHED"),
    ],
}

# The letters of a record, and what is shown of them.
HISTORIES = {
    "": "",
    "S": "S",
    "ShADadFf": "ShADadFf",
    "SsHhAaDdFfRr": "SsHhAaDdFfRr",
    "SsHhAaDdFfRrx": "SsHhAaDdFfRrx",
    "ScCqQIi": "ScCqQIi",
    # who sent the first segment was taken for the responder
    "hA": "^hA",
    "dDaA": "^dDaA",
    "DdaA": "DdaA",
}

# Which kinds of segments were seen, and Wireshark's sum.
COMPLETENESS = {
    (): 0, ("SYN",): 1, ("SYN_ACK",): 2, ("ACK",): 4, ("DATA",): 8, ("FIN",): 16, ("RST",): 32,
    ("SYN", "SYN_ACK", "ACK", "DATA", "FIN"): 31,
    ("SYN", "ACK", "RST"): 37,
    ("SYN", "SYN_ACK", "ACK", "DATA", "FIN", "RST"): 63,
}


def end(before="ESTABLISHED ESTABLISHED", **summary_of):
    """A trace of one END."""
    trace = Trace()
    flow = Flow(1)
    flow.states = tuple(before.split())
    flow.event(trace, "END", part=summary(**summary_of), states=("CLOSED", "CLOSED"),
               phase="CLOSED")
    return trace
