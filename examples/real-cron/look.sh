#!/bin/sh
# What CronHub says of the four crons now, and of what went wrong.
set -eu
. "$(dirname "$0")/made/access"

get() {
    curl --silent --show-error --fail-with-body "$BASE_URL$1" --header "Authorization: Bearer $KEY"
}

date -u '+%H:%M:%S UTC'
get /api/crons | python3 -c '
import json, sys

for cron in sorted(json.load(sys.stdin)["crons"], key=lambda cron: cron["name"]):
    last = (cron["last_run"] or {}).get("status")
    print("{name:8} {status:8} reason={reason} last_run={last} next={next_expected_at}".format(last=last, **cron))
'
get /api/incidents | python3 -c '
import json, sys

for one in json.load(sys.stdin)["incidents"]:
    print("incident {cron_name:8} {reason:8} {status:8} opened {opened_at} resolved {resolved_at} missed={missed}".format(**one))
'
