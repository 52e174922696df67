# SPDX-License-Identifier: GPL-2.0
"""The command line, and what is said at the end."""

import json
import os
import tempfile

import records
from harness import FAKE, equal, read, replay, test, wrong
from records import Trace


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
def flush():
    with tempfile.NamedTemporaryFile("r") as log:
        equal(read("flush", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_LOG=log.name)[0], 0)
        assert "flush\n" in log.read()
    code, out, err = read("flush", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_FLUSH="1")
    assert code == 1 and "needs CAP_NET_ADMIN" in err, err


@test
def stats_without_counters_says_so():
    code, out, err = read("stats", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_NEXT="43")
    assert "produced" in out and " 42 " in out, out
    if not os.path.exists("/proc/net/stat/tcptrace"):
        assert code == 1 and "/proc/net/stat/tcptrace: No such file" in err, err
    code, out, err = read("stats", "-j", program=FAKE, FAKE_DEVICE="/dev/null", FAKE_NEXT="43")
    equal(json.loads(out)["produced"], 42)
