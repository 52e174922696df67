# SPDX-License-Identifier: GPL-2.0
"""Which events are shown."""

import tempfile

import records
from harness import FAKE, equal, objects, read, test, wrong
from records import ABI


FILTERS = {
    "host 10.0.0.2 and port 80": 9,
    "port 81": 3,
    "port 80,81": 12,
    "port 80-81": 12,
    "dst port 80": 9,
    "src port 80": 0,
    "src host 10.0.0.1 dst net 172.16.0.0/12": 3,
    "src 10.9.9.9": 1,
    "dst 10.9.9.9": 0,
    "net 10.0.0.0/8 and not port 80": 11,
    "ip6": 6,
    "ip": 24,
    "not ip": 6,
    "host 2001:db8::2": 6,
    "net 2001:db8::/32": 6,
    "state syn-sent": 8,
    "STATE SYN_SENT": 8,
    "src state Time-Wait": 2,
    "dst state time-wait": 0,
    "event end": 6,
    "EVENT end OR event syn": 11,
    "event syn,end": 11,
    "flow 1": 9,
    "flow 1-2": 12,
    "netns 4026532000": 6,
    "failed": 5,
    "handshake refused": 1,
    "handshake no-answer or close reset_by_responder": 2,
    "close orderly": 1,
    "host 10.0.0.1 and (port 80 or not net 10.0.0.0/8)": 9,
    "(port 80 and (event syn or event end)) or port 81": 5,
    "not (port 80 or port 81)": 18,
    "!(port 80 || port 81) && ip": 12,
    "not not port 81": 3,
    "port 81 event end": 1,
    "net 0.0.0.0/0": 24,
}


@test
def filter_expressions():
    trace = records.tour()
    for words, count in FILTERS.items():
        for split in ([words], words.split()):
            shown = [event for event in objects(trace, *split) if event["event"] != "lost"]
            assert len(shown) == count, f"{words}: {len(shown)}, not {count}"


@test
def filter_options():
    trace = records.tour()
    for options, count in ((["-4"], 24), (["-6"], 6), (["-4", "-6"], 30),
                           (["--host", "10.0.0.2"], 13), (["--net", "10.0.0.0/8"], 20),
                           (["--port", "80"], 9), (["--port", "80", "--port", "81"], 12),
                           (["--port", "80", "--event", "end"], 1),
                           (["--state", "SYN_SENT"], 8), (["--event", "syn,end"], 11),
                           (["--failed"], 5), (["--failed", "port", "22"], 2),
                           (["--flow", "2"], 3), (["--netns", "1"], 0)):
        shown = [event for event in objects(trace, *options) if event["event"] != "lost"]
        assert len(shown) == count, f"{options}: {len(shown)}, not {count}"


@test
def loss_passes_every_filter():
    equal([event["count"] for event in objects(records.tour(), "port", "1000")], [1234])


@test
def wrong_filters_name_the_word():
    wrong("prot", "80", says='unknown word "prot"')
    wrong("port", says="port wants a number")
    wrong("port", "http", says='not "http"')
    wrong("port", "65536", says='not "65536"')
    wrong("port", "90-80", says='not "90-80"')
    wrong("host", "example.org", says='host wants an IPv4 or IPv6 address; names are never resolved')
    wrong("net", "10.0.0.0", says="ADDRESS/LENGTH")
    wrong("net", "10.0.0.0/33", says='not "10.0.0.0/33"')
    wrong("--state", "syn-snt", says='not "syn-snt"')
    wrong("event", "unknown", says='not "unknown"')
    wrong("(", "port", "80", says='")" is missing')
    wrong("port", "80", ")", says='unexpected ")"')
    wrong("port", "80", "and", says="ends where a test should follow")
    wrong("src", "event", "end", says='not "event"')
    wrong("(" * 100 + "port 80" + ")" * 100, says="nested more than")
    wrong("not " * 100 + "port 80", says="nested more than")
    wrong(*["port", "80"] * 200, says="too long")
    wrong("port " + "8" * 5000, says="too long")
    wrong("port " + ",".join(["80"] * 500), says="too long")


@test
def the_kernel_is_asked_for_what_it_can_filter():
    end, syn, icmp = (1 << ABI[f"EVENT_{kind}"] for kind in ("END", "SYN", "ICMP_ERROR"))
    every = (2 << ABI["EVENT_LOST"]) - 2
    for words, wanted in (("", (0, 0, 0, 0)), ("port 80", (0, 0, 0, 80)),
                          ("event end", (end, 0, 0, 0)), ("failed", (end | icmp, 0, 0, 0)),
                          ("port 80 and event end,syn", (end | syn, 0, 0, 80)),
                          ("port 80 or port 81", (0, 0, 0, 0)), ("port 80-81", (0, 0, 0, 0)),
                          ("port 80 event syn or port 80 event end", (end | syn, 0, 0, 80)),
                          ("not event end", (every & ~end, 0, 0, 0)),
                          ("not (event end or port 80)", (every & ~end, 0, 0, 0)),
                          ("not (event end and port 80)", (0, 0, 0, 0)),
                          ("event end and event syn", (1 << ABI["EVENT_LOST"], 0, 0, 0)),
                          ("host ::1 and netns 5", (0, 5, 6, 0)), ("ip", (0, 0, 4, 0))):
        with tempfile.NamedTemporaryFile("r") as log:
            read(*words.split(), program=FAKE, FAKE_DEVICE="/dev/null", FAKE_LOG=log.name)
            line = log.read().splitlines()[1]
        equal(line, "filter kinds=%s netns=%d version=%d port=%d" %
              (hex(wanted[0]) if wanted[0] else "0", *wanted[1:]))
