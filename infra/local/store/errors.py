"""What the store refuses, with the codes and messages that DynamoDB and SQS use."""

from typing import Any, NotRequired, TypedDict


class Reason(TypedDict):
    """Why one item of a transaction was refused."""

    Code: str
    Message: NotRequired[str]
    Item: NotRequired[dict[str, Any]]


class StoreError(Exception):
    """A request that is refused. `details` are members of the answer beside the error itself."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details


class Invalid(StoreError):
    """A request that DynamoDB would never accept, whatever is stored."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ConditionFailed(StoreError):
    def __init__(self, item: dict[str, Any] | None = None) -> None:
        details = {} if item is None else {"Item": item}
        super().__init__("ConditionalCheckFailedException", "The conditional request failed", **details)


class Cancelled(StoreError):
    """A transaction of which nothing was written; one reason per item, in order."""

    def __init__(self, reasons: list[Reason]) -> None:
        codes = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        super().__init__("TransactionCanceledException", message, CancellationReasons=reasons)


class Unavailable(StoreError):
    """The file cannot be read or written just now: full disk, I/O error, a lock held for too long."""

    def __init__(self, message: str) -> None:
        super().__init__("InternalServerError", message)
        self.status = 500


class StoreFileError(Exception):
    """A file that is not ours to use: damaged, foreign or newer. The message names it."""
