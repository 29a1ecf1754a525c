"""Covers are in balance, on the page, and always the same for a title."""

from __future__ import annotations

import pytest
from tests.conftest import ROOT

from xinheng.articles.article import Category
from xinheng.articles.cover import BEAM_LEFT, BEAM_RIGHT, BEAM_Y, SHAPES, cover
from xinheng.articles.reading import read_categories

TITLES = [file.stem for file in sorted((ROOT / "content" / "articles").glob("*.md"))] + [
    "",
    "账",
    "账龄分析表怎么做、怎么看",
    "A" * 400,
    "😀",
    *(str(number) for number in range(200)),
]


@pytest.mark.parametrize("title", TITLES)
def test_the_beam_is_in_balance(title: str) -> None:
    drawn = cover(title)
    left = sum(
        weight.scale**2 * (drawn.fulcrum - weight.x) for weight in drawn.weights if weight.x < drawn.fulcrum
    )
    right = sum(
        weight.scale**2 * (weight.x - drawn.fulcrum) for weight in drawn.weights if weight.x > drawn.fulcrum
    )
    assert left == pytest.approx(right, rel=0.002), "the last arm is rounded to a tenth"


@pytest.mark.parametrize("title", TITLES)
def test_nothing_hangs_beside_the_beam_or_in_another_weight(title: str) -> None:
    drawn = cover(title)
    large, near, far = drawn.weights
    assert large.x < drawn.fulcrum < near.x < far.x
    assert large.scale > max(near.scale, far.scale)
    assert large.x - large.scale * 9 >= BEAM_LEFT
    assert far.x + far.scale * 9 <= BEAM_RIGHT
    assert far.x - near.x > (near.scale + far.scale) * 9
    assert all(weight.y > BEAM_Y and weight.y + weight.scale * 20 < 400 for weight in drawn.weights)
    assert all(drawn.fulcrum < x < BEAM_RIGHT for x, _ in drawn.ticks)


def test_a_title_always_gives_the_same_cover() -> None:
    before = [cover(title) for title in TITLES]
    cover.cache_clear()
    assert [cover(title) for title in TITLES] == before


def test_titles_give_different_covers() -> None:
    assert len({cover(title) for title in TITLES}) > len(TITLES) * 0.95


@pytest.mark.parametrize("category", read_categories(ROOT / "content").values(), ids=lambda row: row.slug)
def test_every_category_has_a_shape_that_can_be_drawn(category: Category) -> None:
    assert SHAPES[category.shape].startswith("M")
