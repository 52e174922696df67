# SPDX-License-Identifier: GPL-2.0
"""Text, wide text and JSON."""

import json

import json_schema
import vocabulary
import records
from harness import equal, load_schema, objects, orderly, replay, show, test
from records import Flow, Trace


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
    properties = load_schema()["properties"]
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
