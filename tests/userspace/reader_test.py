#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The tests of tcptracectl on invented recordings and an invented device.  TAP.

They need "make -C userspace asan": the reader with ASan and UBSan, and the same
with a device that fake_device.c makes up.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True

import json_schema
import records
import vocabulary
from records import ABI, Flow, Trace

USERSPACE = os.path.join(records.HERE, "../../userspace")
READER = os.path.join(USERSPACE, "build/asan/tcptracectl")
SCHEMA = os.path.join(USERSPACE, "tcptrace-event.schema.json")
FAKE = os.path.join(USERSPACE, "build/asan/tcptracectl-fake")
# The default of a sanitizer error is 1, which is also an answer of the reader.
ENV = dict(os.environ, ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99", TZ="UTC")

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def read(*args, program=READER, data=None, **env):
    done = subprocess.run([program, *args], input=data, capture_output=True, timeout=30,
                          env=dict(ENV, **env), check=False)
    assert done.returncode != 99, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def replay(trace, *args):
    """What the reader shows of a trace, whether it is good or not."""
    return read("-r", "-", *args, data=trace if isinstance(trace, bytes) else trace.recording())


def show(trace, *args):
    code, out, err = replay(trace, *args)
    assert code == 0, (code, err)
    return out


def objects(trace, *args):
    return [json.loads(line) for line in show(trace, "-j", *args).splitlines()]


def load_schema():
    with open(os.path.join(USERSPACE, "tcptrace-event.schema.json"), encoding="ascii") as file:
        return json.load(file)


def wrong(*args, says):
    code, out, err = read(*args)
    assert code == 2 and says in err and out == "", (args, code, out, err)


def equal(a, b):
    assert a == b, f"{a!r} is not {b!r}"


ORDERLY = """\
TIME           FLOW EVENT       FLAGS     SEQ      ACK INITIATOR    RESPONDER
08:53:25.001      1 10.0.0.1:43210 > 10.0.0.2:80
08:53:25.001      1 SYN         >S          0        - SYN_SENT     LISTEN
08:53:25.002      1 SYN_ACK     <SA         0        1 SYN_SENT     SYN_RECEIVED
08:53:25.003      1 ESTABLISHED >A          1        1 ESTABLISHED  ESTABLISHED
                    handshake 0.165 ms: SYN-ACK after 0.120, ACK after 0.045,
                    1 SYN retransmitted
08:53:25.004      1 FIN         >FPA       78      616 FIN_WAIT_1   ESTABLISHED
08:53:25.005      1 FIN_ACKED   <A        616       79 FIN_WAIT_2   CLOSE_WAIT
08:53:25.006      1 FIN         <FA       616       79 FIN_WAIT_2   LAST_ACK
08:53:25.007      1 FIN_ACKED   >A         79      617 TIME_WAIT    CLOSED
08:53:25.008      1 END         established, orderly close,
                    initiator closed first, after 1.234 s,
                    > 77 bytes in 6 packets, < 615 bytes in 4 packets
08:53:25.009      1 TIMEOUT     -           -        - CLOSED       CLOSED
                    timer time_wait: 2MSL are over
"""


def orderly():
    trace = Trace()
    flow = Flow(1)
    records.handshake(trace, flow)
    records.teardown(trace, flow)
    return trace


@test
def text_of_an_orderly_connection():
    equal(show(orderly()), ORDERLY)


@test
def text_names_each_verdict():
    out = show(records.tour(), "event", "end")
    for words in ("refused: a RST answered the SYN", "no answer to the SYN",
                  "unreachable: an ICMP error ended it", "reset by the responder",
                  "evicted to make room"):
        assert words in out, words


@test
def text_tells_what_the_columns_cannot():
    out = show(records.tour())
    for words in ("host unreachable (ICMP type 3 code 1), says 10.0.0.254",
                  "bad_flags: nobody sends these flags together", "no_flow: of no known",
                  "SYN sent again, repetition 1", "timer syn ran out", "1234 events lost",
                  "met midway, who initiated is a guess", "[2001:db8::1]:5000 > "):
        assert words in out, words


ICMP_NAMES = {
    (3, 0): "net unreachable", (3, 1): "host unreachable", (3, 3): "port unreachable",
    (3, 4): "fragmentation needed", (3, 9): "net prohibited", (3, 10): "host prohibited",
    (3, 13): "administratively prohibited", (3, 99): "unknown", (11, 0): "time exceeded",
    (11, 1): "reassembly time exceeded", (12, 0): "parameter problem", (255, 0): "unknown",
}
ICMPV6_NAMES = {
    (1, 0): "no route", (1, 1): "administratively prohibited", (1, 3): "address unreachable",
    (1, 4): "port unreachable", (1, 6): "route rejected", (1, 99): "unknown",
    (2, 0): "packet too big", (3, 0): "time exceeded", (4, 1): "parameter problem",
}


@test
def icmp_errors_have_names():
    schema = load_schema()
    six = {"src": "2001:db8::1", "dst": "2001:db8::2", "says": "2001:db8::fe"}
    for names, ends in ((ICMP_NAMES, {}), (ICMPV6_NAMES, six)):
        trace = records.icmp_errors(*names, **ends)
        text = show(trace)
        for number, (error, name) in zip(objects(trace), names.items(), strict=True):
            assert f"{name} (ICMP type {error[0]} code {error[1]})" in text, text
            equal(list(json_schema.errors(number, schema)), [])
            equal((number["icmp_type"], number["icmp_code"]), error)
            equal((number["icmp_name"].replace("_", " "), number["icmp_from"], number["sender"]),
                  (name, ends.get("says", "10.0.0.254"), "initiator"))


@test
def invalid_icmp_errors_tell_who_sent_them():
    schema = load_schema()
    for reason in ("bad_quote", "bad_icmp_checksum"):
        trace = records.icmp_errors((3, 13), cause=records.ABI["REASON_" + reason.upper()])
        text = show(trace)
        for words in (f"{reason}: ", "administratively prohibited (ICMP type 3 code 13)",
                      "says 10.0.0.254", " 700 "):
            assert words in text, text
        assert all(len(line) <= 80 for line in text.splitlines()), text
        event, = objects(trace)
        equal(list(json_schema.errors(event, schema)), [])
        equal((event["reason"], event["icmp_from"]), (reason, "10.0.0.254"))
        equal(list(show(trace, "-w").splitlines()[1].split()[7:12]), [">-", "700", "-", "-", "-"])


@test
def text_fits_80_columns():
    for options in ((), ("-S",), ("-t", "none"), ("-t", "rel")):
        for line in show(records.tour(), "-4", *options).splitlines():
            assert len(line) <= 80, line


@test
def text_shows_both_full_states_in_every_row():
    for line in show(orderly(), "-H").splitlines():
        words = line.split()
        if len(words) > 4 and words[2] in ("SYN", "SYN_ACK", "FIN", "FIN_ACKED"):
            assert len(words) == 8, line


@test
def wide_has_one_line_an_event():
    trace = records.tour()
    lines = show(trace, "-w").splitlines()
    equal(len(lines), len(trace) + 1)
    assert "mss 1460, wscale 7, sack_ok, timestamps" in lines[1], lines[1]
    assert "10.0.0.1:43210 > 10.0.0.2:80" in lines[9], lines[9]
    assert "FIN_WAIT_2/LAST_ACK" in lines[7], lines[7]


@test
def wide_columns_are_aligned():
    lines = show(orderly(), "-w").splitlines()
    for title in ("FLAGS", "PHASE", "HOOK", "IFACE"):
        column = lines[0].index(title)
        assert all(line[column - 1] == " " != line[column] for line in lines), title


@test
def no_header():
    assert not show(orderly(), "-H").startswith("TIME")


@test
def absolute_sequence_numbers():
    line = show(orderly(), "-S").splitlines()[3]
    assert "<SA    900000     1001" in line, line


@test
def time_formats():
    for name, start in (("wall", "08:53:25.001 "), ("rel", "    0.000000 "),
                        ("rfc3339", "2025-10-09T08:53:25.001000000Z "),
                        ("epoch", "1760000005.001000000 "), ("none", "     1 ")):
        line = show(orderly(), "-H", "-t", name).splitlines()[0]
        assert line.startswith(start + ("" if name == "none" else "     1 10.0.0.1")), line


@test
def sequence_numbers_wrap():
    trace = Trace()
    records.handshake(trace, Flow(1, isns=(2**32 - 1, 2**32 - 1)))
    assert "<SA         0        1 " in show(trace)


@test
def json_matches_the_schema():
    schema = load_schema()
    trace = records.tour()
    shown = objects(trace)
    equal(len(shown), len(trace))
    for event in shown:
        errors = list(json_schema.errors(event, schema))
        assert not errors, errors
    broken = dict(shown[0], sender="nobody", count=1)
    del broken["flags"]
    equal(len(list(json_schema.errors(broken, schema))), 3)


@test
def json_of_a_syn():
    event = objects(orderly())[0]
    wanted = {
        "timestamp": "2025-10-09T08:53:25.001000000Z", "time_ns": 5001000000, "seq": 1,
        "flow_id": 1, "event": "syn", "src_ip": "10.0.0.1", "src_port": 43210,
        "dest_ip": "10.0.0.2", "dest_port": 80, "ip_version": 4, "sender": "initiator",
        "flags": "S", "tcp_seq": 1000, "tcp_ack": 0, "window": 64240, "payload_len": 0,
        "initiator_state": "SYN_SENT", "responder_state": "LISTEN",
        "prev_initiator_state": "CLOSED", "prev_responder_state": "LISTEN",
        "phase": "HANDSHAKE", "netns": 4026531840, "iface": "eth0", "hook": "out",
        "mss": 1460, "wscale": 7, "sack_ok": True, "timestamps": True,
    }
    assert wanted.items() <= event.items(), event
    assert "fastopen" not in event


@test
def json_of_established_and_end():
    shown = {event["event"]: event for event in objects(orderly())}
    latency = {"synack_us": 120, "ack_us": 45, "handshake_us": 165, "syn_retrans": 1,
               "synack_retrans": 0}
    assert latency.items() <= shown["established"].items()
    end = dict(latency, handshake="established", close="orderly", first_fin="initiator",
               duration_us=1234567, bytes_toserver=77, bytes_toclient=615, pkts_toserver=6,
               pkts_toclient=4, zeek_history="ShADdFaf", completeness=31,
               conntrack_state="TIME_WAIT")
    assert end.items() <= shown["end"].items()
    assert {"timer": "time_wait", "sender": None, "hook": None}.items() <= shown["timeout"].items()


@test
def json_is_null_where_nothing_is_known():
    refused = objects(records.tour(), "handshake", "refused")[0]
    assert refused["synack_us"] is None and refused["handshake_us"] is None
    assert refused["first_fin"] is None and refused["close"] == "none"
    lost = [event for event in objects(records.tour()) if event["event"] == "lost"][0]
    equal(lost["count"], 1234)
    assert lost["src_ip"] is None and lost["flow_id"] is None and lost["phase"] is None


@test
def zeek_conn_state_and_conntrack_state():
    """Every sentence of Zeek's documentation, and what conntrack says of the same."""
    shown = set()
    for sentence, cases in vocabulary.CASES.items():
        for case in cases:
            trace = vocabulary.end(case.before, handshake=case.handshake, close=case.close,
                                   letters=case.letters, teardown=case.teardown)
            event = objects(trace)[0]
            names = event["zeek_conn_state"], event["conntrack_state"]
            assert names == (case.conn_state, case.conntrack), (sentence, case, names)
            assert sentence.startswith(case.conn_state + ": "), case
            shown |= set(names)
    with open(SCHEMA, encoding="ascii") as file:
        properties = json.load(file)["properties"]
    equal(shown, {word for key in ("zeek_conn_state", "conntrack_state")
                  for word in properties[key]["enum"]})


@test
def zeek_history():
    for letters, text in vocabulary.HISTORIES.items():
        equal(objects(vocabulary.end(letters=letters))[0]["zeek_history"], text)


@test
def completeness():
    for segments, number in vocabulary.COMPLETENESS.items():
        equal(objects(vocabulary.end(segments=segments))[0]["completeness"], number)


@test
def vocabulary_is_in_the_wide_text():
    case = dict(handshake="REFUSED", letters="Sr", segments=("SYN", "ACK", "RST"))
    words = "Zeek REJ Sr, completeness 37, conntrack CLOSE"
    trace = vocabulary.end("SYN_SENT LISTEN", **case)
    assert words in show(trace, "-w"), show(trace, "-w")
    assert "Zeek" not in show(trace)


@test
def json_survives_hostile_bytes():
    trace = Trace()
    records.handshake(trace, Flow(1, iface=b'a"\\\n\xff\x01 xxxxxxxxxx'))
    event = objects(trace)[0]
    equal(event["iface"], 'a"\\\n\xff\x01 xxxxxxxxx')
    assert "a?" not in show(trace), "the narrow text has no interface"
    assert 'a"\\????x' in show(trace, "-w"), show(trace, "-w")


@test
def any_record_is_shown_without_harm():
    """Every byte of a record may be anything, but for its size."""
    good = orderly().records()
    for step in range(1, 256, 17):
        raw = bytearray(good)
        for i in range(len(raw)):
            if i % records.EVENT.size > 2:
                raw[i] = (raw[i] + i * step) % 256
        for options in ((), ("-w",), ("-j",), ("-t", "rel"), ("--failed",)):
            code, out, err = replay(records.header() + bytes(raw), *options)
            assert code == 0, err
            if "-j" in options:
                for line in out.splitlines():
                    json.loads(line)


@test
def numbers_of_every_length():
    numbers = {10**k + more for k in range(20) for more in (-1, 0, 1)}
    numbers |= {2**32 - 1, 2**32, 100 * 2**32 + 7, 2**64 - 1}
    trace = Trace()
    for number in sorted(numbers):
        Flow(1).event(trace, "END", part=records.summary(duration=number))
    equal([event["duration_us"] for event in objects(trace)], sorted(numbers))


@test
def unknown_kinds_are_ignored():
    trace = orderly()
    trace.append(bytes([records.EVENT.size, 0, 77]) + bytes(records.EVENT.size - 3))
    equal(len(objects(trace)), 9)


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
def wrong_options():
    wrong("--frobnicate", says="frobnicate")
    wrong("-c", "0", says="-c wants a number")
    wrong("-c", "many", says='not "many"')
    wrong("-t", "noon", says='not "noon"')
    wrong("-j", "-w", says="exclude each other")
    wrong("record", says="record wants a file")
    wrong("record", "x", "-j", says="a recording holds records")
    wrong("stats", "now", says='takes no operand: "now"')
    wrong("flush", "-r", "x", says="not a recording")


@test
def help_and_version():
    code, out, err = read("--help")
    assert code == 0 and "Examples" in out and err == ""
    assert all(len(line) <= 80 for line in out.splitlines())
    code, out, err = read("--version")
    assert code == 0 and out.startswith("tcptracectl ")


@test
def count_ends_after_shown_events():
    code, out, err = replay(records.tour(), "-j", "-c", "2", "event", "end")
    equal((code, len(out.splitlines())), (0, 2))
    assert "2 events shown" in err


@test
def summary_and_quiet():
    code, out, err = replay(records.tour(), "ip")
    assert "24 events shown, 29 read, 1234 lost, 5 filtered" in err, err
    assert "0 live flows shown, 1 filtered" in err, err
    assert "handshakes: 1 established, 1 refused, 1 unreachable, 1 no_answer, 1 unseen" in err, err
    assert "closes: 1 orderly, 1 reset_by_responder" in err, err
    assert "1234 events lost, 1234 in all" in err, err
    equal(replay(records.tour(), "-q")[2], "")


@test
def loss_is_told_once_a_second():
    trace = Trace()
    for count in range(1, 100):
        trace.lost(count)
    code, out, err = replay(trace, "-j")
    assert err.count("overtook") <= 2, err
    assert "4950 lost" in err, err


@test
def truncated_recording():
    recording = orderly().recording()
    for cut in (1, 100, records.EVENT.size - 1):
        code, out, err = replay(recording[:-cut], "-j")
        equal((code, len(out.splitlines())), (1, 8))
        assert "truncated: it ends inside record 9" in err, err
    equal(replay(recording[:-records.EVENT.size], "-j")[0], 0)


@test
def recording_cut_off_anywhere():
    """At each byte, from a file and from a pipe: what is whole is shown, the rest is told."""
    trace = Trace()
    records.refused(trace, Flow(1))
    recording, head, size = trace.recording(), len(records.header()), records.EVENT.size
    for cut in range(len(recording)):
        whole, rest = divmod(max(cut - head, 0), size)
        says = ("empty" if not cut else "not a recording" if cut < head else
                f"ends inside record {whole + 1}; the records before are whole" if rest else "")
        with tempfile.NamedTemporaryFile() as file:
            file.write(recording[:cut])
            file.flush()
            for code, out, err in (read("-j", "-r", file.name), replay(recording[:cut], "-j")):
                equal((code, len(out.splitlines())), (1 if says else 0, whole))
                assert says in err, (cut, err)


@test
def damaged_recording():
    recording = bytearray(orderly().recording())
    recording[32 + 3 * records.EVENT.size] = 1
    code, out, err = replay(bytes(recording), "-j")
    equal((code, len(out.splitlines())), (1, 3))
    assert "record 4 is damaged" in err, err


@test
def garbage_is_refused():
    for data, says in ((b"", "empty"), (b"tcp", "not a recording"), (b"#" * 4096, "not a recording"),
                       (records.header(abi=9), "ABI 9"), (records.header(size=80), "80 bytes"),
                       (records.header(abi=1, size=176),
                        "recorded with ABI 1 (records of 176 bytes), this program has ABI "
                        f"{ABI['ABI']} ({records.EVENT.size} bytes)"),
                       (records.header(version=2), "format 2"),
                       (records.header(version=1 << 24), "other byte order")):
        code, out, err = replay(data)
        assert code == 1 and says in err and "EVENT" not in out, (says, err)
    code, out, err = read("-r", "/nonexistent")
    assert code == 1 and "No such file" in err


@test
def recording_of_a_recording():
    """record writes what it shows; with a filter a smaller recording."""
    trace = records.tour()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "copy")
        code, out, err = read("record", path, "-q", "-r", "-", data=trace.recording())
        equal((code, out, err), (0, "", ""))
        equal(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "rb") as file:
            equal(file.read(), trace.recording())
        read("record", path, "-r", "-", "-H", "event", "end", data=trace.recording())
        code, out, err = read("-j", "-r", path)
        equal((code, len(out.splitlines())), (0, 7))


