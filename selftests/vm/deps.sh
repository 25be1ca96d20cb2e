#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install what a task needs, saying first what and why.
#
# Usage: deps.sh GROUP...
#   build	compile the module and the tools
#   tools	compile catsctl
#   vm		run tests in the virtual machine
#   demo	draw the figures
#   check	what the tests need beside build and vm
#   debug	build the debug kernel
#   lint	the static checks
#
# Silent when nothing is missing.

set -euo pipefail

# Package and reason, one per line.  Used by name, see wanted().
# shellcheck disable=SC2034
{
group_build='gcc	compiles the module and the tools
make	drives the build
libc6-dev	headers and start files for the tools
linux-headers-amd64	the kernel that the module is built against'

group_tools='libmnl-dev	netlink messages of catsctl'

group_vm='qemu-system-x86	the virtual machine that tests run in
busybox-static	the programs in the virtual machine
cpio	packs the root file system of the virtual machine
iproute2	ip and tc, which set up the networks of the tests
kmod	finds what the kernel modules of the tests depend on
xz-utils	unpacks the kernel'

group_demo='gnuplot-nox	draws the figures'

group_check='bsdextrautils	column, which aligns tables
g++	compiles the uapi header as C++
python3	reads the JSON of catsctl
clang	libFuzzer, for the Conductor'

group_debug='flex	builds the configuration tool of the kernel
bison	likewise
bc	computes constants of the kernel
libelf-dev	objtool, which checks what the compiler made
patch	applies our patches of the debug kernel'

group_lint='git	lists the files to check
perl	runs checkpatch and kernel-doc
sparse	checks address spaces and locks
coccinelle	runs the semantic patches of the kernel
shellcheck	checks the scripts
codespell	finds misspelled words
mandoc	checks the manual page
clang	the second compiler
lld	links for it
llvm	its binary tools
flex	configures the kernel tree for clang
bison	likewise
bc	likewise
libelf-dev	objtool in that tree'
}

usage()
{
	sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# The wanted packages with their reasons, on stdout.
wanted()
{
	local group list

	for group in "$@"; do
		list=group_$group
		[[ -n ${!list:-} ]] || return
		echo "${!list}"
	done
}

# Those lines of stdin whose package is not installed.
only_missing()
{
	local package reason installed

	# Complains about every package it does not know.
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
		2>/dev/null) || :
	while IFS=$'\t' read -r package reason; do
		grep -qx "installed $package" <<<"$installed" ||
			printf '%s\t%s\n' "$package" "$reason"
	done
}

# Sets as_root to what makes a command run as root.
find_root()
{
	as_root=()
	[[ $(id -u) -ne 0 ]] || return 0
	if command -v sudo >/dev/null; then
		# Without a terminal nobody can type a password.
		if sudo -n true 2>/dev/null || [[ -t 0 ]]; then
			as_root=(sudo)
			return 0
		fi
	fi
	return 1
}

have_lists()
{
	compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

install_packages()
{
	local -a install=(env DEBIAN_FRONTEND=noninteractive
		apt-get install -y --no-install-recommends "$@")

	if have_lists && "${as_root[@]}" "${install[@]}"; then
		return
	fi
	# The lists may name versions that the archive has dropped.
	"${as_root[@]}" apt-get update
	"${as_root[@]}" "${install[@]}"
}

main()
{
	local list missing
	local -a packages

	[[ $# -gt 0 ]] || usage
	list=$(wanted "$@") || usage
	missing=$(sort -u <<<"$list" | only_missing)
	[[ -n $missing ]] || exit 0

	mapfile -t packages < <(cut -f 1 <<<"$missing")
	echo "These packages are needed:"
	sed 's/^/  /; s/\t/ - /' <<<"$missing"
	find_root || {
		echo "Installing them takes root. Please run:" >&2
		echo "  apt-get install --no-install-recommends ${packages[*]}" >&2
		exit 1
	}
	install_packages "${packages[@]}"
}

main "$@"
