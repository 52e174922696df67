#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Who may see and do what: nobody but root, and root of a user namespace is not root.

Each trial is a process of its own, which gives up what it has and reports by its status.
"""

import contextlib
import os
import pathlib
import re
import stat
import struct
import subprocess
import sys

from lib import device
from lib.device import Device
from lib.host import Host
from lib.kernel import (Kmsg, MODULE, Module, PARAMETERS, READER, STATS, attempt, parameter, run,
                        set_parameter)
from lib.net import new_port
from lib.process import apart
from lib.system import (CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUSER, call, delete_module, finit_module,
                        set_namespace, unshare)
from lib.tap import Skip, check, main, same, test

NOBODY = 65534
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
CAP_NET_ADMIN, CAP_SYS_MODULE = 12, 16
DENIED = {"EACCES", "EPERM"}


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def fake_root(flags=0):
    """Root of a user namespace that nobody made; it has every capability there."""
    become_nobody()
    # a process that changed its user is not its own to look at, and cannot be mapped
    call("prctl", 4, 1)
    unshare(CLONE_NEWUSER | flags)
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {NOBODY} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {NOBODY} 1")
    same((os.getuid(), os.geteuid()), (0, 0), "user in the namespace")


def keep(*capabilities):
    """Give up all others; the user stays 0."""
    kept = sum(1 << capability for capability in capabilities)
    call("capset", struct.pack("II", 0x20080522, 0), struct.pack("6I", kept, kept, 0, 0, 0, 0))


def error_of(function, *args):
    """The name of the error, or "none"."""
    return device.errno_of(function, *args) or "none"


def open_all():
    """What each way to what the module knows answers."""
    return {
        "device": error_of(os.open, device.PATH, os.O_RDONLY),
        "device, writing": error_of(os.open, device.PATH, os.O_RDWR),
        "flows": error_of(os.open, "/proc/self/net/tcptrace", os.O_RDONLY),
        "flows of the first namespace": error_of(os.open, "/proc/1/net/tcptrace", os.O_RDONLY),
        "counters": error_of(os.open, STATS, os.O_RDONLY),
        "parameter": error_of(set_parameter, "max_flows", "1000"),
        "mirror": error_of(set_parameter, "ingress", "lo"),
        "unload": error_of(delete_module),
    }


def all_denied(answers, *allowed):
    for what, answer in answers.items():
        if what not in allowed:
            check(answer in DENIED, f"{what}: {answer}")
    return answers


@test
def nobody(_host):
    """an unprivileged user: EACCES or EPERM, whatever he tries"""
    def trial():
        become_nobody()
        return all_denied(open_all())
    print("#", apart(trial))


@test
def root_of_a_user_namespace(_host):
    """root of a user namespace: the same"""
    def trial():
        fake_root()
        return all_denied(open_all())
    print("#", apart(trial))


@test
def root_without_capabilities(host):
    """root without a capability may read, as the mode says, but not flush, mirror or unload"""
    def trial():
        keep()
        with Device() as reader:
            return (error_of(reader.flush), error_of(set_parameter, "ingress", "lo"),
                    error_of(delete_module))
    host.refused(new_port())
    same(apart(trial), str(("EPERM",) * 3), "flush, mirror, rmmod")
    same(parameter("ingress"), "", "mirrored")


@test
def root_with_one(_host):
    """root that may administer the network may mirror; that may insert modules, only with them"""
    def mirror(capability):
        keep(capability)
        return error_of(set_parameter, "ingress", "lo")

    def insert():
        with open(MODULE, "rb") as file:
            keep(CAP_SYS_MODULE)
            delete_module()
            finit_module(file.fileno(), b"log=2 ingress=lo")

    same([apart(mirror, CAP_SYS_MODULE), parameter("ingress")], ["EPERM", ""], "module")
    same([apart(mirror, CAP_NET_ADMIN), parameter("ingress")], ["none", "lo"], "network")
    set_parameter("ingress", "\n")
    apart(insert)
    same(parameter("ingress"), "lo", "inserted with")
    set_parameter("ingress", "\n")


@test
def inherited(host):
    """an open device that was handed down: it reads, but a flush needs CAP_NET_ADMIN"""
    host.refused(new_port())
    with Device() as reader:
        def trial():
            fake_root()
            return error_of(reader.flush), len(reader.drain()) > 0
        same(apart(trial), str(("EPERM", True)), "flush, read")


@test
def bind_mounted(_host):
    """the device bind-mounted into a container of fake root: still denied"""
    def trial():
        fake_root(CLONE_NEWNS)
        call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        call("mount", b"tmpfs", b"/mnt", b"tmpfs", 0, None)
        os.close(os.open("/mnt/tcptrace", os.O_CREAT | os.O_WRONLY))
        call("mount", device.PATH.encode(), b"/mnt/tcptrace", None, MS_BIND, None)
        check(stat.S_ISCHR(os.stat("/mnt/tcptrace").st_mode), "it is the device")
        made = error_of(os.mknod, "/mnt/made", stat.S_IFCHR | 0o666, os.stat(device.PATH).st_rdev)
        return made, error_of(os.open, "/mnt/tcptrace", os.O_RDONLY)
    made, opened = eval(apart(trial))
    check(made in DENIED, f"mknod: {made}")
    check(opened in DENIED, f"open: {opened}")


@test
def own_namespace(_host):
    """fake root of a network namespace of his own: denied there, too"""
    def trial():
        fake_root(CLONE_NEWNET)
        return all_denied(open_all())
    print("#", apart(trial))


@test
def joined(host):
    """who may enter another's network namespace sees its flows; who may not does not"""
    def trial():
        fd = os.open("/run/netns/host", os.O_RDONLY)
        fake_root()
        return error_of(set_namespace, fd)

    def trial_of_root():
        set_namespace(os.open("/run/netns/host", os.O_RDONLY))
        return f":{port} " in pathlib.Path("/proc/thread-self/net/tcptrace").read_text()

    port, = host.syns(1)
    check(apart(trial) in DENIED, "setns into a namespace of root")
    same(apart(trial_of_root), str(True), "root sees the flow there")


