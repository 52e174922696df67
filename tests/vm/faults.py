#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Whatever can fail fails once: each allocation, each copy from and to the user.

Needs a kernel with fault injection, see tests/vm/debug. A child makes a call over and over
with the first site failing, then the second, and so on until none is left
(Documentation/fault-injection, "fail-nth"); each time the call fails cleanly or succeeds.
"""

import collections
import contextlib
import errno
import json
import os
import pathlib
import time

from lib import device
from lib.device import Device, live_flows
from lib.host import Host, Traffic
from lib.kernel import Kmsg, MODULE, Module, SLOW, loaded, parameter, set_parameter, stats
from lib.process import apart
from lib.system import CLONE_NEWNET, delete_module, finit_module, unshare
from lib.tap import Failure, check, main, no_reports, same, test, wait_for

DEBUG = pathlib.Path("/sys/kernel/debug")
LO_FLAGS = pathlib.Path("/sys/class/net/lo/flags")
IFF_PROMISC = 0x100
FAIL_NTH = pathlib.Path("/proc/thread-self/fail-nth")
MAKE_IT_FAIL = pathlib.Path("/proc/thread-self/make-it-fail")
SITES_MAX = 3000
WHOLE = 20	# calls one after the other that do not come as far as the next site


def arm(kind, **settings):
    for name, value in settings.items():
        (DEBUG / kind / name.replace("_", "-")).write_text(str(value))


@contextlib.contextmanager
def failing(kind, chosen, interval=1, probability=100):
    """Percent of each so many-th of a kind fail, of those that a filter of it chooses."""
    try:
        # the choice first, or it is everybody's that fail
        arm(kind, **{chosen: "Y"})
        arm(kind, interval=interval, times=-1, probability=probability)
        yield
    finally:
        arm(kind, probability=0, interval=1, **{chosen: "N"})


def until_done(call):
    """Make a call until it does not fail."""
    while True:
        with contextlib.suppress(OSError, MemoryError):
            return call()


def error_of(call, *args):
    """The name of the error that a call ends with, or "none"."""
    try:
        call(*args)
    except MemoryError:
        return "ENOMEM"
    except OSError as failed:
        return errno.errorcode.get(failed.errno, str(failed.errno))
    except BaseException as failed:
        return repr(failed)
    return "none"


def call_failing(number, call):
    """In the child: make the call, tell whether there was such a site, and the error."""
    fd = os.open(FAIL_NTH, os.O_RDWR)
    os.pwrite(fd, str(number).encode(), 0)
    error = error_of(call)
    try:
        failed = os.pread(fd, 20, 0).strip() == b"0"
        os.pwrite(fd, b"0", 0)
    except OSError:	# the site was here
        failed = False
    return f"{failed} {error}"


def trial(number, call):
    """Make the call with that site failing: (whether there was one, the error or "none")."""
    failed, _, error = apart(call_failing, number, call).partition(" ")
    return failed == "True", error


def each_site(call, allowed, after=lambda: None):
    """Fail each site of a call once; how often which error came of it.

    A call has not the same number of sites each time: one that had fewer is made again.
    """
    errors, number, whole = collections.Counter(), 1, 0
    while whole < WHOLE:
        failed, error = trial(number, call)
        after()
        if failed:
            check(error in allowed, f"site {number}: {error}")
            errors[error] += 1
            number, whole = number + 1, 0
            check(number < SITES_MAX, "no end of sites")
        else:
            same(error, "none", "without a failure")
            whole += 1
    print(f"# {sum(errors.values())} sites failed:", dict(errors))
    check(errors, "no site failed")


class File:
    """The module as a file, to load and unload it by nothing but system calls."""

    def __enter__(self):
        self.fd = os.open(MODULE, os.O_RDONLY)
        return self

    def __exit__(self, *exception):
        os.close(self.fd)

    def insmod(self):
        os.lseek(self.fd, 0, os.SEEK_SET)
        finit_module(self.fd, b"log=0 ingress=lo")


def lo_mirrored():
    return bool(int(LO_FLAGS.read_text(), 16) & IFF_PROMISC)


def lo_as_listed():
    """What the parameter says of lo is so; a worker sees to it."""
    wait_for(lambda: (parameter("ingress") == "lo") == lo_mirrored(), "lo mirrored as listed")


@test
def loading(_host):
    """insmod: it fails or not, and leaves nothing; if not, lo is mirrored as it was told"""
    def unload():
        if loaded():
            lo_as_listed()
            delete_module()

    kmsg = Kmsg()
    with File() as module:
        each_site(module.insmod, {"ENOMEM", "none", "EFAULT"}, unload)
    check(any("lo cannot be mirrored" in line for line in kmsg.lines()), "it always could be")
    check(not lo_mirrored(), "lo is promiscuous yet")


@test
def opening(_host):
    """open, and the close that follows"""
    with Module(log=0):
        each_site(lambda: os.close(os.open(device.PATH, os.O_RDONLY)),
                  {"EFAULT", "ENOMEM", "none"})


def reads(host, binary):
    with Module(log=0), Device(binary=binary) as reader:
        host.syns(10)

        def read_all():
            reader.seek(os.SEEK_SET)
            reader.read(65536)
        each_site(read_all, {"EFAULT", "ENOMEM", "none"})
        reader.seek(os.SEEK_SET)
        same(len(reader.drain() if binary else reader.drain_text()), 10, "events afterwards")


@test
def reading(host):
    """read: EFAULT, and nothing is lost"""
    reads(host, True)
    reads(host, False)


@test
def asking(host):
    """every ioctl that takes or gives something, and a snapshot to its end"""
    with Module(log=0), Device() as reader:
        host.syns(10)

        def ask():
            reader.info()
            reader.set_mode(device.CONSTANTS["MODE_BINARY"])
            reader.set_filter(port=0)
            reader.account()
            reader.snapshot()
            reader.drain()
        each_site(ask, {"EFAULT", "ENOMEM", "none"})


@test
def listing(host):
    """the proc files"""
    with Module(log=0):
        host.syns(10)
        for path in ("/proc/net/tcptrace", "/proc/net/stat/tcptrace"):
            # ENOENT is what a lookup below /proc/net makes of no memory
            each_site(pathlib.Path(path).read_text, {"EFAULT", "ENOMEM", "ENOENT", "none"})


# A new namespace, with what other parts of it make of no memory: proc_net_ns_init(),
# uevent_net_init(), fib_net_init(), the sockets and sysctls of IPv6.
OF_NAMESPACES = {"ENOMEM", "none", "EINVAL", "EEXIST", "ENODEV", "EAFNOSUPPORT", "ENFILE",
                 "ENOBUFS"}


def new_namespace():
    unshare(CLONE_NEWNET)


@test
def namespaces(_host):
    """a new network namespace"""
    with Module(log=0):
        each_site(new_namespace, OF_NAMESPACES)


@test
def parameters(_host):
    """writing parameters: what cannot be mirrored is not listed"""
    def then(text):
        lo_as_listed()
        set_parameter("ingress", text)

    with Module(log=0):
        for old, new in (("\n", "lo"), ("lo", "\n")):
            set_parameter("ingress", old)
            each_site(lambda new=new: set_parameter("ingress", new), {"EFAULT", "ENOMEM", "none"},
                      lambda old=old: then(old))


@test
def a_flow(host):
    """the first segment of a connection: it is sent all the same, and counted if not followed"""
    with Module(log=0), Device() as reader, host.raw_socket() as sock:
        def next_one():
            """The child of the next trial takes another port: a flow lingers after its END."""
            reader.flush()
            next(host.dead)

        before = stats()["no_memory"]
        # raw sockets have sites of their own, which may fail the sending
        each_site(lambda: host.syn(sock), {"ENOMEM", "ENOBUFS", "EFAULT", "none"}, next_one)
        print(f"# {stats()['no_memory'] - before} of them kept a flow from being followed")
        check(stats()["no_memory"] > before, "no flow failed")


@test
def no_flows(host):
    """one flow in ten is not to be had, in live traffic: each that fails is counted"""
    cache = pathlib.Path("/sys/kernel/slab/tcptrace_flow/failslab")
    with Module(log=0):
        if not int(cache.read_text()):
            raise Failure("the kernel was not told to let this cache fail: slub_debug=A")
        with failing("failslab", "cache_filter", interval=10):
            with Traffic(host) as traffic:
                wait_for(lambda: traffic.count > 200, "traffic")
        counted = stats()
        print(f"# {traffic.count} connections: {counted['flows_opened']} opened, "
              f"{counted['flows_picked_up']} picked up, {counted['no_memory']} times no memory")
        check(counted["no_memory"] > 5, "hardly any failed")
        check(counted["flows_opened"] + counted["flows_picked_up"] + counted["no_memory"] >=
              traffic.count, "a connection was neither followed nor counted")


def use(host, sock):
    """Traffic, whether it can be sent or not; open, ioctl and read."""
    for _ in range(20):
        with contextlib.suppress(OSError, MemoryError):
            host.syn(sock)
    with Device() as reader:
        reader.snapshot()
        reader.drain()


def repeat_failing(use, end):
    """Use it until then, in a task that fails; how often that went well, and which errors."""
    outcomes = collections.Counter()
    try:
        MAKE_IT_FAIL.write_text("1")
        while time.monotonic() < end:
            outcomes[error_of(use)] += 1
    finally:
        until_done(lambda: MAKE_IT_FAIL.write_text("0"))
    return json.dumps(outcomes)


def at_random(use, allowed, **rate):
    """Use it for a while; allocations and pages fail at that rate, and copies, of which there
    are many more, seldom. By chance, as a plain interval would meet the same sites each time.
    """
    rates = {"failslab": rate, "fail_page_alloc": rate,
             "fail_usercopy": {"interval": 10, "probability": 1}}
    with contextlib.ExitStack() as all_kinds:
        for kind, values in rates.items():
            all_kinds.enter_context(failing(kind, "task_filter", **values))
        outcomes = json.loads(apart(repeat_failing, use, time.monotonic() + 5 * SLOW))
    print(f"# uses: {outcomes}")
    check(outcomes.get("none"), "it was never used to the end")
    check(sum(outcomes.values()) > outcomes["none"], "no use failed")
    check(outcomes.keys() <= allowed, "another error")


@test
def everything(host):
    """many allocations, pages and copies of a task, for some seconds, with all in use"""
    with Module(log=0, ring_events=256), host.raw_socket() as sock:
        at_random(lambda: use(host, sock), {"EFAULT", "ENOMEM", "none"}, probability=2)
        not_followed = stats()["no_memory"]
        print(f"# {not_followed} flows not followed")
        check(not_followed, "no flow failed")
        with Device() as reader:
            reader.flush()
            account = reader.info()
            same((live_flows(), account.flows), (0, 0), "flows after a flush")


@test
def coming_and_going(_host):
    """the same with insmod, a new namespace and rmmod"""
    with File() as module:
        def come_and_go():
            module.insmod()
            try:
                new_namespace()
            finally:
                until_done(delete_module)
        at_random(come_and_go, OF_NAMESPACES | {"EFAULT"}, interval=5, probability=1)
    check(not loaded(), "the module is there yet")


@contextlib.contextmanager
def staged():
    if not FAIL_NTH.exists():
        yield (None,)
        return
    for kind in ("failslab", "fail_page_alloc"):
        arm(kind, ignore_gfp_wait="N", verbose=0)
    arm("fail_page_alloc", ignore_gfp_highmem="N", min_order=0)
    arm("fail_usercopy", verbose=0)
    with Host() as host:
        yield (host,)


if __name__ == "__main__":
    if FAIL_NTH.exists():
        main(staged(), no_reports)
    else:
        print("TAP version 14\nok 1 - faults # SKIP this kernel has no fault injection\n1..1")
