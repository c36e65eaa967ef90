"""The one form of every log line: `HH:MM:SS  part  message`."""

import contextlib
import logging
import re
import sys
from datetime import datetime
from uuid import UUID

WIDTH = 6
_KEY = re.compile(r"ch_[0-9A-Za-z]{8,}")
_INVITATION = re.compile(r"(?<=/)(invit[a-z]*)/[^/]+", re.IGNORECASE)
_LONG_SEGMENT = re.compile(r"(?<=/)[^/]{20,}")
_LONGEST_PATH = 200


def say(part: str, message: str) -> None:
    # A reader that went away (`make run | head`) must not stop the service.
    with contextlib.suppress(OSError):
        now = datetime.now().astimezone()
        sys.stdout.write(f"{now:%H:%M:%S}  {part:<{WIDTH}}  {message}\n")
        sys.stdout.flush()


def use_as_logging_format(part: str) -> None:
    """Make what the app logs look like our own lines."""
    logging.basicConfig(
        stream=sys.stdout,
        format=f"%(asctime)s  {part:<{WIDTH}}  %(message)s",
        datefmt="%H:%M:%S",
    )
    # The libraries speak up from warnings on.
    for ours in ("chalicelib", "cronhub", "infra"):
        logging.getLogger(ours).setLevel(logging.INFO)


def loggable(path: str) -> str:
    """The path of a request without anything that would let a reader of the log in."""
    masked = _KEY.sub("ch_…", path)
    masked = _INVITATION.sub(r"\1/…", masked)
    masked = _LONG_SEGMENT.sub(lambda found: found[0] if _is_uuid(found[0]) else "…", masked)
    # What a terminal would act on is shown, not obeyed.
    return "".join(each if each.isprintable() else "?" for each in masked[:_LONGEST_PATH])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return "-" in text
