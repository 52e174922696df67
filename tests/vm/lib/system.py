# SPDX-License-Identifier: GPL-2.0
"""System calls that Python has no function for; they raise OSError."""

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
# What libc has no function for either, by its number on this machine
DELETE_MODULE, FINIT_MODULE = {
    "x86_64": (176, 313), "i686": (129, 350)}.get(os.uname().machine, (106, 273))

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *args, what=None):
    """what: its name in an error, if it is another one"""
    value = libc[name](*args)
    if value < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what or name}: {os.strerror(error)}")
    return value


def finit_module(fd, settings):
    call("syscall", FINIT_MODULE, fd, settings, 0, what="finit_module")


def delete_module():
    """rmmod without a program; EAGAIN where the module is in use."""
    call("syscall", DELETE_MODULE, b"tcptrace", os.O_NONBLOCK, what="delete_module")


def unshare(flags):
    call("unshare", flags)


def set_namespace(fd):
    """Move this thread."""
    call("setns", fd, 0)
