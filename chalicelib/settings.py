"""Everything read from the environment, in one place."""

import os


def prefix() -> str:
    """What every table's name begins with: `{prefix}-crons`."""
    return os.environ.get("CRONHUB_PREFIX", "cronhub")


def base_url() -> str:
    """The public address of the API, without a slash at its end."""
    return os.environ.get("CRONHUB_BASE_URL", "http://localhost:4000").rstrip("/")


def mail() -> str:
    """How mail is sent: `ses:FROM`, `smtp://USER:PASSWORD@HOST:PORT?from=FROM`; empty: not at all."""
    return os.environ.get("CRONHUB_MAIL", "")


def queue_name() -> str:
    """The queue that wakes `notify`."""
    return f"{prefix()}-notify"


def queue_url() -> str:
    """The queue's address where the deployment gives it; empty: it is looked up by its name."""
    return os.environ.get("CRONHUB_QUEUE_URL", "")


def due_queue_name() -> str:
    """The queue that has large backlogs worked off shard by shard."""
    return f"{prefix()}-due"


def self_ping_url() -> str:
    """What is asked at the end of each good tick: `CRONHUB_SELF_PING_URL`; empty: nothing."""
    return os.environ.get("CRONHUB_SELF_PING_URL", "")


def throttling() -> bool:
    """Whether the routes without a key are throttled: `CRONHUB_THROTTLE=off` turns it off."""
    return os.environ.get("CRONHUB_THROTTLE", "on").lower() != "off"


def allows_private_targets() -> bool:
    """Whether channels may lead to private addresses: `CRONHUB_ALLOW_PRIVATE_TARGETS=1`.

    For a deployment whose users are all trusted with the network that it runs in.
    """
    return os.environ.get("CRONHUB_ALLOW_PRIVATE_TARGETS", "") == "1"
