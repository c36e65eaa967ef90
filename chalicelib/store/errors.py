"""The store's own errors, told apart: lost races, answers that did not come, and the rest."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import (
    PynamoDBException,
    TransactWriteError,
)

from chalicelib.domain.errors import ConcurrentUpdate, Unavailable

_CONFLICT = {"ConditionalCheckFailed", "TransactionConflict"}
_UNMET = "ConditionalCheckFailedException"
_CONFLICT_ERRORS = {
    _UNMET,
    "TransactionConflictException",
    "TransactionInProgressException",
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns whatever the store raises into `Unavailable` (503), except a lost race."""
    try:
        yield
    except (PynamoDBException, BotoCoreError) as error:
        if is_conflict(error):
            raise ConcurrentUpdate from error
        raise Unavailable(
            "the store does not answer; it is not known whether this was saved, please retry"
        ) from error


def is_conflict(error: Exception) -> bool:
    if isinstance(error, TransactWriteError):
        reasons = [reason.code for reason in error.cancellation_reasons if reason is not None]
        if reasons:
            return any(reason in _CONFLICT for reason in reasons)
    cause = getattr(error, "cause_response_code", None)
    return cause in _CONFLICT_ERRORS


def is_unmet(error: Exception) -> bool:
    """Whether the condition of a single write did not hold."""
    return getattr(error, "cause_response_code", None) == _UNMET


def failed_at(error: TransactWriteError, place: int) -> bool:
    """Whether the condition of the item at this place of the transaction did not hold."""
    reasons = list(error.cancellation_reasons)
    reason = reasons[place] if place < len(reasons) else None
    return reason is not None and reason.code == "ConditionalCheckFailed"
