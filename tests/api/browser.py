"""A browser as a test uses it: it keeps its cookie, sends forms as pages hold them, and follows redirects."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.api.client import Answer, Api

_ORIGIN = "http://localhost:4000"


class _Forms(HTMLParser):
    """Every form of a page: where it goes, and what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.forms.append({"action": values.get("action", ""), "fields": {}, "buttons": []})
        elif tag == "input" and self.forms and values.get("type") == "hidden" and values.get("name"):
            self.forms[-1]["fields"][values["name"]] = values.get("value") or ""
        elif tag == "button" and self.forms and values.get("value"):
            self.forms[-1]["buttons"].append(values["value"])


class Page:
    def __init__(self, path: str, answer: Answer) -> None:
        self.path = path
        self.answer = answer
        self.status = answer.status
        self.text = answer.text

    @property
    def words(self) -> str:
        """What can be read of it."""
        without = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(without).split())

    @property
    def forms(self) -> list[dict[str, Any]]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def form(self, button: str = "", action: str = "") -> dict[str, Any]:
        return next(
            one
            for one in self.forms
            if (not button or button in one["buttons"]) and (not action or one["action"].endswith(action))
        )

    def offers(self, button: str) -> bool:
        return any(button in one["buttons"] for one in self.forms)


class Browser:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.cookie = ""
        self.headers: dict[str, str] = {}

    def get(self, path: str) -> Page:
        return self._follow(path, self._call("GET", path))

    def _call(self, method: str, path: str, fields: Any = None, headers: dict[str, str] | None = None) -> Answer:
        sent = {"Accept": "text/html", "Host": "localhost:4000", **self.headers, **(headers or {})}
        if self.cookie:
            sent["Cookie"] = f"other=1; {self.cookie}"
        raw = None if fields is None else urlencode(fields, doseq=True)
        if method == "POST":
            sent.setdefault("Origin", _ORIGIN)
        answer = self.api.call(
            method, path, raw=raw, key=None, content_type="application/x-www-form-urlencoded", headers=sent
        )
        given = answer.headers.get("Set-Cookie", "")
        if given:
            self.cookie = given.partition(";")[0]
            if self.cookie.endswith("="):
                self.cookie = ""
        return answer

    def _follow(self, path: str, answer: Answer) -> Page:
        for _ in range(5):
            if answer.status != 303:
                return Page(path, answer)
            path = self.target(path, answer)
            answer = self._call("GET", path)
        raise AssertionError(f"redirected again and again: {path}")

    @staticmethod
    def target(path: str, answer: Answer) -> str:
        """Where a redirect leads: a path of ours."""
        address = urlsplit(urljoin(_ORIGIN + path, answer.headers["Location"]))
        assert f"{address.scheme}://{address.netloc}" == _ORIGIN
        return address.path + (f"?{address.query}" if address.query else "")

    def post(self, path: str, fields: Any, **headers: str) -> Answer:
        """A form as it is, without following where it leads."""
        return self._call("POST", path, fields, headers)

    def send(self, page: Page, button: str = "", action: str = "", **fields: Any) -> Page:
        """Sends the form of a page that has this button, and follows where it leads."""
        form = page.form(button, action)
        target = urlsplit(urljoin(_ORIGIN + page.path, form["action"] or page.path)).path
        sent = {**form["fields"], **({"do": button} if button else {}), **fields}
        return self._follow(target, self._call("POST", target, sent))

    def sign_in(self, key: str | None) -> Page:
        return self.send(self.get("/signin"), action="signin", key=key or "")
