"""A path finds the route that a look at all of them finds."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.routes import ROUTES
from infra.local.api_gateway import Routes

TEMPLATES = sorted({one.path for one in ROUTES})
FOUND = Routes(TEMPLATES)
_SEGMENTS = sorted({segment for template in TEMPLATES for segment in template.split("/")})
_filled = st.sampled_from(TEMPLATES).flatmap(
    lambda template: st.tuples(*map(_filling, template.split("/"))).map("/".join)
)
_any = st.lists(st.sampled_from([*_SEGMENTS, "x", ""]), max_size=6).map(lambda segments: "/" + "/".join(segments))


def _filling(segment: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*_SEGMENTS, "x"]) if segment.startswith("{") else st.just(segment)


@given(_filled | _any, st.sampled_from(["", "/"]))
def test_the_route_is_that_of_a_look_at_all(path: str, slash: str) -> None:
    found = FOUND.find(path + slash)

    assert (found and found[0].template) == _slowly(path + slash)


def _slowly(path: str) -> str | None:
    """Of the templates that fit, the one with a literal where the others have their first parameter."""
    given = (path.removesuffix("/") if path != "/" else path).split("/")
    fitting = [template for template in TEMPLATES if _fits(template.split("/"), given)]
    return min(fitting, key=lambda one: [part.startswith("{") for part in one.split("/")], default=None)


def _fits(wanted: list[str], given: list[str]) -> bool:
    return len(wanted) == len(given) and all(
        bool(got) if part.startswith("{") else part == got for part, got in zip(wanted, given, strict=True)
    )
