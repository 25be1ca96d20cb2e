#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel-doc comments of the module and the uapi header: well-formed, and
# they describe what is there.
. "$(dirname "$0")/lib.sh"

need perl perl
kernel_doc=$(source_tree)/scripts/kernel-doc
files 'module/*.c' 'module/*.h' 'uapi/*.h' | xargs "$kernel_doc" -none -Werror
