"""Every view passes axe-core, in light and in dark: nothing serious, and targets of at least 24 px."""

from typing import TYPE_CHECKING, Literal

import pytest

from tests.web.views import open_invitation, sign_in, views

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.web.conftest import Demo

# Installed by `make test-web` alone.
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.web

_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
_SERIOUS = ("serious", "critical")
Scheme = Literal["light", "dark"]


def faults_of(page: "Page") -> list[str]:
    found = axe.Axe().run(page, options=_RULES).response["violations"]
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in _SERIOUS
        for node in fault["nodes"]
    ]


#: The reference repeats one part a hundred times, and axe compares every target with every other.
_THIN_OUT = "document.querySelectorAll('.operation').forEach((one, at) => { if (at % 12) one.remove(); })"


def faults_of_view(page: "Page", name: str, schemes: "tuple[Scheme, ...]" = ("light", "dark")) -> list[str]:
    page.evaluate(_THIN_OUT)
    # What slides in is looked at when it is there.
    page.emulate_media(reduced_motion="reduce")
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found += [f"{name} ({scheme}) {fault}" for fault in faults_of(page)]
    return found


def faults_of_width(page: "Page", name: str) -> list[str]:
    beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{name} scrolls sideways by {beyond} px"] if beyond > 0 else []


@pytest.mark.parametrize("is_signed_in", [True, False], ids=["signed in", "for everybody"])
@pytest.mark.parametrize(
    ("width", "schemes"), [(1280, ("light", "dark")), (390, ("light",))], ids=["wide, both schemes", "narrow"]
)
def test_no_view_has_a_serious_fault(
    chromium: "Browser", demo: "Demo", is_signed_in: bool, width: int, schemes: "tuple[Scheme, ...]"
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-GB", bypass_csp=True)
    page = context.new_page()
    if is_signed_in:
        sign_in(page, demo.address, demo.key)
    found: list[str] = []
    seen = 0
    for view in views(demo.address, demo.key):
        if view.is_signed_in == is_signed_in:
            page.goto(f"{demo.address}/{view.path}")
            found += faults_of_view(page, view.name, schemes)
            found += faults_of_width(page, view.name)
            seen += 1
    context.close()

    assert found == []
    assert seen > 20


def test_what_a_form_leads_to_has_no_serious_fault(chromium: "Browser", demo: "Demo") -> None:
    """An invitation that is open, and the page that shows a new key."""
    context = chromium.new_context(locale="en-GB", bypass_csp=True)
    page = context.new_page()
    open_invitation(page, demo.address, demo.key)
    found = faults_of_view(page, "invitation")
    page.get_by_role("button", name="Accept and sign in").click()
    page.get_by_role("heading", name="Welcome").wait_for()
    found += faults_of_view(page, "new-key")
    context.close()

    assert found == []


def test_axe_finds_what_it_should(page: "Page") -> None:
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src=x><a href=x></a></main></html>")

    assert {fault.partition(":")[0] for fault in faults_of(page)} >= {"image-alt", "link-name"}
