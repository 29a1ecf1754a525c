"""Long lists in pages: every article on one page, every page at one address."""

from __future__ import annotations

from typing import Any

import pytest

from xinheng.articles.paging import PAGE_SIZE, NoSuchPage, page_of


def some(number: int) -> Any:
    """Paging looks at no article: numbers will do."""
    return list(range(number))


@pytest.mark.parametrize(
    ("total", "last"), [(0, 1), (1, 1), (PAGE_SIZE, 1), (PAGE_SIZE + 1, 2), (2 * PAGE_SIZE, 2), (200, 9)]
)
def test_every_article_stands_on_one_page_in_its_order(total: int, last: int) -> None:
    pages = [page_of(some(total), None if number == 1 else str(number)) for number in range(1, last + 1)]
    assert [page.number for page in pages] == list(range(1, last + 1))
    assert {(page.last, page.total) for page in pages} == {(last, total)}
    assert [each for page in pages for each in page.articles] == some(total)
    assert all(len(page.articles) == PAGE_SIZE for page in pages[:-1])


@pytest.mark.parametrize(
    "number",
    ["0", "1", "-1", "01", "02", "002", "+2", " 2", "2 ", "2.0", "２", "二", "", "4", "99999999", "x", "1e1", "2_0", "9" * 5000],
)  # fmt: skip
def test_a_number_that_is_no_page_or_the_address_of_another_is_refused(number: str) -> None:
    with pytest.raises(NoSuchPage):
        page_of(some(3 * PAGE_SIZE), number)


def test_the_first_page_of_nothing_is_there() -> None:
    assert page_of(some(0), None).articles == []
    with pytest.raises(NoSuchPage):
        page_of(some(0), "2")
