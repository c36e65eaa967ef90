"""The queues as tests play them: by a clock that stands still."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.services import notify
from tests.api.client import Clock

MOST_MESSAGES = 500


class Message(NamedTuple):
    visible_at: datetime
    body: str


class Queue:
    """SQS by the clock of the test: a message that is kept back is there when its time has come."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        #: For `notify`.
        self.messages: list[Message] = []
        #: Whether messages may fail, and then come again.
        self.may_fail = False
        #: For `evaluate`.
        self.handed_over: list[str] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        return {"QueueUrl": QueueName}

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> dict[str, Any]:  # noqa: N803
        assert 0 <= DelaySeconds <= 900
        if QueueUrl.endswith("-due"):
            self.handed_over.append(MessageBody)
            return {"MessageId": "m"}
        assert QueueUrl.endswith("-notify"), QueueUrl
        self.messages.append(Message(self.clock.now + timedelta(seconds=DelaySeconds), MessageBody))
        return {"MessageId": "m"}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= 10
        for entry in Entries:
            self.send_message(
                QueueUrl=QueueUrl, MessageBody=entry["MessageBody"], DelaySeconds=entry.get("DelaySeconds", 0)
            )
        return {"Successful": Entries}

    def take(self) -> list[str]:
        ready = [message for message in self.messages if message.visible_at <= self.clock.now]
        self.messages = [message for message in self.messages if message not in ready]
        return [message.body for message in ready]

    def work(self) -> None:
        """What `notify` does until nothing is left that is visible."""
        for _ in range(MOST_MESSAGES):
            bodies = self.take()
            if not bodies:
                return
            failed = notify.receive(bodies)
            assert self.may_fail or failed == []
            again = self.clock.now + timedelta(seconds=60)
            self.messages += [Message(again, bodies[place]) for place in failed]
        raise AssertionError("it does not come to an end")

    def work_for(self, **span: float) -> None:
        """Second by second, as far as anything happens; no tick comes."""
        until = self.clock.now + timedelta(**span)
        self.work()
        while self.messages and min(message.visible_at for message in self.messages) <= until:
            self.clock.now = max(self.clock.now, min(message.visible_at for message in self.messages))
            self.work()
        self.clock.now = until
