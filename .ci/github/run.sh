#!/usr/bin/env bash
# The step of the GitHub Action: runs flowproof, puts its summary on the job's page and names its files. Inputs come
# as variables, so that nothing in them is read as shell.
set -uo pipefail

flags=(--out "$OUT")
[ -z "${TARGET:-}" ] || flags+=(--target "$TARGET")
[ -z "${BASELINE:-}" ] || flags+=(--baseline "$BASELINE")
[ -z "${WAIVERS:-}" ] || flags+=(--waivers "$WAIVERS")
while IFS= read -r flag; do
  [ -z "$flag" ] || flags+=("$flag")
done <<< "${ARGS:-}"

flowproof "$COMMAND" "${flags[@]}"
code=$?

record="$OUT/$COMMAND.json"
if [ -f "$record" ]; then
  formats=markdown
  [ "$COMMAND" != check ] || formats=markdown,sarif
  flowproof report "$record" --format "$formats" --out "$OUT" > /dev/null || exit $?
  cat "$OUT/$COMMAND.md" >> "$GITHUB_STEP_SUMMARY"
  echo "record=$record" >> "$GITHUB_OUTPUT"
  [ "$COMMAND" != check ] || echo "sarif=$OUT/check.sarif" >> "$GITHUB_OUTPUT"
fi
exit $code
