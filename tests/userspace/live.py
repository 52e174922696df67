# SPDX-License-Identifier: GPL-2.0
"""A device while things happen."""

import json
import os
import signal
import tempfile

from harness import FAKE, equal, Live, orderly, read, refused, test
from records import Trace


@test
def live_events_are_shown_at_once():
    with Live("-j") as live:
        for number in range(1, 4):
            live.publish(refused(number))
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
        live.publish(refused(1))
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
        live.publish(refused(1))
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
