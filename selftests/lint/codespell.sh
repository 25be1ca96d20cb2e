#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Common misspellings, in code and text.  Not ours: the licence, patches to the
# kernel, pictures.
. "$(dirname "$0")/lib.sh"

need codespell codespell
files ':!COPYING' ':!*.patch' ':!*.svg' | xargs codespell
