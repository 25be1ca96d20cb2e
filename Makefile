# SPDX-License-Identifier: GPL-2.0
#
#	make demo	build, boot a VM, show what CATS does	(README's first command)
#	make check	all tests				(README's second)
#	make module	cats.ko for the kernel that the tests use
#	make help	the rest

KVER	?= $(shell selftests/vm/kernel.sh version)
KDIR	?= /lib/modules/$(KVER)/build
STRICT	?= 0
MINUTES	?= 30
LOCAL	:= $(INSTALL_MOD_PATH)/usr/local

all: module

help:
	@echo "make demo            build, boot a VM, show what CATS does"
	@echo "make check           run all tests; ONLY=\"JOB...\" for some, STRICT=1: no skips"
	@echo "make lint            the static checks among them"
	@echo "make soak            run the operation fuzzer for MINUTES=$(MINUTES)"
	@echo "make module          build cats.ko; KDIR=DIR or KVER=RELEASE to choose the kernel"
	@echo "make tools           build catsctl, which shows what CATS does, in out/tools"
	@echo "make install         install module, tools, manuals; INSTALL_MOD_PATH=DIR: elsewhere"
	@echo "make shell           a shell in the VM, with cats.ko in /lib/cats"
	@echo "make feeder-bench    compare the two ways of feeding TCP"
	@echo "make idle-bench      measure the memory of idle sockets, with CATS and without"
	@echo "make docs            write measured figures into README.md and Documentation"
	@echo "make clean           remove what was built"

module:
	@selftests/vm/deps.sh build
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	@selftests/vm/deps.sh build tools
	$(MAKE) -s -C tools/catsctl OUT=$(CURDIR)/out/tools

# Programs of bpftrace, each started by the same script.
TRACERS	:= catslat catspick catsinv catsdebt catsnoop

install: module tools
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	install -D -m 644 Documentation/man/cats.7 $(LOCAL)/share/man/man7/cats.7
	install -D -m 644 -t $(LOCAL)/share/man/man8 Documentation/man/*.8
	install -D -m 755 out/tools/catsctl $(LOCAL)/sbin/catsctl
	install -D -m 644 tools/catsctl/completion.bash \
		$(LOCAL)/share/bash-completion/completions/catsctl
	install -D -m 644 -t $(LOCAL)/share/cats \
		$(TRACERS:%=tools/bpftrace/%.bt) $(TRACERS:%=tools/bpftrace/%_example.txt)
	for tool in $(TRACERS); do \
		install -D tools/bpftrace/cats-trace $(LOCAL)/sbin/$$tool; \
	done

demo:
	@tools/demo/run.sh

check:
	@STRICT=$(STRICT) selftests/run.sh $(ONLY)

lint:
	@selftests/vm/deps.sh build lint
	@selftests/lint/run.sh

soak:
	@selftests/vm/deps.sh build vm debug
	@selftests/fuzz/soak.sh $(MINUTES)

shell: module
	selftests/vm/deps.sh vm
	selftests/vm/run --ko cats.ko --shell

feeder-bench:
	@selftests/bench/run.sh

idle-bench:
	@selftests/bench/idle-sockets.sh

docs:
	@tools/docs/update.sh

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf out

.PHONY: all help module tools install demo check lint soak shell feeder-bench idle-bench docs clean
