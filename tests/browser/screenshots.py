"""Take a picture of every kind of page, the desk's too, at the width of a desk and of a phone, light and dark.

    python -m tests.browser.screenshots [FOLDER]

The pictures go to tests/screenshots/ unless a folder is named. They are for looking at, not for comparing.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.desk import desk_of
from tests.browser.install import chromium
from tests.browser.pages import DESK_PAGES, PAGES, Cast, DeskVisit
from tests.browser.running import ROOT, RunningSite, copy_of_site
from tests.browser.visitor import CHROMIUM, Scheme, new_context

WIDTHS = (1280, 360)
Visit = Callable[[Page, str], None]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        site = RunningSite(copy_of_site(Path(root)))
        site.start()
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
            with desk_of(site) as desk:
                cast = Cast(desk)
                visits = PAGES | {name: desk_visit(visit, cast) for name, visit in DESK_PAGES.items()}
                for width in WIDTHS:
                    for scheme in get_args(Scheme):
                        take(browser, site.origin, visits, width, scheme, folder)
            browser.close()
            site.stop()
        finally:
            site.kill()
    print(f"{len(PAGES | DESK_PAGES) * len(WIDTHS) * len(get_args(Scheme))} pictures in {folder}")


def desk_visit(visit: DeskVisit, cast: Cast) -> Visit:
    return lambda page, origin: visit(page, cast)


def take(
    browser: Browser, origin: str, visits: Mapping[str, Visit], width: int, scheme: Scheme, folder: Path
) -> None:
    """A picture of each page in one browser."""
    context = new_context(browser, width, scheme=scheme)
    page = context.new_page()
    for name, visit in visits.items():
        visit(page, origin)
        picture = f"{name.replace(', ', '-').replace(' ', '-')}-{width}-{scheme}.png"
        page.screenshot(path=folder / picture, full_page=True)
    context.close()


if __name__ == "__main__":
    main()
