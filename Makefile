# SPDX-License-Identifier: GPL-2.0
# make help tells what there is.

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build

help:
	@sed -n 's/^## //p' Makefile
