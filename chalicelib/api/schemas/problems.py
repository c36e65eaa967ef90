"""Errors as answers hold them (RFC 9457)."""

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.values import Answer


class WrongField(Answer):
    #: Where, such as `crons[3].schedule`.
    field: str
    #: The rule that was broken.
    message: str


class BlockerOut(Answer):
    #: The dependency.
    id: str
    #: The name of the dependency.
    name: str
    #: Why this dependency is not completed.
    reason: str


class Problem(Answer):
    #: The address of a page that explains this kind of problem.
    type: str
    #: The kind of problem, in a few words.
    title: str
    #: The HTTP status.
    status: int
    #: What went wrong, for a person to read.
    detail: str
    #: With 422 only: every wrong field at once, the first 100.
    errors: tuple[WrongField, ...] | UnsetType = UNSET
    #: With 409 for a start: the dependencies that are not completed.
    blocked_by: tuple[BlockerOut, ...] | UnsetType = UNSET
