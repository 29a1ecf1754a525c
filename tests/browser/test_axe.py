"""No page has a fault that axe finds, in either colour scheme, on a desk or a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.browser.conftest import PageAt
from tests.browser.pages import PAGES
from tests.browser.running import RunningSite
from tests.browser.visitor import Scheme

pytestmark = pytest.mark.browser

axe = Axe()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: RunningSite, page_at: PageAt, scheme: Scheme, width: int) -> None:
    page = page_at(width, scheme=scheme)
    faults = []
    for name, visit in PAGES.items():
        visit(page, site.origin)
        page.locator("h1").wait_for()
        found = axe.run(page)
        if found.violations_count:
            faults.append(f"{name}:\n{found.generate_report()}")
    assert not faults, "\n".join(faults)