@test
def large_recordings():
    trace = Trace()
    for number in range(1, 3001):
        records.refused(trace, Flow(number))
    equal(len(objects(trace)), 9000)
    equal(show(trace).count("10.0.0.1:43210"), 3000)
    equal([event["seq"] for event in objects(trace)], list(range(1, 9001)))


@test
def failed_record_leaves_the_old_file():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "old")
        with open(path, "wb") as file:
            file.write(b"precious")
        code, out, err = read("record", path, "--device", "/nonexistent")
        equal(code, 1)
        with open(path, "rb") as file:
            equal(file.read(), b"precious")


def shell(command, **env):
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, timeout=30,
                          env=dict(ENV, READER=READER, **env), check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def recorded(folder, trace):
    path = os.path.join(folder, "trace")
    with open(path, "wb") as file:
        file.write(trace.recording())
    return path


@test
def closed_pipe_ends_quietly():
    trace = Trace()
    for number in range(1, 3001):
        records.refused(trace, Flow(number))
    with tempfile.TemporaryDirectory() as folder:
        path = recorded(folder, trace)
        code, out, err = shell('"$READER" -j -r "$TRACE" | head -1; exit "${PIPESTATUS[0]}"',
                               TRACE=path)
    equal((code, len(out.splitlines()), err), (0, 1, ""))


