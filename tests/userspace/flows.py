# SPDX-License-Identifier: GPL-2.0
"""The flows that are live: the command, and --existing."""

import json
import os
import signal
import tempfile

import json_schema
from harness import equal, Live, load_schema, objects, read, show, test, wrong
from records import Flow, Trace


MINUTE = 60_000_000

FLOWS = """\
  FLOW INITIATOR > RESPONDER               STATES                  AGE   >B   <B
     1 10.0.0.1:43210 > 10.0.0.2:80        ESTABLISHED            5.2m 1.2K  34M
     2 10.0.0.1:43210 > 10.0.0.2:81        FIN_WAIT_2/CLOSE_WAIT   12s   77    0
     3 203.100.113.255:65535 > 198.151.100.199:65535
                                         ESTABLISHED/SYN_RECEIVED 364d 9.9E 999T
     4 10.0.0.1:43210 > 10.0.0.2:80        TIME_WAIT/CLOSED         0s    0    0
     6 [2001:db8::1]:5000 > [2001:db8::2]:443 ESTABLISHED         9.9h  999 1.0K
12345678 203.100.113.255:65535 > 198.151.100.199:65535
                                           ESTABLISHED            2.0d    1    2
"""


def snapshot():
    """A list of flows; the second comes twice, and an event follows."""
    trace = Trace()
    established = ("ESTABLISHED", "ESTABLISHED")
    far = ("203.100.113.255", 65535, "198.151.100.199", 65535)
    Flow(1).record(trace, established, 100, duration=5 * MINUTE + 17_000_000,
                   size=(1234, 34_900_000))
    half = Flow(2, dport=81)
    half.record(trace, ("FIN_WAIT_2", "CLOSE_WAIT"), 100, duration=12_999_999, size=(77, 0))
    Flow(3, *far).record(trace, ("ESTABLISHED", "SYN_RECEIVED"), 101,
                         duration=364 * 1440 * MINUTE, size=(99 * 10**17, 10**15 - 1))
    Flow(4).record(trace, ("TIME_WAIT", "CLOSED"), 101, duration=999_999)
    Flow(6, "2001:db8::1", 5000, "2001:db8::2", 443).record(
        trace, established, 103, duration=594 * MINUTE, size=(999, 1000))
    half.record(trace, ("TIME_WAIT", "CLOSED"), 104)
    Flow(12345678, *far).record(trace, established, 104, duration=2880 * MINUTE, size=(1, 2))
    trace.complete(105)
    Flow(9).event(trace, "SYN", "S", 0, 0, ("SYN_SENT", "LISTEN"), "INITIATOR", at=105)
    return trace


@test
def flows_are_listed():
    with tempfile.NamedTemporaryFile("r") as log, Live("flows", FAKE_LOG=log.name) as live:
        live.publish(snapshot())
        code, out, err = live.end()
        assert "snapshot\n" in log.read()
    equal((code, out), (0, FLOWS))
    equal(err, "tcptracectl: 6 live flows shown, 0 filtered\n")
    assert all(len(line) <= 80 for line in out.splitlines()), out


@test
def flows_in_every_format():
    for options in ([], ["-H"], ["-w"], ["-w", "-H"], ["-q"], ["-c", "2", "-H"]):
        with Live("flows", *options) as live:
            live.publish(snapshot())
            code, out, err = live.end()
        equal(code, 0)
        lines = out.splitlines()
        if "-w" in options:
            equal(len(lines), 7 - ("-H" in options))
            assert "for 5.283 s" not in out and "established, for 317.000 s" in out, out
        if "-H" in options:
            assert "STATES" not in out and "PHASE" not in out, out
        equal(err == "", "-q" in options)
        if "-c" in options:
            equal(len(lines), 2)


@test
def flows_as_json():
    schema = load_schema()
    with Live("flows", "-j", "-q") as live:
        live.publish(snapshot())
        code, out, err = live.end()
    shown = [json.loads(line) for line in out.splitlines()]
    equal((code, err, [event["flow_id"] for event in shown]), (0, "", [1, 2, 3, 4, 6, 12345678]))
    for event in shown:
        equal(list(json_schema.errors(event, schema)), [])
    assert {"event": "snapshot", "seq": 100, "initiator_state": "FIN_WAIT_2", "sender": None,
            "responder_state": "CLOSE_WAIT", "duration_us": 12999999, "bytes_toserver": 77,
            "bytes_toclient": 0, "handshake": "established"}.items() <= shown[1].items()


