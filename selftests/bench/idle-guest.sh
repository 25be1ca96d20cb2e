#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM, for idle-sockets.sh.
set -eu

insmod /lib/cats/cats.ko
printf 'sockets\ttcp_bytes\tcats_bytes\tcats_slab_bytes\n' >/out/idle-sockets.tsv
idle_sockets "$1" >>/out/idle-sockets.tsv