@test
def full_disk_is_an_error():
    with tempfile.TemporaryDirectory() as folder:
        path = recorded(folder, records.tour())
        for command in ('"$READER" -r "$TRACE" > /dev/full', '"$READER" -h > /dev/full',
                        '"$READER" record /dev/full -r "$TRACE"'):
            code, out, err = shell(command, TRACE=path)
            equal(code, 1)
            assert "No space left on device" in err, err


@test
def no_device():
    for command in ([], ["stats"], ["flush"], ["record", "/nonexistent/file"]):
        code, out, err = read(*command, "--device", "/nonexistent")
        equal((code, out), (1, ""))
        assert "/nonexistent: the module is not loaded" in err and "insmod" in err, err
    code, out, err = read("--device", "/dev/null")
    assert code == 1 and "not the device of tcptrace" in err, err


@test
def device_errors_are_told_apart():
    for setting, says in (({"FAKE_OPEN": "2"}, "the module is not loaded"),
                          ({"FAKE_OPEN": "6"}, "the module is not loaded"),
                          ({"FAKE_OPEN": "13"}, "permission denied: run as root"),
                          ({"FAKE_DEVICE": "/dev/null", "FAKE_ABI": "7"},
                           f"the module has ABI 7, this program ABI {ABI['ABI']}")):
        code, out, err = read(program=FAKE, **setting)
        assert code == 1 and says in err, (setting, err)


