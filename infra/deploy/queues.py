"""The queues, each with one for the messages that nobody could work off."""

from typing import NamedTuple

from chalicelib.store.queue import LONGEST_DELAY_SECONDS
from infra.deploy.cfn import Json, arn, logical, resource, sub

FUNCTION_SECONDS = 60
_MOST_TRIES = 5
_DAY = 24 * 3600


class Queue(NamedTuple):
    name: str
    #: By which the functions are told its address, where they are.
    variable: str | None = None
    #: How old its oldest message may become before an alarm rings.
    patience_seconds: int = 120

    @property
    def logical(self) -> str:
        return logical(self.name, "queue")


QUEUES = (
    # What is tried again later is kept back on the queue for up to 15 minutes. SQS counts a message's age from the
    # time it was sent at, and AWS does not say that it leaves this out: 2 minutes would ring for any receiver that
    # fails. The outbox itself tells when an alert waits for 2 minutes: the alarm alerts-waiting.
    Queue("notify", "CRONHUB_QUEUE_URL", patience_seconds=LONGEST_DELAY_SECONDS + 120),
    Queue("due", "CRONHUB_DUE_QUEUE_URL"),
)


def queues() -> Json:
    made: Json = {}
    for queue in QUEUES:
        dead = dead_letters_of(queue)
        made[queue.logical] = resource(
            "SQS::Queue",
            {
                "QueueName": sub("${Prefix}-" + queue.name),
                # As AWS recommends: else a message comes back while its function still works on it.
                "VisibilityTimeout": 6 * FUNCTION_SECONDS,
                "MessageRetentionPeriod": 4 * _DAY,
                "SqsManagedSseEnabled": True,
                "RedrivePolicy": {"deadLetterTargetArn": arn(dead.logical), "maxReceiveCount": _MOST_TRIES},
            },
            **_REPLACEABLE,
        )
        made[dead.logical] = resource(
            "SQS::Queue",
            {
                "QueueName": sub("${Prefix}-" + dead.name),
                "MessageRetentionPeriod": 14 * _DAY,
                "SqsManagedSseEnabled": True,
            },
            **_REPLACEABLE,
        )
    return made


# What is on a queue is also in a table: the queues hold nothing that must be kept.
_REPLACEABLE = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}


def dead_letters_of(queue: Queue) -> Queue:
    return Queue(f"{queue.name}-dead")
