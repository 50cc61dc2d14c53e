#!/usr/bin/env bash
# Builds the standard pack and the fixtures, the same bytes on every machine with the same rustc.
#
#   build.sh            into dist/ (commit the result)
#   build.sh FOLDER     into FOLDER
#   build.sh --check    into a temporary folder; fails when a byte differs from dist/
#
# Paths of this machine would end up in panic messages and in the hashes of symbols, so all three
# roots they can start with are mapped to fixed names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly TARGET=wasm32-wasip2
readonly TOOLS=(calculator units datetime weather search text_summary image_transform matrix)
readonly FIXTURES=(noop hostile typed program fetch service)

install_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ] && return
    if ! rustup target add "$TARGET"; then
        echo "error: rustc has no target \`$TARGET\`" >&2
        echo "hint: \`rustup target add $TARGET\` installs it; without rustup, install the distribution's package" >&2
        exit 1
    fi
}

build() { # FOLDER
    local out=$1 root tool built=$PWD/target/dist
    root=$(cd .. && pwd)
    export CARGO_TARGET_DIR=$built CARGO_INCREMENTAL=0
    export RUSTFLAGS="-C target-feature=+simd128 --remap-path-prefix=$root=/tomas \
--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$(rustc --print sysroot)=/rust"
    mkdir -p "$out/fixtures"
    # One by one: built together, cargo would give a library the features that any of the tools wants,
    # and one tool's bytes would depend on the others.
    for tool in "${TOOLS[@]}" "${FIXTURES[@]}"; do
        cargo build --quiet --release --locked --target "$TARGET" -p "$tool"
    done
    for tool in "${TOOLS[@]}"; do cp "$built/$TARGET/release/$tool.wasm" "$out/$tool.wasm"; done
    for tool in "${FIXTURES[@]}"; do cp "$built/$TARGET/release/$tool.wasm" "$out/fixtures/$tool.wasm"; done
    rustc --version > "$out/rustc.txt"
}

check() {
    local fresh failed=0 file
    fresh=$(mktemp -d)
    trap "rm -rf '$fresh'" EXIT # expanded now: the variable is gone by then
    build "$fresh"
    for file in $({ find "$fresh" -name '*.wasm' -printf '%P\n'; find dist -name '*.wasm' -printf '%P\n'; } | sort -u); do
        cmp -s "$fresh/$file" "dist/$file" && continue
        echo "error: dist/$file is not what its source builds" >&2
        failed=1
    done
    if [ "$failed" = 1 ]; then
        echo "hint: dist/ was built with \`$(cat dist/rustc.txt)\`, this is \`$(cat "$fresh/rustc.txt")\`" >&2
        echo "hint: run guest-tools/build.sh and commit dist/" >&2
        exit 1
    fi
    echo "dist/ is what its source builds"
}

install_target
case ${1:-} in
    --check) check ;;
    -*) echo "error: \`$1\` is not an option; allowed is \`--check\` or a folder" >&2; exit 2 ;;
    # On lines of their own: in a condition, bash would go on after a build that failed.
    *)
        build "${1:-$PWD/dist}"
        du -ab "${1:-dist}"
        ;;
esac
