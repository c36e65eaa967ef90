"""What a page that refreshes itself costs: calls of the store are counted, with few crons and with many."""

import re
from collections import Counter

import pytest

from chalicelib.api.routes.pages import crons as page_of_crons
from chalicelib.services import overview
from tests.api.browser import Browser
from tests.api.client import Api, Clock
from tests.api.conftest import Calls
from tests.capacity import counting

#: The session, its key and its org.
VISIT = ["GetItem"] * 3


@pytest.fixture(autouse=True)
def no_strip_is_kept() -> None:
    overview._strip.cache_clear()


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_crons, "_LARGE", 10)


def register(api: Api, number: int) -> list[str]:
    return api.register(*({"name": f"job {n:03}", "schedule": None} for n in range(number)))


def known_changes(browser: Browser) -> str:
    [changes] = re.findall(r'data-changes="(\d+)"', browser.get("/").text)
    return changes


def changed_rows(browser: Browser, since: str, ids: list[str]) -> tuple[str, list[str]]:
    """Returns the number of changes by now, and the ids of the rows that are answered."""
    text = browser.get(f"/crons/changes?since={since}&ids={'+'.join(ids)}").text
    [changes] = re.findall(r'data-changes="(\d+)"', text)
    return changes, re.findall(r'id="c-([^"]+)"', text)


def test_a_refresh_reads_no_strip_that_has_not_changed(
    api: Api, clock: Clock, browser: Browser, calls: Calls
) -> None:
    ids = register(api, 30)
    browser.get("/")
    api.post(f"/api/ping/{ids[0]}", key=None)
    clock.pass_by(seconds=15)
    calls.clear()

    page = browser.get("/").text

    # The changes, the windows, the crons, the projects, and the strip of the cron that ran.
    assert Counter(calls.names) == Counter([*VISIT, *["Query"] * 5])
    assert "1 succeeded" in page


def test_of_many_crons_only_those_in_view_are_refreshed(
    api: Api, clock: Clock, browser: Browser, calls: Calls, many: None
) -> None:
    ids = register(api, 30)
    for cron_id in ids:
        api.post(f"/api/ping/{cron_id}", key=None)
    since = known_changes(browser)
    clock.pass_by(seconds=15)
    api.post(f"/api/ping/{ids[3]}", key=None)
    calls.clear()

    changes, shown = changed_rows(browser, since, ids[:8])

    assert (changes, shown) == (since, ids[:8])
    # The changes, the windows, the eight crons at once, and the strip of the one that ran.
    assert calls.names == [*VISIT, "Query", "Query", "BatchGetItem", "Query"]


def test_it_costs_the_same_with_ten_times_as_many_crons(api: Api, browser: Browser, many: None) -> None:
    consumed = []
    for number in (20, 200):
        ids = register(api, number)
        since = known_changes(browser)
        changed_rows(browser, since, ids[:8])
        with counting() as counted:
            assert changed_rows(browser, since, ids[:8])[1] == ids[:8]
        consumed.append((counted.calls, counted.read))

    assert consumed[0][0] == consumed[1][0]
    assert consumed[1][1] <= consumed[0][1] + 2


def test_the_whole_page_is_asked_for_once_a_cron_stands_otherwise_comes_or_goes(
    api: Api, clock: Clock, browser: Browser, many: None
) -> None:
    ids = register(api, 12)
    for change in (
        lambda: api.post(f"/api/fail/{ids[5]}", key=None),
        lambda: api.register({"name": "another", "schedule": None}),
        lambda: api.delete(f"/api/crons/{ids[6]}"),
        lambda: api.post(f"/api/crons/{ids[7]}/pause", {}),
    ):
        since = known_changes(browser)
        assert changed_rows(browser, since, ids[:3]) == (since, ids[:3])
        clock.pass_by(seconds=15)
        change()

        changes, shown = changed_rows(browser, since, ids[:3])

        assert changes != since
        assert shown == []


def test_few_crons_are_refreshed_whole(api: Api, browser: Browser) -> None:
    register(api, 3)

    assert "data-changes" not in browser.get("/").text


def test_rows_of_another_org_are_not_answered(api: Api, browser: Browser, many: None) -> None:
    register(api, 12)
    since = known_changes(browser)
    own, api.key = api.key, api.new_org("other")
    [foreign] = api.register({"name": "secret", "schedule": None})
    api.key = own

    assert changed_rows(browser, since, [foreign]) == (since, [])
