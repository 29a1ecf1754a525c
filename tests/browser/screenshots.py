"""Take a picture of every kind of page, at the width of a desk and of a phone, light and dark.

    python -m tests.browser.screenshots [FOLDER]

The pictures go to tests/screenshots/ unless a folder is named. They are for looking at, not for comparing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import get_args

from playwright.sync_api import sync_playwright
from tests.browser.install import chromium
from tests.browser.pages import PAGES
from tests.browser.running import ROOT, RunningSite, copy_of_site
from tests.browser.visitor import CHROMIUM, Scheme, new_context

WIDTHS = (1280, 360)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        site = RunningSite(copy_of_site(Path(root)))
        site.start()
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
            for width in WIDTHS:
                for scheme in get_args(Scheme):
                    context = new_context(browser, width, scheme=scheme)
                    page = context.new_page()
                    for name, visit in PAGES.items():
                        visit(page, site.origin)
                        picture = f"{name.replace(', ', '-').replace(' ', '-')}-{width}-{scheme}.png"
                        page.screenshot(path=folder / picture, full_page=True)
                    context.close()
            browser.close()
            site.stop()
        finally:
            site.kill()
    print(f"{len(PAGES) * len(WIDTHS) * len(get_args(Scheme))} pictures in {folder}")


if __name__ == "__main__":
    main()
