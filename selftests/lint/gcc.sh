#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module built by gcc, for the kernel that the tests use, with the extra
# warnings of W=1, each an error.
. "$(dirname "$0")/lib.sh"

need gcc gcc
tree=$(kernel_build_tree)
module_copy "$out/gcc"
build_module "$out/gcc" "$tree" W=1 KCFLAGS=-Werror modules
