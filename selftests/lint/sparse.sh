#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sparse over the module: address spaces, byte order, locks that are taken and
# released on every path.  The socket lock has no context that sparse could
# follow, as both kinds of holders call the same functions: cats_sock_held()
# checks that one at run time.
. "$(dirname "$0")/lib.sh"

need sparse sparse
tree=$(kernel_build_tree)
module_copy "$out/sparse"
build_module "$out/sparse" "$tree" C=2 CHECK=sparse CF="-Wcontext -Wsparse-error" modules
