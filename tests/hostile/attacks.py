"""What strangers do to a deployment that lets them make organizations: all of it on this machine alone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException

from tests.channels.hostile import endless, silent
from tests.channels.receivers import Got, Receiver, Reply, receiver

_OK = b"HTTP/1.1 200 OK\r\n"
_PATIENCE_SECONDS = 20.0


def _http(port: int) -> str:
    return f"http://127.0.0.1:{port}/hook"


def _json(port: int) -> str:
    return f"json://127.0.0.1:{port}/hook"


def _redirecting(stack: ExitStack, status: int, to: Callable[[Receiver], str]) -> Receiver:
    def answer(_: Got) -> Reply:
        return Reply(status, {"Location": to(made)})

    made = stack.enter_context(receiver(decide=answer))
    return made


@contextmanager
def bad_receivers() -> Iterator[dict[str, tuple[str, str]]]:
    """Yields the kind and the URL of channels whose receivers mean harm, by what they do."""
    with ExitStack() as stack:

        def start(head: bytes, block: bytes = b"x" * 65536, pause: float = 0.0) -> int:
            return stack.enter_context(endless(head, block, pause))

        never = stack.enter_context(silent())
        itself = _redirecting(stack, 307, lambda made: made.url)
        inside = _redirecting(stack, 308, lambda made: _http(made.port) + "/latest/meta-data/")
        yield {
            "answers without end": ("webhook", _http(start(_OK + b"\r\n"))),
            "sends headers without end": ("webhook", _http(start(_OK, b"X-More: " + b"x" * 1000 + b"\r\n"))),
            "answers a byte a second": ("webhook", _http(start(_OK + b"\r\n", b"x", 1.0))),
            "never answers": ("webhook", _http(never)),
            "redirects to itself": ("webhook", itself.url),
            "redirects to metadata": ("webhook", inside.url),
            "answers Apprise without end": ("apprise", _json(start(_OK + b"\r\n"))),
            "never answers Apprise": ("apprise", _json(never)),
        }


class Flood:
    """Requests from one address, as fast as they are answered."""

    def __init__(self, port: int, threads: int = 8) -> None:
        self.answers: list[int] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def _run(self, number: int) -> None:
        # Ids that look right and are nobody's, keys that are wrong, bodies that are no JSON.
        requests = (
            ("GET", f"/api/ping/0000000000{number:02}-8000-8000-000000000000", b""),
            ("POST", "/api/orgs", b"{" * 1000),
            ("GET", "/api/crons", b""),
        )
        turn = number
        while not self._over.is_set():
            turn += 1
            method, path, body = requests[turn % len(requests)]
            connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)
            try:
                connection.request(method, path, body, {"Authorization": "Bearer ch_" + "x" * 40})
                self.answers.append(connection.getresponse().status)
            except (OSError, HTTPException):
                self.answers.append(0)
                time.sleep(0.05)
            finally:
                connection.close()

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
