#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A kernel that is locked down takes the module if its owner has signed it, see tests/vm/lockdown."""

import contextlib
import os
import pathlib
import tempfile

from lib.host import Host
from lib.device import Device
from lib.kernel import MODULE, Module, REPOSITORY, attempt, run
from lib.tap import check, main, same, test

SECURITY = pathlib.Path("/sys/kernel/security")
TAINTED = pathlib.Path("/proc/sys/kernel/tainted")
UNSIGNED_MODULE = 1 << 13


def refused(module):
    """The kernel does not take it; what insmod says."""
    done = attempt("insmod", module)
    if not done.returncode:
        run("rmmod", "tcptrace")
    check(done.returncode, "it was loaded")
    return done.stderr


@test
def locked(_host, _directory):
    """the kernel is locked down, for integrity"""
    check("[integrity]" in (SECURITY / "lockdown").read_text(), "it is not")


@test
def unsigned(_host, directory):
    """a module that nobody signed is refused"""
    run("strip", "-g", "-o", directory / "unsigned.ko", MODULE)
    same(run("modinfo", "-F", "signer", directory / "unsigned.ko"), "", "signer")
    check("Key was rejected" in (said := refused(directory / "unsigned.ko")), said)


@test
def stranger(_host, directory):
    """so is one signed with a key that the kernel does not know, as make sign does it too"""
    module = directory / "stranger.ko"
    run("strip", "-g", "-o", module, MODULE)
    run(REPOSITORY / "scripts/sign", "--module", module, "--new-key", directory / "key")
    same(run("modinfo", "-F", "signer", module).strip(), "tcptrace signing key", "signer")
    check("Key was rejected" in (said := refused(module)), said)


@test
def altered(_host, directory):
    """so is one that was changed after it was signed"""
    data = bytearray(pathlib.Path(MODULE).read_bytes())
    data[len(data) // 2] ^= 1
    (directory / "altered.ko").write_bytes(data)
    check("Key was rejected" in (said := refused(directory / "altered.ko")), said)


@test
def signed(host, _directory):
    """signed with a key that the kernel trusts it works as on any kernel"""
    with Module(log=0), Device() as reader:
        host.syns(10)
        same(len(reader.drain()), 10, "events")
    same(int(TAINTED.read_text()) & UNSIGNED_MODULE, 0, "taint by an unsigned module")


@contextlib.contextmanager
def staged():
    if not os.path.ismount(SECURITY):
        run("mount", "-t", "securityfs", "securityfs", SECURITY)
    with Host() as host, tempfile.TemporaryDirectory() as directory:
        yield host, pathlib.Path(directory)


if __name__ == "__main__":
    main(staged())
