"""The public status page, and its Atom feed (RFC 4287)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from xml.etree import ElementTree

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.pages import render
from chalicelib.api.pages.language import language_of, translated
from chalicelib.domain.language import Language
from chalicelib.domain.monitor.cron import Reason
from chalicelib.domain.public.badge import BadgeStatus
from chalicelib.domain.public.status_page import PageAddress
from chalicelib.domain.public.uptime import DayMark, Uptime
from chalicelib.services.public_page import PublicPage, ShownCron, ShownIncident
from chalicelib.settings import base_url

_ATOM = "http://www.w3.org/2005/Atom"
_XML_CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)}
_HEADERS = {
    # Many people look at it at the same time, most of all when something is wrong.
    "Cache-Control": "public, max-age=30",
}
_STATUS_WORDS = {
    BadgeStatus.UP: "Working",
    BadgeStatus.LATE: "Late",
    BadgeStatus.DOWN: "Down",
    BadgeStatus.NEW: "No run yet",
    BadgeStatus.BLOCKED: "Waiting",
    BadgeStatus.MAINTENANCE: "In maintenance",
    BadgeStatus.PAUSED: "Paused",
    BadgeStatus.ARCHIVED: "Ended",
}
_REASON_WORDS = {
    Reason.MISSED: "A run did not start",
    Reason.FAILED: "A run failed",
    Reason.TIMEOUT: "A run did not finish",
}
#: Its class in site.css, where that has another name.
_CLASSES = {BadgeStatus.MAINTENANCE: "in_maintenance"}
_MOST_BAD_DAYS_NAMED = 10


class _Group(NamedTuple):
    #: None: without a heading.
    name: str | None
    crons: Sequence[ShownCron]


def page(call: Call, shown: PublicPage, path: str) -> Response:
    language, summary = language_of(call), _summary(shown)
    values = {
        "shown": shown,
        "groups": [_Group(name, list(crons)) for name, crons in groupby(shown.crons, lambda one: one.group)],
        "open_incidents": [one for one in shown.incidents if one.resolved_at is None],
        "past_incidents": [one for one in shown.incidents if one.resolved_at is not None],
        "summary": summary._replace(text=translated(language, summary.text)),
        "is_secret": shown.page.address is PageAddress.SECRET,
        "status_word": lambda status: translated(language, _STATUS_WORDS[status]),
        "status_class": lambda status: _CLASSES.get(status, status.value),
        "reason_word": lambda reason: translated(language, _REASON_WORDS[reason]),
        "moment": lambda at: moment(at, language),
        "machine": _machine,
        "percent": lambda value: percent(value, language),
        "days_in_words": lambda found: days_in_words(found, language),
        "feed": f"{render.place_of(call).root}status/{path}/feed",
    }
    answer = render.page(call, "status/page.html", values)
    return _with_headers(answer, shown)


class _Summary(NamedTuple):
    #: Its class in site.css.
    mark: str
    #: In English.
    text: str


def _summary(shown: PublicPage) -> _Summary:
    """The whole page in one sentence."""
    if shown.count(BadgeStatus.DOWN):
        return _Summary("callout-bad", "Some jobs are down.")
    if shown.count(BadgeStatus.LATE, BadgeStatus.BLOCKED):
        return _Summary("callout-warn", "Some jobs are late.")
    if shown.count(BadgeStatus.MAINTENANCE):
        return _Summary("", "Some jobs are in maintenance.")
    if shown.count(BadgeStatus.UP):
        return _Summary("callout-good", "All jobs are working.")
    return _Summary("", "Nothing is running yet.")


def _with_headers(answer: Response, shown: PublicPage) -> Response:
    answer.headers.update(_HEADERS)
    if shown.page.address is PageAddress.SECRET:
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def moment(at: datetime, language: Language) -> str:
    """In UTC, in the order that each language has."""
    return f"{at:%d/%m/%Y %H:%M} UTC" if language is Language.FR else f"{at:%Y-%m-%d %H:%M} UTC"


def _machine(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def percent(value: float, language: Language) -> str:
    """Rounded down: 100 % is only where nothing failed."""
    rounded = int(value * 100) / 100
    text = f"{rounded:.2f}".rstrip("0").rstrip(".")
    return f"{text.replace('.', ',')} %" if language is Language.FR else f"{text}%"


def days_in_words(found: Uptime, language: Language) -> str:
    """The strip of days for who cannot see it."""
    bad = [day for day in found.days if day.mark in (DayMark.PARTIAL, DayMark.BAD)]
    if not bad:
        return translated(language, "No failures in the last 90 days.")
    named = [f"{day.day.isoformat()} ({percent(day.percent or 0, language)})" for day in bad]
    rest = "…" if len(named) > _MOST_BAD_DAYS_NAMED else ""
    days = ", ".join(named[-_MOST_BAD_DAYS_NAMED:]) + rest
    return translated(language, "Days with failures: %(days)s") % {"days": days}


def feed(call: Call, shown: PublicPage, path: str) -> Response:
    language = language_of(call)
    url = f"{base_url()}/status/{path}"
    root = ElementTree.Element("feed", {"xmlns": _ATOM, "xml:lang": language.value})
    _add(root, "id", f"{url}/feed")
    _add(root, "title", shown.page.title)
    ElementTree.SubElement(root, "link", {"rel": "self", "href": f"{url}/feed"})
    ElementTree.SubElement(root, "link", {"rel": "alternate", "href": url})
    author = ElementTree.SubElement(root, "author")
    _add(author, "name", shown.page.title)
    entries = sorted(_entries(shown, language), key=lambda one: one.updated, reverse=True)
    _add(root, "updated", _machine(max((one.updated for one in entries), default=shown.page.created_at)))
    for one in entries:
        _add_entry(root, one, url)
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/atom+xml; charset=utf-8",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Language",
        "Content-Language": language.value,
    }
    return _with_headers(Response(text, headers, 200), shown)


class _Entry(NamedTuple):
    key: str
    title: str
    text: str
    published: datetime
    updated: datetime


def _entries(shown: PublicPage, language: Language) -> Iterator[_Entry]:
    for one in shown.incidents:
        title = "%(name)s is down" if one.resolved_at is None else "%(name)s works again"
        text = _incident_text(one, language)
        updated = one.resolved_at or one.opened_at
        yield _Entry(one.key, translated(language, title) % {"name": one.name}, text, one.opened_at, updated)
    for planned in shown.maintenance:
        text = translated(language, "From %(start)s to %(end)s: %(names)s") % {
            "start": moment(planned.starts_at, language),
            "end": moment(planned.ends_at, language),
            "names": ", ".join(planned.names),
        }
        # When it was planned is not known; it must not be later than now, or readers show it last.
        at = min(planned.starts_at, shown.at)
        yield _Entry(planned.key, translated(language, "Planned maintenance"), text, at, at)


def _incident_text(one: ShownIncident, language: Language) -> str:
    text = f"{translated(language, _REASON_WORDS[one.reason])}. "
    if one.resolved_at is None:
        return text + translated(language, "Since %(start)s.") % {"start": moment(one.opened_at, language)}
    span = {"start": moment(one.opened_at, language), "end": moment(one.resolved_at, language)}
    return text + translated(language, "From %(start)s to %(end)s.") % span


def _add_entry(root: ElementTree.Element, one: _Entry, url: str) -> None:
    entry = ElementTree.SubElement(root, "entry")
    _add(entry, "id", f"{url}#{one.key}")
    _add(entry, "title", one.title)
    ElementTree.SubElement(entry, "link", {"href": url})
    _add(entry, "published", _machine(one.published))
    _add(entry, "updated", _machine(one.updated))
    _add(entry, "content", one.text)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    # XML cannot hold these, not even escaped.
    ElementTree.SubElement(parent, name).text = text.translate(_XML_CONTROL)
