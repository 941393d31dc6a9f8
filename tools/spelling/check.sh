#!/usr/bin/env bash
# Checks the spelling of all Markdown and C# files and the texts of the console, and finds words that the project does not use. Prints the findings and
# exits with 1 if there are any; prints nothing otherwise. Needs Node.js 20 with npm.
#
#     tools/spelling/check.sh
#
# Technical words and names belong in words.txt, made-up words of tests in test-words.txt.
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/.checked-lock.json; then
    npm ci --silent --no-audit --no-fund --no-update-notifier
    cp package-lock.json node_modules/.checked-lock.json
fi

for list in words.txt test-words.txt; do
    if ! grep -v '^#' "$list" | LC_ALL=C sort -fcu; then
        echo "tools/spelling/$list is not sorted, or has a word twice." >&2
        exit 1
    fi
done

node_modules/.bin/cspell lint --root ../.. --config cspell.json --dot --no-progress --no-summary --relative \
    --cache --cache-strategy content --cache-location node_modules/.cspellcache
