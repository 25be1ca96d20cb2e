# SPDX-License-Identifier: GPL-2.0
#
#	make demo	build, boot a VM, show what CATS does	(README's first command)
#	make check	all tests				(README's second)
#	make module	cats.ko for the kernel that the tests use
#	make help	the rest

KVER	?= $(shell selftests/vm/kernel.sh version)
KDIR	?= /lib/modules/$(KVER)/build

all: module

help:
	@echo "make demo            build, boot a VM, show what CATS does"
	@echo "make check           run all tests"
	@echo "make module          build cats.ko; KDIR=DIR or KVER=RELEASE to choose the kernel"
	@echo "make install         install the module (root); INSTALL_MOD_PATH=DIR for elsewhere"
	@echo "make shell           a shell in the VM, with cats.ko in /lib/cats"
	@echo "make feeder-bench    compare the two ways of feeding TCP"
	@echo "make docs            write measured figures into README.md and Documentation"
	@echo "make clean           remove what was built"

module:
	@selftests/vm/deps.sh build
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

install: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

demo:
	@tools/demo/run.sh

check:
	@selftests/run.sh

shell: module
	selftests/vm/deps.sh vm
	selftests/vm/run --ko cats.ko --shell

feeder-bench:
	@selftests/bench/run.sh

docs:
	@tools/docs/update.sh

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf out

.PHONY: all help module install demo check shell feeder-bench docs clean
