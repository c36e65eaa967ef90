"""Everything read from the environment, in one place."""

import os
import re
import sys


def prefix() -> str:
    """What every table's name begins with: `{prefix}-crons`."""
    return os.environ.get("CRONHUB_PREFIX", "cronhub")


def base_url() -> str:
    """The public address of the API, without a slash at its end."""
    return os.environ.get("CRONHUB_BASE_URL", "http://localhost:4000").rstrip("/")


def public_address() -> str | None:
    """The same where the deployment sets it; None: where it can be reached is not known."""
    return base_url() if os.environ.get("CRONHUB_BASE_URL") else None


def mail() -> str:
    """How mail is sent: `ses:FROM`, `smtp://USER:PASSWORD@HOST:PORT?from=FROM`; empty: not at all."""
    return os.environ.get("CRONHUB_MAIL", "")


def queue_name() -> str:
    """The queue that wakes `notify`."""
    return f"{prefix()}-notify"


def queue_url() -> str:
    """Returns the queue's address, if the deployment sets it; empty: it is looked up by name."""
    return os.environ.get("CRONHUB_QUEUE_URL", "")


def due_queue_name() -> str:
    """The queue that has large backlogs worked off shard by shard."""
    return f"{prefix()}-due"


def due_queue_url() -> str:
    """Returns that queue's address, if the deployment sets it; empty: it is looked up by name."""
    return os.environ.get("CRONHUB_DUE_QUEUE_URL", "")


def self_ping_url() -> str:
    """What is asked at the end of each good tick: `CRONHUB_SELF_PING_URL`; empty: nothing."""
    return os.environ.get("CRONHUB_SELF_PING_URL", "")


def look_every_seconds() -> int | None:
    """How often the tick looks again at what is due inside its minute: `CRONHUB_LOOK_EVERY_SECONDS`; None: not."""
    return int(os.environ.get("CRONHUB_LOOK_EVERY_SECONDS") or 0) or None


def due_shards() -> int:
    """How many shards of the due index crons are written to: `CRONHUB_DUE_SHARDS`."""
    return int(os.environ.get("CRONHUB_DUE_SHARDS") or 16)


def throttling() -> bool:
    """Whether the routes without a key are throttled: `CRONHUB_THROTTLE=off` turns it off."""
    return os.environ.get("CRONHUB_THROTTLE", "on").lower() != "off"


def allows_private_targets() -> bool:
    """Whether channels may lead to private addresses: `CRONHUB_ALLOW_PRIVATE_TARGETS=1`.

    For a deployment whose users are all trusted with the network that it runs in.
    """
    return os.environ.get("CRONHUB_ALLOW_PRIVATE_TARGETS", "") == "1"


def lean_transport() -> bool:
    """Whether DynamoDB is reached the short way; `CRONHUB_TRANSPORT=botocore` goes back to botocore.

    Elsewhere than on Lambda botocore is the default: emulators and tests hook into it.
    """
    default = "lean" if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else "botocore"
    return os.environ.get("CRONHUB_TRANSPORT", default).lower() == "lean"


def refuse_chalice_alone() -> None:
    """Stops Chalice's own deploy and package: they know of the functions and of nothing else."""
    if "AWS_CHALICE_CLI_MODE" not in os.environ or "CRONHUB_PACKAGING" in os.environ:
        return
    command = next((word for word in sys.argv[1:] if word in ("deploy", "package")), None)
    if command is not None:
        raise SystemExit(
            f"chalice {command} knows nothing of CronHub's tables, queues and alarms: "
            f"run make {command} STAGE=dev or STAGE=prod instead (docs/operations.md)"
        )


class BadSetting(ValueError):
    """A setting that cannot be meant; `str()` names it, and holds no secret."""


_GOOD = {
    "CRONHUB_PREFIX": (r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", "40 letters, digits, - and _ at most"),
    "CRONHUB_BASE_URL": (
        r"https?://[^\s/?#]+(/[^\s?#]*)?",
        "an http or https URL without a query",
    ),
    "CRONHUB_MAIL": (
        r"ses:[^@\s]+@[^@\s]+|smtps?://[^\s?#]+\?(.*&)?from=[^@\s]+(@|%40)[^@\s]+",
        "ses:FROM, or smtp://USER:PASSWORD@HOST:PORT?from=FROM (or smtps://)",
    ),
    "CRONHUB_QUEUE_URL": (r"https?://\S+", "the queue's URL"),
    "CRONHUB_DUE_QUEUE_URL": (r"https?://\S+", "the queue's URL"),
    "CRONHUB_SELF_PING_URL": (r"https?://\S+", "an http or https URL"),
    "CRONHUB_LOOK_EVERY_SECONDS": ("[0-9]|[12][0-9]|30", "0 (off) to 30"),
    "CRONHUB_DUE_SHARDS": ("[1-9][0-9]{0,2}|1[0-9]{3}|20[0-3][0-9]|204[0-8]", "a number from 1 to 2048"),
    "CRONHUB_THROTTLE": ("(?i:on|off)", "on or off"),
    "CRONHUB_ALLOW_PRIVATE_TARGETS": ("[01]", "1 or 0"),
    "CRONHUB_TRANSPORT": ("(?i:lean|botocore)", "lean or botocore"),
}


def check() -> None:
    """Raises BadSetting for the first that is wrong, before anything is done with it."""
    for name, (pattern, wanted) in _GOOD.items():
        value = os.environ.get(name, "")
        if value and not re.fullmatch(pattern, value):
            # Not its value: it may hold a password.
            raise BadSetting(f"{name} must be {wanted}")
