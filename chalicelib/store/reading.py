"""Reading one item."""

from typing import TypeVar

from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from chalicelib.store.errors import store_errors

Item = TypeVar("Item", bound=Model)


def get_or_none(model: type[Item], hash_key: str, range_key: str | None = None) -> Item | None:
    """The item of this key, read consistently; None where there is none.

    Raises Unavailable where the store does not answer.
    """
    with store_errors():
        try:
            return model.get(hash_key, range_key, consistent_read=True)
        except DoesNotExist:
            return None
