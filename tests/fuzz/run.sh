#!/usr/bin/env bash
# Runs the fuzz targets for so many seconds each, the seeds first: `run.sh SECONDS [TARGET…]`, by default all of them.
# Needs `cargo install cargo-fuzz` and a C++ compiler. What is found lies in `artifacts/`; a new case belongs into `seeds/`.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?how many seconds for each target?}
shift
targets=("$@")
[ $# -gt 0 ] || targets=(manifest values component policy mcp)

# Coverage is instrumented, addresses are not: without `unsafe` in what is fuzzed, panics and hangs are what there is to
# find, and the compiler need not be a nightly one.
export RUSTC_BOOTSTRAP=1

for target in "${targets[@]}"; do
    case $target in
    manifest) features=() ;;
    values | component) features=(--features sandbox) ;;
    *) features=(--features sandbox,host) ;;
    esac
    mkdir -p "corpus/$target"
    cargo fuzz run --fuzz-dir . --sanitizer none "${features[@]}" "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1
done
