"""What every test stands on: an emulated store of its own, and a clock that stands still."""

import os
from threading import RLock
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="eu-west-1",
    CRONHUB_THROTTLE="off",
)
for endpoint in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
    os.environ.pop(endpoint, None)

# moto copies its tables while it works on them, and bears no second thread meanwhile: `notify` has some.
_answer, _one_at_a_time = BotocoreStubber.process_request, RLock()


def _answer_alone(stubber: BotocoreStubber, request: Any) -> Any:
    with _one_at_a_time:
        return _answer(stubber, request)


BotocoreStubber.process_request = _answer_alone  # type: ignore[assignment, method-assign]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("moto", "embedded"),
        help="what tests/api and tests/faults work on (usually CronHub's embedded store)",
    )


def pytest_configure(config: pytest.Config) -> None:
    from tests import stores

    stores.choose(config.getoption("--store"))
