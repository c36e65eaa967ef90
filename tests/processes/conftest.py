from collections.abc import Iterator

import pytest

from tests.processes.inbox import Inbox, inbox


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as found:
        yield found
