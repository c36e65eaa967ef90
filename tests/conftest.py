"""What every test stands on: an emulated store of its own, and a clock that stands still."""

import os

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="eu-west-1",
    CRONHUB_THROTTLE="off",
)
os.environ.pop("AWS_ENDPOINT_URL", None)
