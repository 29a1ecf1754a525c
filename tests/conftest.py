"""What tests share: a tiny data root, a real database, and a client that checks every page it fetches."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.postgres import PostgresServer, running_server
from werkzeug.test import TestResponse

from xinheng.app import create_app
from xinheng.crypto import Keys, load_keys
from xinheng.db import Databases, open_databases
from xinheng.migrations import upgrade
from xinheng.settings import Settings

ROOT = Path(__file__).parent.parent
ORIGIN = "http://127.0.0.1:8000"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
CHROME = (
    "Mozilla/5.0 (Linux; Android 13; V2166A) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)

REMEMBERED = ("/desk", "/health-check/start", "/health-check/resume/")
"""Where a browser is known by a cookie: the desk; a health check is begun, or gone on with elsewhere."""
KINDS = ("sqlite", "postgresql")
TABLES_ARE_TOUCHED_IN = (
    *("leads/", "notices/", "staff/", "audit/", "desk/", "privacy/", "rotation/"),
    *("health_check/", "test_assessments.py", "test_housekeeping.py"),
    *("articles/test_reads.py", "articles/test_favourites.py", "test_db.py", "test_migrations.py"),
)

TINY_ARTICLE = """---
title: {title}
category: {category}
tags: [{tags}]
published: {published}
author: lin
summary: {summary}
ai: {ai}
---

{body}
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "databases(*kinds): the databases that a test runs on, where not those usual in its folder"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What touches a table runs on both databases; elsewhere a site is tested on SQLite."""
    if "database_kind" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("databases")
    place = metafunc.definition.path.relative_to(ROOT / "tests").as_posix()
    if marked:
        metafunc.parametrize("database_kind", marked.args)
    elif place.startswith(TABLES_ARE_TOUCHED_IN):
        metafunc.parametrize("database_kind", KINDS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """In CI a skipped test has failed: green must mean that everything ran."""
    report = yield
    if os.environ.get("XINHENG_NO_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure here: {report.longrepr}"
    return report


def write_article(content: Path, slug: str, **keys: str) -> Path:
    """Write a small article into a data root; keys replace those of the template."""
    values = {
        "title": f"题目{slug}",
        "category": "receivables",
        "tags": "回款",
        "published": "2026-03-02 10:05",
        "summary": "先对账，再谈时间。",
        "ai": "none",
        "body": "货发出去以后，先确认对方签收。\n\n## 怎么做\n\n到期前三天提醒。\n",
    }
    file = content / "articles" / f"{slug}.md"
    file.write_text(TINY_ARTICLE.format(**values | keys), encoding="utf-8")
    return file


def write_working_days(content: Path) -> None:
    """The calendar that ships, and the years after it that are missed by now: whenever a test runs, none is missing."""
    shipped = (ROOT / "content" / "working_days.toml").read_text(encoding="utf-8")
    known = {int(year) for year in re.findall(r"(?m)^year = (\d+)", shipped)}
    years = (
        f'[[years]]\nyear = {year}\nholidays = [{{ name = "元旦", first = {year}-01-01, last = {year}-01-01 }}]\n'
        f'source = {{ publisher = "测试", title = "测试", number = "1", date = {year}-01-01, url = "https://x.example" }}\n'
        for year in range(max(known) + 1, datetime.now(UTC).year + 2)
    )
    (content / "working_days.toml").write_text("\n".join([shipped, *years]), encoding="utf-8")


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """A site with the shipped company, categories, pages and form, and two small articles."""
    content = tmp_path / "content"
    (content / "articles").mkdir(parents=True)
    shutil.copytree(ROOT / "content" / "pages", content / "pages")
    for name in ("site.toml", "categories.toml", "authors.toml"):
        shutil.copy(ROOT / "content" / name, content / name)
    write_working_days(content)
    shutil.copytree(ROOT / "forms", tmp_path / "forms")
    guide = tmp_path / "forms" / "call_guide.toml"  # gives articles that the small site doesn't have
    guide.write_text(re.sub(r', article = "[^"]+"', "", guide.read_text(encoding="utf-8")), encoding="utf-8")
    health_check = tmp_path / "forms" / "health_check.toml"  # and so does this
    health_check.write_text(
        re.sub(r'^article = "[^"]+"\n', "", health_check.read_text(encoding="utf-8"), flags=re.MULTILINE),
        encoding="utf-8",
    )
    shutil.copytree(ROOT / "translations", tmp_path / "translations")
    shutil.copy(ROOT / "wsgi.py", tmp_path / "wsgi.py")
    (tmp_path / "static").symlink_to(ROOT / "static")
    write_article(content, "first-call", title="逾期第一个电话怎么打", category="collection", body=_LONG)
    write_article(content, "ageing", title="账龄表怎么看", body=_LONG, published="2026-03-03 09:00")
    return tmp_path


_LONG = (
    "账龄表把应收账款按到期日分档，谁欠、欠多久，一张表看清。坏账多半是拖出来的。\n\n"
    "## 分几档\n\n未到期、逾期三十天内、三十到六十天、六十天以上。\n\n"
    "## 常见问题\n\n### 多久做一次？\n\n每周一次，不看年末那一天。\n"
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with this version's schema, which new ones are copied from."""
    with postgres.database() as url:
        made = open_databases(tmp_path_factory.mktemp("template"), url)
        upgrade(made)
        name = made.leads.engine.url.database
        made.dispose()
        assert name
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with SQLite files of this version's schema."""
    folder = tmp_path_factory.mktemp("template")
    made = open_databases(folder)
    upgrade(made)
    made.dispose()
    return folder


