#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All shell scripts; -x follows what they source.
. "$(dirname "$0")/lib.sh"

need shellcheck shellcheck
scripts | xargs shellcheck -x -P SCRIPTDIR -f gcc