@test
def flush():
    with tempfile.NamedTemporaryFile("r") as log:
        equal(read("flush", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_LOG=log.name)[0], 0)
        assert "flush\n" in log.read()
    code, out, err = read("flush", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_FLUSH="1")
    assert code == 1 and "needs CAP_NET_ADMIN" in err, err


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


class Live:
    """The reader on a FIFO that takes the place of the device."""

    def __init__(self, *args, **env):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "fifo")
        os.mkfifo(path)
        self.device = os.open(path, os.O_RDWR)
        self.reader = subprocess.Popen([FAKE, *args], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0,
                                       env=dict(ENV, FAKE_DEVICE=path, **env))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.reader.kill()
        self.reader.wait()
        self.reader.stdout.close()
        self.reader.stderr.close()
        os.close(self.device)
        self.folder.cleanup()

    def publish(self, trace):
        os.write(self.device, trace.records())

    def line(self):
        return self.reader.stdout.readline().decode()

    def end(self, *numbers):
        for number in numbers:
            self.reader.send_signal(number)
        out, err = self.reader.communicate(timeout=20)
        return self.reader.returncode, out.decode(), err.decode()


@test
def live_events_are_shown_at_once():
    with Live("-j") as live:
        for number in range(1, 4):
            trace = Trace()
            records.refused(trace, Flow(number))
            live.publish(trace)
            equal([json.loads(live.line())["flow_id"] for _ in range(3)], [number] * 3)
        code, out, err = live.end(signal.SIGINT)
        equal((code, out), (130, ""))
        assert "9 events shown, 9 read, 0 lost, 0 filtered (and 7 in the kernel)" in err, err
        assert "3 refused" in err, err


