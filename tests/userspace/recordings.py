# SPDX-License-Identifier: GPL-2.0
"""Recordings: good, cut off, damaged, of others; and those that are written."""

import json
import os
import tempfile
import time

import records
from harness import ENV, equal, Live, objects, orderly, read, refused, replay, show, test
from records import ABI


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
    recording, head, size = refused(1).recording(), len(records.header()), records.EVENT.size
    # to look for what leaks takes twice as long as all else, and the decoder is the same
    no_leaks = {"ASAN_OPTIONS": ENV["ASAN_OPTIONS"] + ":detect_leaks=0"}
    for cut in range(len(recording)):
        whole, rest = divmod(max(cut - head, 0), size)
        says = ("empty" if not cut else "ends inside its header" if cut < head else
                f"ends inside record {whole + 1}; the records before are whole" if rest else "")
        with tempfile.NamedTemporaryFile() as file:
            file.write(recording[:cut])
            file.flush()
            for code, out, err in (read("-j", "-r", file.name),
                                   read("-j", "-r", "-", data=recording[:cut], **no_leaks)):
                equal((code, len(out.splitlines())), (1 if says else 0, whole))
                assert says in err, (cut, err)
    print(f"# cut off at {len(recording)} places, from a file and from a pipe")


@test
def damaged_recording():
    recording = bytearray(orderly().recording())
    recording[32 + 3 * records.EVENT.size] = 1
    code, out, err = replay(bytes(recording), "-j")
    equal((code, len(out.splitlines())), (1, 3))
    assert "record 4 is damaged" in err, err


@test
def garbage_is_refused():
    for data, says in ((b"", "empty"), (b"tcptrap", "not a recording"), (b"#" * 4096, "not a recording"),
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
    trace = refused(*range(1, 3001))
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
