#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: rows of /out/rows.tsv, see starve.sh.  "strict" would never end: as
# many bytes of urgency 0 as ten bounds of "bounded" are enough.
set -eu

insmod /lib/cats/cats.ko
ip link set lo up
for conductor in bounded debt debt-paper; do
	starve "$conductor" 2000000000
done >/out/rows.tsv
starve strict 20000000 >>/out/rows.tsv