@test
def flows_are_filtered():
    for words, numbers in ((["port", "80"], [1, 4]), (["-6"], [6]), (["--flow", "3"], [3]),
                           (["state", "time-wait"], [4]), (["src", "host", "10.0.0.1"], [1, 2, 4]),
                           (["net", "10.0.0.0/8", "and", "not", "port", "80"], [2]),
                           (["event", "syn"], [])):
        with Live("flows", "-j", *words) as live:
            live.publish(snapshot())
            code, out, err = live.end()
        equal([json.loads(line)["flow_id"] for line in out.splitlines()], numbers)
        assert f"{len(numbers)} live flows shown, {6 - len(numbers)} filtered" in err, err


@test
def flows_of_nothing():
    with Live("flows") as live:
        trace = Trace()
        trace.complete(1)
        live.publish(trace)
        equal(live.end(), (0, FLOWS.splitlines(True)[0],
                           "tcptracectl: 0 live flows shown, 0 filtered\n"))


@test
def existing_flows_come_first():
    schema = load_schema()
    with Live("--existing", "-j") as live:
        live.publish(snapshot())
        shown = [json.loads(live.line()) for _ in range(8)]
        code, out, err = live.end(signal.SIGINT)
    equal((code, out), (130, ""))
    equal([(event["event"], event["flow_id"]) for event in shown],
          [("snapshot", number) for number in (1, 2, 3, 4, 6, 12345678, None)] + [("syn", 9)])
    for event in shown:
        equal(list(json_schema.errors(event, schema)), [])
    assert shown[6]["complete"] is True and "handshake" not in shown[6], shown[6]
    assert "6 live flows shown, 0 filtered" in err and "1 events shown, 1 read" in err, err


def overlapping():
    """Events from before and after the records of their flows."""
    trace = Trace()
    flow, other, young = Flow(1), Flow(2), Flow(7)
    flow.record(trace, ("FIN_WAIT_1", "ESTABLISHED"), 103)
    other.record(trace, ("ESTABLISHED", "ESTABLISHED"), 105)
    trace.complete(106)
    for at, which, kind in ((100, flow, "FIN"), (101, young, "SYN"), (102, other, "ESTABLISHED"),
                            (103, flow, "FIN_ACKED"), (104, other, "RETRANSMIT"),
                            (105, other, "FIN"), (106, flow, "FIN"), (107, other, "FIN_ACKED")):
        which.event(trace, kind, at=at)
    return trace


@test
def nothing_is_told_twice():
    with Live("--existing", "-j") as live:
        live.publish(overlapping())
        shown = [json.loads(live.line())["seq"] for _ in range(8)]
        code, out, err = live.end(signal.SIGINT)
    equal((shown, out), ([103, 105, 106, 101, 103, 105, 106, 107], ""))
    assert "5 events shown, 8 read, 0 lost, 0 filtered (and 7 in the kernel), 3 told by" in err, err


@test
def many_existing_flows():
    """More than its table holds at first, in any order."""
    trace = Trace()
    numbers = [number * 7919 % 30011 + 1 for number in range(5000)]
    for number in numbers:
        Flow(number).record(trace, ("ESTABLISHED", "ESTABLISHED"), 1000 + number % 3)
    trace.complete(1003)
    for number in numbers:
        for at in (1000, 1002):
            Flow(number).event(trace, "FIN", at=at)
    shown = [event for event in objects(trace) if event["event"] == "fin"]
    wanted = [(number, at) for number in numbers for at in (1000, 1002) if at >= 1000 + number % 3]
    equal([(event["flow_id"], event["seq"]) for event in shown], wanted)


@test
def existing_with_other_options():
    trace = snapshot()
    for options, kinds in ((["-c", "3"], 3), (["-d"], 7), (["-d", "port", "80"], 3),
                           (["-N", "-c", "7"], 8)):
        with Live("--existing", "-j", *options, FAKE_NEXT="105") as live:
            live.publish(trace)
            code, out, err = live.end()
        equal((code, len(out.splitlines())), (0, kinds))
    text = show(snapshot(), "-t", "none")
    assert "SNAPSHOT    -           -        - FIN_WAIT_2   CLOSE_WAIT\n" in text, text
    assert "established, for 12.999 s, > 77 bytes in" not in text and "for 12.999 s" in text, text
    assert "     - SNAPSHOT    all live flows are told\n" in text, text
    assert "all live flows are told" in show(snapshot(), "-w"), "wide"
    wrong("--existing", "-r", "x", says="-r reads a recording")
    wrong("flows", "-r", "x", says="not a recording")
    wrong("flows", "porx", "1", says='unknown word "porx"')


@test
def record_existing_then_read():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        with Live("record", path, "--existing", "-c", "7") as live:
            live.publish(overlapping())
            equal(live.end()[0], 0)
        shown = [json.loads(line) for line in read("-j", "-r", path)[1].splitlines()]
    equal([event["seq"] for event in shown], [103, 105, 106, 101, 103, 105, 106, 107])
