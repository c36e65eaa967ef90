"""What every test stands on: an emulated store of its own, and a clock that stands still."""

import os
from threading import RLock
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="eu-west-1",
    CRONHUB_THROTTLE="off",
)
os.environ.pop("AWS_ENDPOINT_URL", None)

# moto copies its tables while it works on them, and bears no second thread meanwhile: `notify` has some.
_answer, _one_at_a_time = BotocoreStubber.process_request, RLock()


def _answer_alone(stubber: BotocoreStubber, request: Any) -> Any:
    with _one_at_a_time:
        return _answer(stubber, request)


BotocoreStubber.process_request = _answer_alone  # type: ignore[assignment, method-assign]
