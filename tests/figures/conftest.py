"""What the tests of figures share: an article's text, and a number as the articles print it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from xinheng.documents import read_front_matter

ARTICLES = Path(__file__).parent.parent.parent / "content" / "articles"


class Printed:
    """The Markdown of one article, key points and summary included, to be asked what it says."""

    def __init__(self, slug: str) -> None:
        document = read_front_matter(ARTICLES / f"{slug}.md")
        front = [document.data.get("summary") or "", *(document.data.get("key_points") or [])]
        self.text = "\n".join([*front, document.body])

    def says(self, *phrases: str) -> None:
        """Each phrase stands in the article, letter for letter."""
        missing = [phrase for phrase in phrases if phrase not in self.text]
        assert not missing, f"the article doesn't say: {missing}"


def shown(value: float, digits: int = 1) -> str:
    """A number as it is printed: rounded half up to so many decimals."""
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(repr(round(value, 9))).quantize(step, ROUND_HALF_UP))


@pytest.fixture
def article() -> Callable[[str], Printed]:
    return Printed


@pytest.fixture(name="shown")
def shown_fixture() -> Callable[..., str]:
    return shown