@test
def live_heading_comes_before_any_event():
    with Live() as live:
        assert live.line().startswith("TIME")
        equal(live.end(signal.SIGTERM)[0], 0)


@test
def live_takes_what_had_happened_before_the_signal():
    with Live("-j") as live:
        first = Trace()
        records.refused(first, Flow(1))
        live.publish(first)
        live.line()
        live.reader.send_signal(signal.SIGSTOP)
        live.publish(orderly())
        live.reader.send_signal(signal.SIGINT)
        code, out, err = live.end(signal.SIGCONT)
        equal((code, len(out.splitlines())), (130, 11))


@test
def live_stops_at_what_had_happened():
    """Events younger than the signal are not waited for."""
    with Live("-d", "-j", FAKE_NEXT="5") as live:
        live.publish(orderly())
        code, out, err = live.end()
        equal((code, [json.loads(line)["seq"] for line in out.splitlines()]), (0, [1, 2, 3, 4]))


@test
def live_count():
    with Live("-j", "-c", "4") as live:
        live.publish(orderly())
        code, out, err = live.end()
        equal((code, len(out.splitlines())), (0, 4))


@test
def live_closed_pipe_is_noticed_without_events():
    with Live("-j") as live:
        trace = Trace()
        records.refused(trace, Flow(1))
        live.publish(trace)
        live.line()
        live.reader.stdout.close()
        equal(live.reader.wait(timeout=10), 0)
        equal(live.reader.stderr.read(), b"")


