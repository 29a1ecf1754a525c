"""What a page says of how its visitor came, read with suspicion."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xinheng.leads.attribution import LONGEST, public_path, read_attribution
from xinheng.leads.submission import Attribution, Touch

OWN = "127.0.0.1:8000"
KNOWN = {"ageing", "first-call"}


def read(data: Any, referrer: str = "") -> Attribution:
    touch = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return read_attribution(touch, referrer, OWN, KNOWN)


def test_all_that_a_page_says_is_read() -> None:
    found = read(
        {
            "page": "/articles/ageing",
            "first": {"host": "www.baidu.com", "path": "/articles/first-call", "utm": {"utm_source": "newsletter"}},
            "last": {"host": "mp.weixin.qq.com", "path": "/"},
            "read": ["first-call", "ageing"],
        }
    )  # fmt: skip
    assert found == Attribution(
        page="/articles/ageing",
        article="ageing",
        first=Touch("www.baidu.com", "/articles/first-call", {"utm_source": "newsletter"}),
        last=Touch("mp.weixin.qq.com", "/", {}),
        articles_read=("first-call", "ageing"),
    )


@pytest.mark.parametrize(
    "touch",
    [
        "",
        "null",
        "[]",
        "0",
        '"text"',
        "{",
        "{" * 3000,
        "[" * 3999,
        '{"page": 1}',
        '{"page": ["/articles/ageing"]}',
        '{"first": "no object"}',
        '{"first": {"host": 5, "path": [], "utm": "x"}}',
        '{"last": {"utm": {"utm_source": {"a": 1}}}}',
        '{"read": "ageing"}',
        '{"read": [1, null, {"a": 2}]}',
        '{"page": "\\ud800"}',
        "\x00",
        '{"page": ' + "9" * 3900 + "}",
    ],
)
def test_nonsense_reads_as_nothing(touch: str) -> None:
    assert read(touch) == Attribution()


@pytest.mark.parametrize(
    "referrer", ["http://[bad", "http://[::1", "//[", "http://[v1.x]/", "::::", "\x00", "http://"]
)
def test_a_referrer_that_is_no_address_reads_as_nothing(referrer: str) -> None:
    assert read("", referrer) == Attribution()


@pytest.mark.parametrize(
    ("referrer", "page", "article"),
    [
        (f"http://{OWN}/articles/ageing?utm_source=x", "/articles/ageing", "ageing"),
        (f"http://{OWN}/consultation", "/consultation", ""),
        (f"http://{OWN}/articles/draft", "/articles/draft", ""),
        ("https://www.baidu.com/s?wd=坏账", "", ""),
        (f"https://evil.example/{OWN}/articles/ageing", "", ""),
        (f"http://{OWN}.evil.example/articles/ageing", "", ""),
    ],
)
def test_with_script_off_the_page_is_our_own_referrer(referrer: str, page: str, article: str) -> None:
    found = read("", referrer)
    assert (found.page, found.article) == (page, article)


def test_the_page_that_script_named_goes_before_the_referrer() -> None:
    assert read({"page": "/articles/first-call"}, f"http://{OWN}/consultation").article == "first-call"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/articles/ageing", "/articles/ageing"),
        ("/articles/ageing?phone=13800138000", "/articles/ageing"),
        ("/search?q=%E5%BC%A0%E4%B8%89", "/search"),
        ("/articles/ageing#source-1", "/articles/ageing"),
        ("/consultation", "/consultation"),
        ("/consultation/XH-7K2M9-QPD4R", "/consultation"),
        ("/consultation/XH-7K2M9-QPD4R/print", "/consultation"),
        ("/health-check/result/abcdef", "/health-check"),
        ("/health-check/resume/abcdef", "/health-check"),
        ("/health-check", "/health-check"),
        ("/health-check/method", "/health-check/method"),
        ("/health-check/method/abcdef", "/health-check"),
        ("/x/13800138000", "/x/*"),
        ("https://evil.example/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
        ("/" + "a" * 500, "/" + "a" * 199),
    ],
)
def test_a_path_is_kept_without_queries_secrets_and_numbers(path: str, kept: str) -> None:
    assert public_path(path) == kept
    assert read({"page": path}).page == kept
    assert read({"first": {"path": path}}).first.path == kept


def test_a_receipt_of_a_rights_request_is_nobodys_business() -> None:
    assert public_path("/privacy/request/SQ-7K2M9-QPD4R") == "/privacy/request"


def test_slugs_that_are_no_articles_repeats_and_all_after_twenty_are_left_out() -> None:
    assert read({"read": ["ageing", "draft", "ageing", "../etc", "first-call"]}).articles_read == (
        "ageing",
        "first-call",
    )
    many = [f"a{number}" for number in range(50)]
    assert len(read_attribution(json.dumps({"read": many}), "", OWN, many).articles_read) == 20


def test_campaign_marks_are_the_five_known_ones_cut_and_without_long_numbers() -> None:
    marks = {
        "utm_source": "wechat",
        "utm_medium": "x" * 300,
        "utm_campaign": "q4 13800138000",
        "utm_term": "",
        "gclid": "secret",
    }
    assert read({"last": {"utm": marks}}).last.utm == {
        "utm_source": "wechat",
        "utm_medium": "x" * 100,
        "utm_campaign": "q4 *",
    }


def test_control_signs_are_taken_out() -> None:
    assert read({"first": {"host": "www.\x00baidu\r\n.com"}}).first.host == "www.baidu.com"


def test_a_field_longer_than_the_limit_is_no_reason_to_fail() -> None:
    assert read({"page": "/articles/ageing", "read": ["x" * LONGEST]}) == Attribution()
