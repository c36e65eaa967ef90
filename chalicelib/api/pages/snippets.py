"""How a job pings: lines to copy, for the places that jobs run in."""

from typing import NamedTuple

from chalicelib import settings
from chalicelib.domain.monitor.cron import Cron

_CURL = "curl -fsS -m 10 --retry 5"


class Snippet(NamedTuple):
    id: str
    title: str
    text: str


def signal_line(cron: Cron, ping_url: str | None) -> str:
    """The line that signals a success: without a key, or where the org turned that off, with one."""
    if ping_url is not None:
        return f"{_CURL} {ping_url}"
    url = f"{settings.base_url()}/api/crons/{cron.id}/heartbeat"
    return f"{_CURL} -H 'Authorization: Bearer YOUR_KEY' -d status=success {url}"


def snippets_of(cron: Cron, ping_url: str | None) -> list[Snippet]:
    """Of a cron without a ping URL, the one line that needs a key."""
    if ping_url is None:
        return [Snippet("curl", "Shell", f"/path/to/job && {signal_line(cron, None)}")]
    start_url, fail_url = (ping_url.replace("/api/ping/", f"/api/{kind}/") for kind in ("start", "fail"))
    schedule = cron.settings.schedule or "0 2 * * *"
    plain = schedule if not schedule.startswith("@every") else "*/10 * * * *"
    return [
        Snippet("crontab", "crontab", f"{plain}  /path/to/job && {_CURL} -o /dev/null {ping_url}"),
        Snippet("curl", "Shell", _shell(ping_url, start_url)),
        Snippet("python", "Python", _python(ping_url, fail_url)),
        Snippet("node", "Node", _node(ping_url, fail_url)),
        Snippet("systemd", "systemd", _systemd(ping_url, start_url)),
        Snippet("kubernetes", "Kubernetes", _kubernetes(cron, plain, ping_url)),
        Snippet("github", "GitHub Actions", _github(plain, ping_url, fail_url)),
    ]


def _shell(ping_url: str, start_url: str) -> str:
    return (
        f"{_CURL} -o /dev/null {start_url}\n"
        "output=$(/path/to/job 2>&1); code=$?\n"
        f'{_CURL} -o /dev/null --data-raw "$output" "{ping_url}?exit_code=$code"'
    )


def _python(ping_url: str, fail_url: str) -> str:
    return (
        "import traceback\nfrom urllib.request import urlopen\n\n"
        "try:\n    run_the_job()\n"
        "except Exception:\n"
        f'    urlopen("{fail_url}", data=traceback.format_exc().encode(), timeout=10)\n    raise\n'
        f'urlopen("{ping_url}", timeout=10)'
    )


def _node(ping_url: str, fail_url: str) -> str:
    return (
        "try {\n  await runTheJob();\n"
        f'  await fetch("{ping_url}", {{ signal: AbortSignal.timeout(10_000) }});\n'
        "} catch (error) {\n"
        f'  await fetch("{fail_url}", {{ method: "POST", body: String(error.stack) }});\n'
        "  throw error;\n}"
    )


def _systemd(ping_url: str, start_url: str) -> str:
    return (
        "[Service]\nType=oneshot\n"
        f"ExecStartPre=-/usr/bin/{_CURL} -o /dev/null {start_url}\n"
        "ExecStart=/path/to/job\n"
        f"ExecStopPost=-/bin/sh -c '{_CURL} -o /dev/null \"{ping_url}?exit_code=$$EXIT_STATUS\"'"
    )


def _kubernetes(cron: Cron, schedule: str, ping_url: str) -> str:
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in cron.name.lower())[:52]
    zone = cron.settings.timezone
    return (
        f"apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name.strip('-') or 'job'}\n"
        f'spec:\n  schedule: "{schedule}"\n  timeZone: "{zone}"\n'
        "  jobTemplate:\n    spec:\n      template:\n        spec:\n"
        "          restartPolicy: Never\n          containers:\n"
        "            - name: job\n              image: your-image\n"
        '              command: ["/bin/sh", "-c"]\n'
        f"              args: ['/path/to/job; {_CURL} \"{ping_url}?exit_code=$?\"']"
    )


def _github(schedule: str, ping_url: str, fail_url: str) -> str:
    return (
        f'on:\n  schedule:\n    - cron: "{schedule}"\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n'
        "      - run: ./job.sh\n"
        f"      - run: {_CURL} {ping_url}\n"
        f"      - if: failure()\n        run: {_CURL} {fail_url}"
    )
