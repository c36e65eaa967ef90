"""Pictures of every view into docs/images, from `make demo`: light, dark and on a phone. `make screenshots`."""

import base64
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.web.conftest import CHROMIUM, FLAGS, ROOT, demo_in
from tests.web.views import open_invitation, sign_in, views

if TYPE_CHECKING:
    # Installed by `make test-web` alone.
    from playwright.sync_api import Browser, Page

IMAGES = ROOT / "docs" / "images"
#: Longer pages are cut: a picture shows what is seen first.
_HIGHEST = 1600
_QUALITY = 75


class Look(NamedTuple):
    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


LOOKS = (Look("light", 1280, 860, "light"), Look("dark", 1280, 860, "dark"), Look("phone", 390, 844, "light"))


def main() -> int:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as state, demo_in(Path(state)) as demo, sync_playwright() as playwright:
        listed = views(demo.address, demo.key)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for look in LOOKS:
            shutil.rmtree(IMAGES / look.name, ignore_errors=True)
            (IMAGES / look.name).mkdir(parents=True)
            for is_signed_in in (False, True):
                page = _page(chromium, look)
                if is_signed_in:
                    sign_in(page, demo.address, demo.key)
                for view in listed:
                    if view.has_picture and view.is_signed_in == is_signed_in:
                        page.goto(f"{demo.address}/{view.path}")
                        _take(page, view.name, look)
                if not is_signed_in:
                    open_invitation(page, demo.address, demo.key)
                    _take(page, "invitation", look)
                page.context.close()
        chromium.close()
    total = sum(file.stat().st_size for file in IMAGES.rglob("*.webp"))
    print(f"{len(list(IMAGES.rglob('*.webp')))} pictures, {total / 1e6:.1f} MB")
    return 0


def _page(chromium: "Browser", look: Look) -> "Page":
    context = chromium.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Paris",
    )
    return context.new_page()


def _take(page: "Page", name: str, look: Look) -> None:
    height = min(page.evaluate("document.documentElement.scrollHeight"), _HIGHEST)
    clip = {"x": 0, "y": 0, "width": look.width, "height": height, "scale": 1}
    # Playwright itself knows no WebP, which is a third of the size.
    session = page.context.new_cdp_session(page)
    wanted = {"format": "webp", "quality": _QUALITY, "clip": clip, "captureBeyondViewport": True}
    picture = session.send("Page.captureScreenshot", wanted)["data"]
    (IMAGES / look.name / f"{name}.webp").write_bytes(base64.b64decode(picture))


if __name__ == "__main__":
    sys.exit(main())
