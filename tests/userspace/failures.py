# SPDX-License-Identifier: GPL-2.0
"""Pipes that close, disks that are full, devices that are none."""

import os
import subprocess
import tempfile

import records
from harness import ENV, FAKE, READER, equal, read, refused, test
from records import ABI


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
    with tempfile.TemporaryDirectory() as folder:
        path = recorded(folder, refused(*range(1, 3001)))
        code, out, err = shell('"$READER" -j -r "$TRACE" | head -1; exit "${PIPESTATUS[0]}"',
                               TRACE=path)
    equal((code, len(out.splitlines()), err), (0, 1, ""))


@test
def closed_pipe_ends_help_quietly():
    for option in ("-h", "--version"):
        readable, writable = os.pipe()
        os.close(readable)
        done = subprocess.run([READER, option], stdout=writable, stderr=subprocess.PIPE,
                              timeout=30, env=ENV, check=False)
        os.close(writable)
        equal((done.returncode, done.stderr), (0, b""))


@test
def full_disk_is_an_error():
    with tempfile.TemporaryDirectory() as folder:
        path = recorded(folder, records.tour())
        for command in ('"$READER" -r "$TRACE" > /dev/full', '"$READER" -h > /dev/full',
                        '"$READER" record /dev/full -r "$TRACE"',
                        'FAKE_DEVICE=/dev/null "$FAKE" stats > /dev/full'):
            code, out, err = shell(command, TRACE=path, FAKE=FAKE)
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
                           f"the module has ABI 7, this program ABI {ABI['ABI']}"),
                          ({"FAKE_DEVICE": "/dev/null", "FAKE_SIZE": "200"},
                           "the module has records of 200 bytes, this program of "
                           f"{records.EVENT.size}")):
        code, out, err = read(program=FAKE, **setting)
        assert code == 1 and says in err, (setting, err)
