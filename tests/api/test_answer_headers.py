"""What every answer says to browsers and caches."""

import pytest

from tests.api.client import Answer, Api
from tests.api.test_every_route import ROUTES, call


def header(answer: Answer, name: str) -> str | None:
    return {key.lower(): value for key, value in answer.headers.items()}.get(name)


@pytest.mark.parametrize("name", ROUTES)
def test_every_answer_is_taken_for_what_it_is_and_none_with_a_key_is_kept(api: Api, name: str) -> None:
    for key in (None, "no-key", api.key):
        answer = call(api, name, key=key)

        assert header(answer, "x-content-type-options") == "nosniff"
        if key:
            assert header(answer, "cache-control") == "no-store"


def test_only_pages_may_be_kept(api: Api) -> None:
    assert "no-cache" in (header(api.get("/", key=None), "cache-control") or "")
    assert header(api.get("/", headers={"Cookie": "session=x"}, key=None), "cache-control") == "no-store"


def test_the_answer_that_shows_a_first_key_is_not_kept(api: Api) -> None:
    api.post("/api/orgs", {"name": "Other", "slug": "other-org"}, key=None)
    claimed = api.post("/api/orgs/other-org/api-keys", {"name": "first"}, key=None)

    assert "key" in claimed.json
    assert header(claimed, "cache-control") == "no-store"
