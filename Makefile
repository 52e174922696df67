# SPDX-License-Identifier: GPL-2.0

# The kernel to build for: the running one, as for a machine of one's own to load the
# module on.  What runs in the test VM is built for the kernel of the VM.
KVER	?= $(shell uname -r)
KDIR	?= $(firstword $(wildcard /lib/modules/$(KVER)/build) $(VM_KDIR))
VM_KDIR	= /usr/src/linux-headers-$(shell scripts/kver)

## make             build tcptrace.ko for the running kernel, and userspace/tcptracectl
all: module reader

module: setup-build
	@[ -e /lib/modules/$(KVER)/build ] || \
		echo "No headers for $(KVER): building for $(notdir $(KDIR)) instead."
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 modules

reader: setup-build
	$(MAKE) -C userspace

## make sign        sign the module with a key of yours: KEY=key.priv CERT=key.der
sign:
	scripts/sign --module tcptrace.ko $(if $(KEY),--key $(KEY)) $(if $(CERT),--cert $(CERT))

## make load        insert the module on this machine (unload takes it out again)
load: all
	insmod tcptrace.ko $(PARAMETERS)

unload:
	rmmod tcptrace

## make demo        a narrated tour on real traffic, in a VM
demo: vm-build
	scripts/vm -- scripts/demo

## make test        everything that CI runs; ends with "N passed, N failed"
test: vm-build
	@scripts/tap \
		"$(MAKE) -s test-host" \
		"tests/vm/run" \
		"scripts/ok 'the demo shows what it promises' scripts/vm -- scripts/demo"

test-host:
	@scripts/tap -j \
		"scripts/ok 'the checks of make check' $(MAKE) -s check" \
		"$(MAKE) -s -C tests/unit test" \
		"$(MAKE) -s -C userspace test" \
		"$(MAKE) -s -C tests/fuzz test"

## make check       sparse, coccicheck, gcc -fanalyzer, clang-tidy, cppcheck, checkpatch, shellcheck
CHECKS = check-analyze check-coccicheck check-sparse check-checkpatch check-shell check-layering \
	 check-format
check: setup
	$(MAKE) -s -O -j$$(nproc) $(CHECKS)

check-shell:
	scripts/sources shell | xargs shellcheck -x
	@echo "shellcheck: $$(scripts/sources shell | wc -l) scripts, no report"

check-sparse:
	+scripts/sparse $(VM_KDIR)
	@echo "sparse, W=1: no warning"

check-%:
	scripts/$*
	@echo "$*: no report"

## make test-debug  the VM suites on a kernel with KASAN, lockdep, kmemleak and failing
##                  allocations, then on one with KCSAN; builds both, for a start
test-debug: vm-build
	scripts/setup debug
	@scripts/tap "tests/vm/debug kasan" "tests/vm/debug kcsan"

## make test-kernels  build for, and run the VM suites on, Debian's 5.10, 6.1-rt, 6.12 and 7.2, on
##                  i386 and arm64; the pure parts' tests as 32-bit and as big-endian programs
test-kernels: vm-build
	scripts/setup kernels
	@scripts/tap \
		"tests/vm/kernels 5.10" "tests/vm/kernels 6.1-rt" \
		"tests/vm/kernels 6.12" "tests/vm/kernels 7.2" \
		"tests/vm/kernels i386" "tests/vm/kernels arm64" \
		"tests/unit/foreign i386" "tests/unit/foreign arm64" "tests/unit/foreign s390x"

## make test-lockdown  the VM suites under Secure Boot, with a signed module
test-lockdown: vm-build
	scripts/setup lockdown
	@scripts/tap "tests/vm/lockdown"

## make test-long   10,000,000 mutated packets, 8,000,000 calls, 1,000 loads and unloads; then
##                  1,000,000 packets on the kernel with KASAN
test-long: vm-build
	scripts/setup debug
	@scripts/tap \
		"TCPTRACE_LIMIT=7200 TCPTRACE_PACKETS=10000000 TCPTRACE_CALLS=1000000 TCPTRACE_CYCLES=1000 \
			tests/vm/run --in-turns --timeout 14400 hostile endurance" \
		"TCPTRACE_PACKETS=1000000 tests/vm/debug kasan hostile"

## make agreement   the states of 20,000 connections beside the kernel's own, in a VM
agreement: vm-build
	@scripts/tap "scripts/vm --timeout 3600 -- python3 -B tests/vm/agreement.py 10000"

## make bench       the cost in instructions beside that of other tools, in a VM
bench: vm-build
	$(MAKE) -s -C tests/bench KDIR=$(VM_KDIR)
	tests/bench/all

## make profile     where the instructions of tcptrace go, by function
profile: vm-build
	$(MAKE) -s -C tests/bench KDIR=$(VM_KDIR)
	scripts/vm --icount --timeout 900 -- tests/bench/profile

## make fuzz        libFuzzer on the parsers, SECONDS=60 for each of four targets
fuzz: setup
	scripts/setup fuzz
	$(MAKE) -s -C tests/fuzz fuzz

## make coverage    branches of the pure parts that the unit tests and fuzz corpora reach
coverage: setup
	$(MAKE) -s -C tests/unit coverage

## make compile_commands.json    for editors
compile_commands.json: all
	scripts/compile-commands

## make clean
clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tests/bench KDIR=$(KDIR) clean
	$(MAKE) -C tests/fuzz clean
	$(MAKE) -C tests/unit clean
	$(MAKE) -C tests/vm/traffic clean
	$(MAKE) -C userspace clean
	rm -f compile_commands.json

help:
	@sed -n 's/^## //p' Makefile

# Tools and headers that are missing get installed; no kernel, no service.
setup:
	scripts/setup

setup-build:
	scripts/setup build

vm-build: setup
	$(MAKE) KVER="$$(scripts/kver)" KDIR=$(VM_KDIR) all
	$(MAKE) -s -C tests/vm/traffic

.PHONY: all module reader sign load unload demo test test-host test-debug test-kernels test-long check agreement bench profile fuzz coverage clean help
.PHONY: setup setup-build vm-build compile_commands.json
