#!/bin/sh
# Makes an org and a key, registers four crons, and writes the crontab of their jobs: made/crontab.
#
# BASE_URL   where CronHub is (http://localhost:4000 unless set)
set -eu

BASE_URL=${BASE_URL:-http://localhost:4000}
here=$(cd "$(dirname "$0")" && pwd)
slug=real-cron-$(date +%s)

case $here in
    *[!A-Za-z0-9/._-]*)
        echo "cron would misread this folder's name: move it to a path of letters, digits, / . _ and -" >&2
        exit 1
        ;;
esac

# post PATH BODY [option of curl...]
post() {
    path=$1 body=$2
    shift 2
    curl --silent --show-error --fail-with-body --request POST "$BASE_URL$path" \
        --header 'Content-Type: application/json' --data "$body" "$@"
}

# field NAME: of the JSON object on standard input
field() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

post /api/orgs "{\"name\": \"Real cron\", \"slug\": \"$slug\"}" >/dev/null
key=$(post "/api/orgs/$slug/api-keys" '{"name": "setup"}' | field key)

registered=$(post /api/crons/register '{
    "product": "example", "service": "real-cron",
    "crons": [
        {"name": "healthy", "schedule": "* * * * *"},
        {"name": "failing", "schedule": "* * * * *"},
        {"name": "hanging", "schedule": "*/3 * * * *", "max_runtime_seconds": 90},
        {"name": "removed", "schedule": "* * * * *"}
    ]}' --header "Authorization: Bearer $key")

# Installed, or else as it is in this repository: it needs nothing but Python.
cli=$(cd "$here/../../cli/src" && pwd)
cronhub=$(command -v cronhub) || cronhub="$(command -v python3) -m cronhub"

mkdir -p "$here/made"
echo "$registered" | python3 -c '
import json, sys

for cron in json.load(sys.stdin)["crons"]:
    print("s|@{}@|{}|".format(cron["name"], cron["id"]))
' >"$here/made/ids.sed"
sed -f "$here/made/ids.sed" -e "s|@HERE@|$here|g" -e "s|@BASE_URL@|$BASE_URL|" \
    -e "s|@CRONHUB@|$cronhub|" -e "s|@CLI@|$cli|" \
    "$here/crontab.template" >"$here/made/crontab"
rm "$here/made/ids.sed"
(umask 077 && printf 'BASE_URL=%s\nKEY=%s\n' "$BASE_URL" "$key" >"$here/made/access")

echo "registered: the jobs are in made/crontab, the key in made/access"
