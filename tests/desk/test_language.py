"""Data in a page of another language: what is Chinese says so, what stands in for it is translated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from xinheng.desk.language import CHINESE, language_of, page_language, said
from xinheng.leads.listing import NAMELESS, UNREADABLE

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def in_english(shipped_app: Flask) -> Iterator[None]:
    with shipped_app.test_request_context("/desk/"), force_locale("en"):
        yield


@pytest.mark.usefixtures("in_english")
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Anna", [("Anna", None)]),
        ("周敏", [("周敏", "zh-Hans")]),
        ("陈*", [("陈", "zh-Hans"), ("*", None)]),
        ("Owner: 周敏", [("Owner: ", None), ("周敏", "zh-Hans")]),
        ("欠了80万，3个月。", [("欠了80万，3个月。", "zh-Hans")]),
        ("用SAP系统", [("用", "zh-Hans"), ("SAP", None), ("系统", "zh-Hans")]),
        (NAMELESS, [("No name given", None)]),
        (UNREADABLE, [("(can't be decrypted: wrong key)", None)]),
    ],
)
def test_what_is_chinese_in_data_says_so(text: str, pieces: list[tuple[str, str | None]]) -> None:
    marked = [f'<bdi lang="{language}">{piece}</bdi>' if language else piece for piece, language in pieces]
    assert said(text) == "".join(marked).replace("'", "&#39;")
    assert language_of(text) == (CHINESE if any(language for _, language in pieces) else None)


@pytest.mark.usefixtures("in_english")
def test_data_that_looks_like_html_is_text() -> None:
    assert said("<b>周</b>") == '&lt;b&gt;<bdi lang="zh-Hans">周</bdi>&lt;/b&gt;'


@pytest.mark.parametrize("text", ["周敏", "Owner: 周敏", NAMELESS, UNREADABLE])
def test_in_a_chinese_page_data_is_left_as_it_is(text: str, shipped_app: Flask) -> None:
    with shipped_app.test_request_context("/desk/"):
        assert language_of(text) is None
        assert page_language() == CHINESE