@test
def modes(_host):
    """modes and owners are those of the README"""
    wanted = {device.PATH: 0o600, "/proc/net/tcptrace": 0o440, str(STATS): 0o440}
    for path, mode in wanted.items():
        found = os.stat(path)
        same((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid), (mode, 0, 0), path)


@test
def no_pointers(host):
    """no address of the kernel in anything that it tells"""
    kmsg = Kmsg()
    for _ in range(5):
        host.reset(new_port())
        host.refused(new_port())
    with Device(binary=False) as reader:
        texts = {"device": "\n".join(reader.drain_text())}
    with Device() as reader:
        texts["snapshot"] = ""
        events = reader.drain()
        reader.snapshot()
        events += reader.drain()
        check(len(events) > 30, f"only {len(events)} records")
        for event in events:
            raw = bytes(event)
            for at in range(0, len(raw), 8):
                value = int.from_bytes(raw[at:at + 8], sys.byteorder)
                check(not 0xffff800000000000 <= value < 0xfffffffffffff000,
                      f"a pointer in a record: {value:x}")
    texts["dmesg"] = "\n".join(kmsg.lines())
    for path in ("/proc/net/tcptrace", STATS, *PARAMETERS.iterdir()):
        texts[str(path)] = pathlib.Path(path).read_text()
    texts["tcptracectl"] = run(READER, "-d", "-j") + run(READER, "stats")
    for name, text in texts.items():
        found = re.findall(r"(?i)\b(?:0x)?ffff[89a-f][0-9a-f]{11}\b", text)
        check(not found, f"{name}: {found}")


@test
def reader_says_so(_host):
    """tcptracectl of an unprivileged user says what he needs"""
    done = subprocess.run([READER, "-d"], capture_output=True, text=True, check=False,
                          user=NOBODY, group=NOBODY, extra_groups=[])
    same((done.returncode, "permission denied: run as root" in done.stderr), (1, True),
         "status, message", done.stderr.splitlines())


@test
def signed(_host):
    """a signed module carries its signature, and is the same module otherwise"""
    if os.uname().machine != "x86_64":
        raise Skip("the sign-file there is one for the machine that builds")
    sign = pathlib.Path(__file__).resolve().parents[2] / "scripts/sign"
    work = pathlib.Path("/tmp/sign")
    work.mkdir()
    module = work / "tcptrace.ko"
    module.write_bytes(pathlib.Path(os.environ["TCPTRACE_MODULE"]).read_bytes())
    done = attempt(sign, "--module", module, "--new-key", work / "key")
    same(done.returncode, 0, "status", [done.stdout, done.stderr])
    same(run("modinfo", "-F", "signer", module).strip(), "tcptrace signing key", "signer")
    done = attempt(sign, "--module", module, "--key", work / "no.priv", "--cert", work / "no.der")
    check(done.returncode == 1 and "no.priv" in done.stderr, "a key that is not there",
          [done.stderr])


@contextlib.contextmanager
def staged():
    with Host() as host, Module(log=2):
        yield (host,)


if __name__ == "__main__":
    main(staged())
