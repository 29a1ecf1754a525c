"""What a visitor typed stands nowhere in clear: not in a database, its log, another file, the log, or a notice."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from tests.conftest import ORIGIN, OWN_PAGE
from tests.databases import a_writer_elsewhere, raw_bytes, refuse_inserts
from tests.leads.conftest import a_spool_that_is_gone
from tests.notices.bots import running_bots
from tests.notices.sending import send_due

from xinheng.app import create_app
from xinheng.bots import Bot
from xinheng.crypto import CannotDecrypt, Keys
from xinheng.db import Databases
from xinheng.db.sqlite import SqliteDatabase
from xinheng.leads import record
from xinheng.leads.models import Enquiry, Lead
from xinheng.notices.channels import made_channels
from xinheng.notices.outbox import Notice
from xinheng.settings import Settings

NAME = "欧阳震华验"
PHONE = "139 7462 5813"
DETAILS = "客户绥芬河木材行拖欠柒拾叁万元，验收单编号QX-773311。"
SECOND_PHONE = "021-63958427 转 8866"

BOTS = (
    Bot("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcdef"),
    Bot("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=abcdef", "SECa"),
    Bot("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/abcdef", "b"),
)

FORMS: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)
WORDS = (NAME, "欧阳震华", DETAILS, "绥芬河木材行", "柒拾叁万元", "QX-773311")
DIGITS = ("13974625813", "74625813", "7462581", "862163958427", "63958427", "6395842")


def spellings() -> Iterator[str]:
    """The words, and the digits as people and machines write them."""
    yield from WORDS
    yield from (
        PHONE,
        SECOND_PHONE,
        "+8613974625813",
        "139-7462-5813",
        "１３９７４６２５８１３",
        "7462 5813",
        "7462-5813",
    )
    yield from DIGITS


def needles() -> set[bytes]:
    """Every spelling in the encodings that a file or a driver may use."""
    found = set()
    for spelling, fold in itertools.product(spellings(), FORMS):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            found.add(fold(spelling).encode(encoding))
        found.add(fold(spelling).encode("gb18030"))
        found.add(fold(spelling).encode("unicode_escape"))
    return found


def files_below(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


def assert_nowhere(folder: Path, databases: Databases | None = None) -> None:
    """In no file below the folder, nor in the tables of databases that lie elsewhere."""
    held = {str(file): file.read_bytes() for file in files_below(folder)}
    if databases:
        held["the database"] = raw_bytes(databases, folder)
    assert held
    for place, needle in itertools.product(held, needles()):
        around = held[place].partition(needle)[0][-40:]
        assert needle not in held[place], f"{place} holds {needle!r} after {around!r}"


def databases_of(site: Flask) -> Databases:
    found: Databases = site.extensions["xinheng.databases"]
    return found


@pytest.fixture
def site(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["xinheng.reads"].stop()
    made.extensions["xinheng.databases"].dispose()


def fill(site: Flask, **changed: str) -> dict[str, str]:
    return {
        "need": "overdue",
        "name": NAME,
        "phone": PHONE,
        "details": DETAILS,
        "call_time": "morning",
        "consent": "yes",
        "consent_version": site.extensions["xinheng.consultation"].published().version,
        "submission_id": "0123456789abcdef0123456789abcdef",
    } | changed


def submit(site: Flask, **changed: str) -> int:
    client = site.test_client()
    return client.post(
        "/consultation", data=fill(site, **changed), headers=OWN_PAGE, base_url=ORIGIN
    ).status_code


def assert_log_is_clean(caplog: pytest.LogCaptureFixture) -> None:
    for needle in spellings():
        assert needle not in caplog.text


def test_an_enquiry_leaves_nothing_in_clear(
    site: Flask, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert submit(site) == 303
    assert submit(site) == 303
    assert submit(site, phone=SECOND_PHONE, submission_id="") == 303
    while send_due(databases_of(site).leads, made_channels(settings)):
        pass
    if isinstance(databases_of(site).leads, SqliteDatabase):
        wal = settings.data / "leads.db-wal"
        assert wal.stat().st_size > 0, "the write-ahead log is looked at while it holds the enquiry"
    assert_nowhere(settings.data, databases_of(site))
    assert_log_is_clean(caplog)


def test_what_leaves_for_the_bots_tells_nothing_of_the_person(
    site: Flask, settings: Settings, tmp_path: Path
) -> None:
    assert submit(site) == 303
    with running_bots(tmp_path) as bots:
        channels = made_channels(replace(settings, bots=BOTS), bots.outside())
        while send_due(databases_of(site).leads, channels):
            pass
    assert [posted.host for posted in bots.posted] == [bot.host for bot in BOTS]
    for posted in bots.posted:
        told = f"{posted.path} {posted.headers} {json.dumps(posted.body, ensure_ascii=False)}"
        assert "逾期账款跟进" in told
        assert "/desk/leads/" in told
        for spelling in spellings():
            assert spelling not in told


def test_nothing_is_in_clear_once_the_databases_are_closed(site: Flask, settings: Settings) -> None:
    assert submit(site) == 303
    databases_of(site).dispose()
    assert_nowhere(settings.data, databases_of(site))


def test_the_search_for_the_typed_words_would_find_them(opened: Databases, tmp_path: Path) -> None:
    """The test above is only worth something if it can fail."""
    with opened.counters.writing() as session:
        session.execute(text("CREATE TABLE t (x TEXT)"))
        session.execute(text("INSERT INTO t VALUES ('13974625813')"))
    with pytest.raises(AssertionError, match=r"(counters\.db-wal|the database) holds"):
        assert_nowhere(tmp_path / "var", opened)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"consent": ""}, 422),
        ({"need": ""}, 422),
        ({"phone": PHONE + "9"}, 422),
        ({"consent_version": "0" * 16}, 422),
        ({"details": DETAILS + "11010519491231002X"}, 422),
        ({"details": DETAILS * 2000}, 413),
    ],
)
def test_a_form_that_is_refused_leaves_nothing_at_all(
    site: Flask, settings: Settings, caplog: pytest.LogCaptureFixture, changed: dict[str, str], status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    assert submit(site, **changed) == status
    assert_nowhere(settings.data, databases_of(site))
    assert_log_is_clean(caplog)
    with site.extensions["xinheng.databases"].leads.reading() as session:
        assert session.scalars(select(Enquiry)).all() == []


def test_an_error_while_storing_tells_the_log_where_but_not_what(
    site: Flask, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refuse_inserts(databases_of(site).leads, "outbox")
    assert submit(site) == 303, "it is in the spool"
    assert "ERROR" in caplog.text
    assert_log_is_clean(caplog)
    assert_nowhere(settings.data, databases_of(site))


def test_whatever_keeps_the_database_from_storing_the_words_come_back_to_their_writer_only(
    site: Flask,
) -> None:
    refuse_inserts(databases_of(site).leads, "outbox")
    typed = fill(site)
    with a_spool_that_is_gone(site):
        answer = site.test_client().post("/consultation", data=typed, headers=OWN_PAGE, base_url=ORIGIN)
    assert answer.status_code == 503
    assert typed["details"] in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_notice_holds_nothing_personal(site: Flask) -> None:
    assert submit(site) == 303
    with site.extensions["xinheng.databases"].leads.reading() as session:
        notice = session.scalars(select(Notice)).one()
    told = f"{notice.kind} {notice.reference} {notice.text} {notice.fault}"
    assert all(word not in told for word in spellings())


def test_the_busy_database_tells_the_log_nothing_personal(
    site: Flask, settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "WAIT", 0.0)
    with a_writer_elsewhere(databases_of(site).leads, "leads", "enquiries"):
        assert submit(site) == 303, "it is in the spool"
        with a_spool_that_is_gone(site):
            assert submit(site, submission_id="f" * 32) == 503
    assert_log_is_clean(caplog)
    assert_nowhere(settings.data, databases_of(site))


@pytest.mark.databases("sqlite")
def test_a_deleted_enquiry_is_overwritten(site: Flask, settings: Settings) -> None:
    """secure_delete: even the sealed bytes are gone from the file when the row is."""
    assert submit(site) == 303
    databases = site.extensions["xinheng.databases"]
    with databases.leads.reading() as session:
        sealed = session.scalars(select(Enquiry.details)).one()
    with databases.leads.writing() as session:
        for table in ("consents", "lead_events", "enquiries", "leads"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (names from the line above)
    databases.dispose()
    assert sealed not in (settings.data / "leads.db").read_bytes()


def test_sealed_fields_of_two_rows_cannot_be_exchanged(site: Flask) -> None:
    submit(site)
    submit(site, phone="13900139000", submission_id="f" * 32)
    databases, keys = site.extensions["xinheng.databases"], site.extensions["xinheng.keys"]
    assert isinstance(keys, Keys)
    with databases.leads.writing() as session:
        one, other = session.scalars(select(Lead)).all()
        one.phone, other.phone = other.phone, one.phone
    for lead in (one, other):
        with pytest.raises(CannotDecrypt):
            lead.open(keys, "phone")


def test_files_with_personal_data_and_keys_are_not_for_others(site: Flask, settings: Settings) -> None:
    assert submit(site) == 303
    for file in files_below(settings.data / "keys"):
        assert file.stat().st_mode & 0o077 == 0
    assert (settings.data / "keys").stat().st_mode & 0o077 == 0
