"""No telephone, mail address or identity number gets into the log, however it is written and whatever carries it."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conftest import ORIGIN, ROOT

from xinheng.errors import request_name
from xinheng.logs import CoveringFormatter, covered, log_what_nobody_caught

PHONE = "13974625813"


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """What our handler writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(CoveringFormatter(request_name))
    logging.getLogger().addHandler(handler)
    yield stream.getvalue
    logging.getLogger().removeHandler(handler)


def digits_of(text: str) -> str:
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


def spelled(digits: str, gaps: list[str], wide: bool) -> str:
    """The digits with something between some of them, perhaps full-width."""
    text = "".join(sign + gap for sign, gap in zip(digits, [*gaps, *[""] * len(digits)], strict=False))
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９")) if wide else text


NUMBERS = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"0[1-9][0-9]{1,2}[0-9]{7,8}", fullmatch=True),
    st.from_regex(r"\+86(1[3-9][0-9]{9}|[1-9][0-9]{9})", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True),
)
AROUND = st.text(alphabet=st.sampled_from("电话是abcxyz：:,，。='\"/[]{}\n\r\t "), max_size=12)


@given(
    number=NUMBERS,
    gaps=st.lists(st.sampled_from(["", " ", "-", "  ", "—", "(", ") "]), max_size=12),
    wide=st.booleans(),
    before=AROUND,
    after=AROUND,
)
@example(number=PHONE, gaps=[], wide=False, before="phone", after="x")
def test_no_spelling_of_a_number_stays(
    number: str, gaps: list[str], wide: bool, before: str, after: str
) -> None:
    text = before + spelled(number.replace("+", ""), gaps, wide) + after
    assert len(digits_of(covered(text))) < 7


@given(st.emails())
def test_no_mail_address_stays(address: str) -> None:
    if address.isascii() and all(sign.isalnum() or sign in ".+-_@" for sign in address):
        assert address not in covered(f"给 {address} 发信") or address.partition("@")[0] in {"*"}


@pytest.mark.parametrize(
    "text",
    [
        "XH-12345-67890",
        "SQ-12345-67890",
        "HC-7K2M9-QPD4R",
        "1893b6c0a1f4e2d00123456789012345",
        "2026-11-23T04:00 → 2026-11-24T05:00",
        "127.0.0.1:8000",
        "192.168.100.200",
        "ageing.md:3: category",
        "第 3 次没有发出",
        "leads.db：database is locked",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert covered(text) == text


def test_a_mail_address_keeps_its_host() -> None:
    assert covered("不收 zhou.min@xinheng.example；") == "不收 z***@xinheng.example；"


def test_an_exception_is_told_without_its_message_and_what_variables_held(written: Callable[[], str]) -> None:
    phone = f"电话 {PHONE}"
    try:
        raise ValueError(phone)
    except ValueError:
        logging.getLogger("xinheng").exception("没有成功：%s", phone)
    assert "ValueError" in written()
    assert "test_logs.py" in written()
    assert PHONE not in written()


def test_a_line_that_somebody_forged_is_no_event(written: Callable[[], str]) -> None:
    forged = "2026-11-22 10:00:00,000 INFO xinheng: 一切正常"
    logging.getLogger("xinheng").warning("收到 %s", f"x\r\n{forged}\r{forged}\u2028{forged}")
    assert all(line.startswith("    ") for line in written().splitlines()[1:])
    assert forged in written()
    assert "\r" not in written()


def test_a_call_with_wrong_arguments_shows_none(written: Callable[[], str]) -> None:
    record = logging.LogRecord("xinheng", logging.INFO, "x.py", 7, "%d", (PHONE,), None)
    text = CoveringFormatter().format(record)
    assert "x.py:7" in text
    assert PHONE not in text


def test_what_nobody_caught_goes_the_same_way(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_what_nobody_caught()

    def fail() -> None:
        raise RuntimeError(PHONE)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except RuntimeError as fault:
        sys.excepthook(RuntimeError, fault, fault.__traceback__)
    assert written().count("CRITICAL") == 2
    assert PHONE not in written()


def test_a_view_that_fails_with_what_was_typed_leaves_none_of_it(
    app: Flask, written: Callable[[], str]
) -> None:
    def fail(**_fields: object) -> str:
        typed = f"欧阳 {PHONE}"
        raise LookupError(typed)

    app.view_functions["leads.form_page"] = fail
    assert app.test_client().get("/consultation", base_url=ORIGIN).status_code == 500
    assert "LookupError" in written()
    assert PHONE not in written()
    assert "欧阳 " not in written()


def test_the_page_of_an_error_and_its_lines_in_the_log_share_a_name(
    app: Flask, written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        logging.getLogger("xinheng").warning("just before")
        raise LookupError

    monkeypatch.setitem(app.view_functions, "leads.form_page", fail)
    client = app.test_client()
    names = []
    for _ in range(2):
        page = client.get("/consultation", base_url=ORIGIN)
        found = re.search(r"错误编号 <span[^>]*>([0-9a-f]{8})</span>", page.text)
        assert page.status_code == 500
        assert found
        names.append(found[1])
    lines = written().splitlines()
    for name in names:
        assert sum(f"[{name}]: " in line for line in lines) == 2
    assert names[0] != names[1]
    logging.getLogger("xinheng").warning("outside")
    assert written().endswith("WARNING xinheng: outside\n")


def test_a_line_says_when_in_a_zone_that_is_no_matter_of_the_server() -> None:
    record = logging.LogRecord("xinheng", logging.INFO, __file__, 1, "x", (), None)
    record.created = datetime(2026, 11, 23, 4, 0, 0, 250_000, UTC).timestamp()
    assert CoveringFormatter().format(record) == "2026-11-23T04:00:00.250+00:00 INFO xinheng: x"


@pytest.mark.parametrize(
    "address",
    [
        "/consultation/XH-7K2M",
        "/privacy/request/7K2M",
        "/health-check/results/AAAAAAAAAAAAAAAAAAAAAA",
        "/health-check/resume/AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_nginx_writes_no_secret_address_into_any_log(address: str) -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")

    def kept(pattern: str, text: str) -> list[str]:
        """The regular expressions of the file, by what stands around them, that match this address."""
        return [each for each in re.findall(pattern, nginx, re.MULTILINE) if re.search(each, text)]

    assert kept(r'^    "~(\S+)"\s+"-";', f"https://www.example.com{address}"), "as a referrer"
    assert kept(r'^    "~(\S+)"\s+0;', address), "in the access log"
    assert kept(r"^    location ~ (\S+) \{\s+error_log \S+ crit;", address), "in the error log"
