#!/usr/bin/env bash
# Runs GIVEN_RUN with cronhub exec. The tool needs nothing but Python, so it is used from where it stands.
set -euo pipefail

options=()
[ -z "${GIVEN_ID:-}" ] || options+=(--id "$GIVEN_ID")
[ -z "${GIVEN_CRON:-}" ] || options+=(--cron "$GIVEN_CRON")
[ -z "${GIVEN_SCHEDULE:-}" ] || options+=(--schedule "$GIVEN_SCHEDULE")
[ -z "${GIVEN_TIMEOUT:-}" ] || options+=(--timeout "$GIVEN_TIMEOUT")

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../src" && pwd)
command=$GIVEN_RUN
unset GIVEN_RUN GIVEN_ID GIVEN_CRON GIVEN_SCHEDULE GIVEN_TIMEOUT

# As GitHub runs a step: with -e and pipefail. The tool is found without PYTHONPATH, which the command would inherit.
exec python3 -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from cronhub.__main__ import main
sys.exit(main())
' "$here" exec "${options[@]}" -- bash -eo pipefail -c "$command"
