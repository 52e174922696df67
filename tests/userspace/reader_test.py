#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The tests of tcptracectl on invented recordings and an invented device.  TAP.

They need "make -C userspace asan": the reader with ASan and UBSan, and the same
with a device that fake_device.c makes up.
"""
import sys

sys.dont_write_bytecode = True

import harness
# each adds its tests
import formats, filters, commands, recordings, failures, live, flows

if __name__ == "__main__":
    sys.exit(harness.main())
