#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that can be said of the sources without running them. Usage: lint.sh [BUILD]
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
build=${1:-build}
passed=0
failed=0

check() { # check NAME COMMAND...: a quiet command passes, one that fails is shown
	name=$1
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "lint $name: clean"
	else
		failed=$((failed + 1))
		printf 'lint %s:\n%s\n' "$name" "$out" >&2
	fi
}

sources() {
	git ls-files --cached --others --exclude-standard "$@"
}

clang_format() {
	sources '*.c' '*.h' | xargs clang-format --dry-run --Werror
}

# What it found in some files, at once: several run side by side.
tidy='
	found=$(clang-tidy -p "$0" --quiet --extra-arg=-Wno-unknown-warning-option "$@" 2>&1 |
		grep -v -E "^[0-9]+ warnings? |^Suppressed |^Use -header-filter|^$")
	[ -z "$found" ] || printf "%s\n" "$found"
'

clang_tidy() {
	ninja -C "$build" >/dev/null || return 1
	sources 'src/*.c' 'bench/*.c' | xargs -P "$(nproc)" -n 4 sh -c "$tidy" "$build" | {
		! grep . # any line left is a finding
	}
}

sizes() {
	sources '*.c' '*.h' '*.py' '*.sh' | xargs wc -l |
		awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines, 600 are the limit"; n++ } END { exit n > 0 }'
}

man_pages() {
	mandoc -T lint -W warning man/*.[1-8]
}

licences() {
	! sources '*.c' '*.h' '*.py' '*.sh' | xargs grep -L 'SPDX-License-Identifier: Apache-2.0' | grep .
}

headers_alone() {
	for header in $(sources 'src/*.h' 'include/*.h' | grep -v oid_list.h); do
		# shellcheck disable=SC2046 # flags
		${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Isrc -Iinclude \
			$(pkg-config --cflags p11-kit-1) -include "$header" -x c /dev/null ||
			return 1
	done
}

check clang-format clang_format
check dependencies tools/check_deps.py
check conformance tools/check_conformance.py
check sizes sizes
check licences licences
check headers headers_alone
[ -n "$(sources 'man/*')" ] && check man man_pages
check clang-tidy clang_tidy
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
