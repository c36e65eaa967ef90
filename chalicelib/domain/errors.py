"""Errors that the caller hears about; `api/http/problem.py` turns them into answers."""

from typing import NamedTuple

CHANGED_MEANWHILE = "this was changed by another request at the same time; nothing was saved, please retry"


class FieldError(NamedTuple):
    #: Where, as `crons[3].schedule`.
    field: str
    message: str


class CronHubError(Exception):
    """The base of all that has an answer; `str()` is the detail for the caller."""


class Malformed(CronHubError):
    """The body cannot be read at all."""


class Unauthenticated(CronHubError):
    """No good key."""


class Forbidden(CronHubError):
    """A good key, without the right to this."""


class NotFound(CronHubError):
    """Unknown, or another org's: nobody can tell which."""


class Conflict(CronHubError):
    """It stands against something that is there already."""


class Gone(CronHubError):
    """It was there, and can be used no more."""


class TooLarge(CronHubError):
    """The body is over its limit."""


class UnsupportedMedia(CronHubError):
    """The body is not of a type that the route takes."""


class Invalid(CronHubError):
    """Bad input; names every wrong field at once."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class Throttled(CronHubError):
    """Too many requests; try again after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(CronHubError):
    """The store does not answer, or too many requests change the same thing: nothing was saved."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ConcurrentUpdate(Exception):
    """Another request wrote first: load again and decide again. Nothing was written by this try.

    `claimed`: the caller's own id of a run stands for a run already.
    """

    def __init__(self, claimed: bool = False) -> None:
        super().__init__()
        self.claimed = claimed
