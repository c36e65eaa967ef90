"""Answers whose status is not 200. What a handler returns as it is has 200."""

from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

A = TypeVar("A", bound=Struct)


class WithStatus(Generic[A]):
    status: ClassVar[int]

    def __init__(self, body: A) -> None:
        self.body = body


class Created(WithStatus[A]):
    status = 201


class Accepted(WithStatus[A]):
    status = 202


class ServiceUnavailable(WithStatus[A]):
    status = 503


class NoContent:
    status: ClassVar[int] = 204