@pytest.fixture
def database_kind() -> str:
    """`sqlite` or `postgresql`: see pytest_generate_tests."""
    return "sqlite"


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new PostgreSQL database with the schema in it, as in DATABASE_URL; empty for SQLite."""
    if database_kind == "sqlite":
        yield ""
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(request.getfixturevalue("postgres_template")) as url:
        yield url


@pytest.fixture
def opened(tmp_path: Path, database_url: str, sqlite_template: Path) -> Iterator[Databases]:
    """Both databases with their schema and nothing in them, without the application."""
    if not database_url:
        shutil.copytree(sqlite_template, tmp_path / "var", dirs_exist_ok=True)
    held = open_databases(tmp_path / "var", database_url)
    yield held
    held.dispose()


@pytest.fixture
def bare(tmp_path: Path, database_kind: str, request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Both databases as they are before the first start: without a schema."""
    (tmp_path / "var").mkdir(exist_ok=True)
    with ExitStack() as server:
        url = ""
        if database_kind == "postgresql":
            url = server.enter_context(request.getfixturevalue("postgres").database())
        held = open_databases(tmp_path / "var", url)
        yield held
        held.dispose()


@pytest.fixture
def settings(data_root: Path, database_url: str, sqlite_template: Path) -> Settings:
    """Those of the small site, which was started before: its schema and its keys are there."""
    load_keys(data_root / "var" / "keys")
    if not database_url:
        shutil.copytree(sqlite_template, data_root / "var", dirs_exist_ok=True)
    plain = Settings.from_env({"XINHENG_LIMITS": "off"}, data_root)
    return replace(plain, origin=ORIGIN, database_url=database_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.fixture
def databases(app: Flask) -> Databases:
    held: Databases = app.extensions["xinheng.databases"]
    return held


@pytest.fixture
def keys(app: Flask) -> Keys:
    held: Keys = app.extensions["xinheng.keys"]
    return held


class CheckingClient(FlaskClient):
    """Fetches like a browser on our own origin, and checks what every answer must hold."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", ORIGIN)
        if kwargs.get("method", "GET") not in {"GET", "HEAD"} and "headers" not in kwargs:
            kwargs["headers"] = OWN_PAGE
        response = super().open(*args, **kwargs)
        check_headers(response, anonymous=not response.request.path.startswith(REMEMBERED))
        if response.mimetype == "text/html" and response.data and kwargs.get("method") != "HEAD":
            check_page(response)
        return response


def check_headers(response: TestResponse, *, anonymous: bool = True) -> None:
    """No answer without the security headers; no cookie and no Vary: Cookie for anyone anonymous."""
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    if anonymous:
        assert response.headers.getlist("Set-Cookie") == []
        assert "cookie" not in response.headers.get("Vary", "").lower()


def check_page(response: TestResponse, language: str = "zh-Hans") -> None:
    """A page parses without a fault, has a title and one h1, and nothing inline that the CSP would stop."""
    text = response.get_data(as_text=True)
    if response.status_code in {301, 302, 303, 308}:
        return
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(text)
    assert len(document.findall(".//h1")) == 1, "one h1 a page"
    assert (document.findtext(".//title") or "").strip()
    assert document.get("lang") == language
    assert not re.search(r"<[^>]+\s(style|on\w+)=", text), "inline style or handler"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.test_client_class = CheckingClient
    return app.test_client()


@pytest.fixture
def consultation(app: Flask) -> Callable[..., dict[str, str]]:
    """A valid consultation form; keywords replace or add fields."""

    def fields(**changed: str) -> dict[str, str]:
        version = app.extensions["xinheng.consultation"].published().version
        form = {
            "need": "overdue",
            "name": "张三丰",
            "phone": "138 0013 8000",
            "details": "两家客户逾期四个多月，合计约八十万元。",
            "call_time": "morning",
            "consent": "yes",
            "consent_version": version,
            "submission_id": "0123456789abcdef0123456789abcdef",
            "touch": "",
            **dict.fromkeys(("stamp", "proof", "subject", "homepage"), ""),
        }
        return form | changed

    return fields


@pytest.fixture(scope="session")
def shipped_sqlite_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from _shipped(tmp_path_factory.mktemp("shipped"), "")


@pytest.fixture(scope="session")
def shipped_postgresql_app(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Flask]:
    with postgres.database() as url:
        yield from _shipped(tmp_path_factory.mktemp("shipped"), url)


def _shipped(data: Path, url: str) -> Iterator[Flask]:
    environment = {"XINHENG_DATA": str(data), "DATABASE_URL": url, "XINHENG_LIMITS": "off"}
    app = create_app(replace(Settings.from_env(environment, ROOT), origin=ORIGIN))
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.fixture
def shipped_app(database_kind: str, request: pytest.FixtureRequest) -> Flask:
    """The site with all that ships, made once: for tests that change no file and clean up what they store."""
    found: Flask = request.getfixturevalue(f"shipped_{database_kind}_app")
    return found


@pytest.fixture
def saved_files_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of reloading runs ahead, so that each look at a file is due: no test waits a second."""
    ticks = itertools.count(10**9, 10)
    monkeypatch.setattr("xinheng.reloading.time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
