# SPDX-License-Identifier: GPL-2.0
"""What the tests of tcptracectl share: the reader on a recording, on a device that
fake_device.c makes up, and their TAP.
"""

import json
import os
import subprocess
import tempfile
import traceback

import records
from records import Flow, Trace

USERSPACE = os.path.join(records.HERE, "../../userspace")
READER = os.path.join(USERSPACE, "build/asan/tcptracectl")
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


def orderly():
    trace = Trace()
    flow = Flow(1)
    records.handshake(trace, flow)
    records.teardown(trace, flow)
    return trace


def refused(*numbers):
    """Connections that were refused, three events each."""
    trace = Trace()
    for number in numbers:
        records.refused(trace, Flow(number))
    return trace


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


def main():
    """Run them all; the status."""
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
