#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module built by clang, with W=1 -Werror.  The headers package is prepared
# for gcc, so clang gets a tree of its own: the source package, configured as
# the debug kernel, so that lockdep's assertions and the KUnit tests are compiled,
# too.  The tree is cached, the key is what it is made of.  There is no vmlinux,
# so symbols of the kernel are unknown: KBUILD_MODPOST_WARN.
. "$(dirname "$0")/lib.sh"

need clang clang
need ld.lld lld
need llvm-ar llvm
need flex flex
need bison bison
need bc bc
[[ -e /usr/include/libelf.h ]] || skip "libelf.h is not there: apt-get install libelf-dev"

# shellcheck source=selftests/vm/kernel.sh
. selftests/vm/kernel.sh

# clang_prepare SOURCE BUILD: not all options of the fragment are there with clang.
clang_prepare()
{
	local source=$1 build=$2

	make -s -C "$source" O="$build" LLVM=1 tinyconfig
	"$source/scripts/kconfig/merge_config.sh" -m -O "$build" "$build/.config" \
		selftests/vm/debug.config
	make -s -C "$source" O="$build" LLVM=1 olddefconfig
	make -s -C "$source" O="$build" LLVM=1 -j "$(nproc)" modules_prepare
}

# clang_make_tree DIR SOURCE: for kernel_cached
clang_make_tree()
{
	local dir=$1 source=$2

	progress "preparing a kernel tree for clang (once, about a minute)"
	mkdir -p "$dir/root"
	clang_prepare "$source" "$dir/root" >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log"
		kernel_die "cannot prepare the kernel tree (see above)"
	} >&2
}

clang_tree()
{
	local source version

	source=$(source_tree)
	version=$(clang -dumpversion)
	kernel_cached "$kernel_cache/clang/${source##*/}-clang-$version-$(
		kernel_hash selftests/vm/debug.config)" clang_make_tree "$source"
}

tree=$(clang_tree)
module_copy "$out/clang"
build_module "$out/clang" "$tree" LLVM=1 W=1 KCFLAGS=-Werror KBUILD_MODPOST_WARN=1 \
	CATS_KUNIT=y modules