@test
def live_new_and_dump():
    with tempfile.NamedTemporaryFile("r") as log:
        read("-N", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_LOG=log.name)
        assert f"lseek 0 {os.SEEK_END}" in log.read()
    with Live("-d") as live:
        equal(live.end()[0], 0)


@test
def live_loss_is_told_though_nothing_follows():
    with Live("-j") as live:
        for count in (1, 2):
            trace = Trace()
            trace.lost(count)
            live.publish(trace)
            live.line()
        lines = [live.reader.stderr.readline().decode() for _ in range(2)]
        assert "1 events lost, 1 in all" in lines[0] and "2 events lost, 3 in all" in lines[1], lines


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
    with open(os.path.join(USERSPACE, "tcptrace-event.schema.json"), encoding="ascii") as file:
        schema = json.load(file)
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
    with open(os.path.join(USERSPACE, "tcptrace-event.schema.json"), encoding="ascii") as file:
        schema = json.load(file)
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


@test
def record_live_then_read():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        with Live("record", path, "-c", "9") as live:
            live.publish(orderly())
            equal(live.end()[0], 0)
        now = time.time()
        shown = [json.loads(line) for line in read("-j", "-r", path)[1].splitlines()]
    equal([event["seq"] for event in shown], list(range(1, 10)))
    uptime = time.clock_gettime(time.CLOCK_MONOTONIC)
    start = time.strftime("%Y-%m-%dT%H", time.gmtime(now - uptime + 5))
    assert shown[0]["timestamp"].startswith(start[:10]), (shown[0]["timestamp"], start)


@test
def stats_without_counters_says_so():
    code, out, err = read("stats", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_NEXT="43")
    assert "produced" in out and " 42 " in out, out
    if not os.path.exists("/proc/net/stat/tcptrace"):
        assert code == 1 and "/proc/net/stat/tcptrace: No such file" in err, err
    code, out, err = read("stats", "-j", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_NEXT="43")
    equal(json.loads(out)["produced"], 42)


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, function in enumerate(TESTS, 1):
        try:
            function()
            result = "ok"
        except Exception:  # whatever it is, the others are to run
            failed += 1
            result = "not ok"
            for line in traceback.format_exc().splitlines():
                print("#", line)
        print(f"{result} {number} - {function.__name__.replace('_', ' ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
