#!/usr/bin/env bash
# Builds and checks the example of each language with `tomas-host tool build` and `tool check`, as its author would.
#
#   check.sh [LANGUAGE…]        all four: rust c javascript python
#   check.sh text_embed         the tool that computes with a model; HOST_CONFIG names a configuration that has it
#
# Installs componentize-js and componentize-py below the examples where they are missing; clang, node and python must be
# there. HOST names another executable than the one that cargo built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly HOST=${HOST:-$PWD/../../target/release/tomas-host}
[ $# -gt 0 ] || set -- rust c javascript python

for language in "$@"; do
    echo "== $language"
    case $language in
        javascript) [ -d javascript/node_modules ] || npm install --silent --no-audit --no-fund --prefix javascript ;;
        python)
            if [ ! -d python/.venv ]; then
                python3 -m venv python/.venv
                python/.venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1
            fi
            ;;
    esac
    "$HOST" tool build "./$language"
    if [ "$language" = text_embed ]; then
        "$HOST" ${HOST_CONFIG:+--host-config "$HOST_CONFIG"} tool check ./text_embed
        continue
    fi
    "$HOST" tool check "./$language"
    # The same words in every language.
    [ "$("$HOST" tool run "./$language" '{"text": "ha", "times": 3}' 2>/dev/null)" = "ha ha ha" ]
    if "$HOST" tool run "./$language" '{"text": "ha", "times": 3000}' >/dev/null 2>&1; then
        echo "error: $language does not refuse 3000 times" >&2
        exit 1
    fi
done
echo "all examples build, and do the same"
