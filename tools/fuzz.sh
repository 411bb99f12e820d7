#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for so many seconds. What it finds new stays in build-fuzz/corpus/; a crash is
# written to build-fuzz/crash-*: it belongs into fuzz/corpus/<target>/ and into a unit test's table.
# FUZZ_SEED (default: another each time) makes a run repeatable.
# Usage: fuzz.sh SECONDS [TARGET...]. Ends with "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz.sh SECONDS [TARGET...]}
shift
build=build-fuzz
if [ ! -f $build/build.ninja ]; then
	CC=${FUZZ_CC:-clang} meson setup $build -Dfuzz=true -Dtests=false -Dbench=false \
		-Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
		-Dc_args=-fsanitize=fuzzer-no-link >$build.log 2>&1 || { cat $build.log >&2; exit 1; }
	rm -f $build.log
fi
ninja -C $build >$build/ninja.log 2>&1 || { cat $build/ninja.log >&2; exit 1; }
[ $# -gt 0 ] || set -- $(ls fuzz/fuzz_*.c | sed -e "s,fuzz/fuzz_,," -e "s,\.c\$,,")
passed=0
failed=0
for target in "$@"; do
	mkdir -p "$build/corpus/$target"
	if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=2048 \
		-max_len=65536 -verbosity=0 -print_final_stats=1 -artifact_prefix="$build/crash-$target-" \
		"$build/corpus/$target" "fuzz/corpus/$target" >"$build/$target.log" 2>&1; then
		passed=$((passed + 1))
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$build/$target.log")
		echo "fuzz $target: $seconds s, $runs runs, no finding"
	else
		failed=$((failed + 1))
		echo "fuzz $target: FOUND something:" >&2
		tail -n 40 "$build/$target.log" >&2
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
