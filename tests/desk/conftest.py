"""A browser at the desk: members of staff, signed in or about to be, and a clock that stands still."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from passlib.totp import TOTP
from sqlalchemy import delete
from tests.conftest import CHROME, ORIGIN, OWN_PAGE, ROOT, check_page
from tests.postgres import PostgresServer
from werkzeug.test import TestResponse

from xinheng.app import create_app
from xinheng.assessments import Assessment
from xinheng.audit.models import HEAD, AuditHead, AuditRow
from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk.sign_in_services import PASSWORD_COST
from xinheng.leads.exports import Export
from xinheng.leads.lead_counts import LeadCount, LeadCountChange
from xinheng.leads.merges import Apart, LeadPhone, Merge
from xinheng.leads.models import Consent, Enquiry, Lead, LeadEvent
from xinheng.leads.ranking import Ranked
from xinheng.leads.spam_counts import SpamCount
from xinheng.leads.spool import Spool
from xinheng.leads.turns import Turns
from xinheng.notices.outbox import Notice
from xinheng.privacy.models import PrivacyRequest
from xinheng.settings import Settings
from xinheng.staff import clock as staff_clock
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import Role, StaffLink, StaffSession, Tries, User
from xinheng.staff.passwords import Cost, Passwords
from xinheng.staff.permissions import RoleName
from xinheng.staff.second_factor import METHOD
from xinheng.staff.sessions import SessionStore

TINY = Cost(memory=8, passes=1)
"""Argon2 as cheap as it can be: tests hash hundreds of passwords."""

GOOD_PASSWORD = "mao-zai-chuang-tai-shang"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon in Shanghai, and the start of a code's thirty seconds."""


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    """The shipped site with nobody and nothing in it, and cheap passwords."""
    cheapen(shipped_app)
    empty(shipped_app)
    return shipped_app


def cheapen(app: Flask) -> None:
    """Make hashing passwords and sealing authenticators' keys as cheap as can be."""
    app.config[PASSWORD_COST] = TINY
    app.extensions["security"].totp_factory._totp.wallet.encrypt_cost = 1


def empty(app: Flask) -> None:
    """Take away all leads, members and what was recorded."""
    from xinheng.leads import models as leads  # tables that come with the desk are emptied if they are there

    later = [getattr(leads, name) for name in ("Draft", "SavedView") if hasattr(leads, name)]
    with app.extensions["xinheng.databases"].leads.writing() as session:
        for table in (
            *later,
            LeadPhone,
            Merge,
            Apart,
            Notice,
            LeadEvent,
            Consent,
            Enquiry,
            Lead,
            Assessment,
            PrivacyRequest,
            Export,
            StaffSession,
            Turns,
            Ranked,
            Tries,
            StaffLink,
            Role,
            User,
            AuditRow,
            AuditHead,
            LeadCount,
            LeadCountChange,
            SpamCount,
        ):
            session.execute(delete(table))
        session.add(AuditHead(id=HEAD, last_id=0, chain=b""))


@pytest.fixture
def store(app: Flask) -> Database:
    """The leads database."""
    held: Database = app.extensions["xinheng.databases"].leads
    return held


@pytest.fixture
def store_keys(app: Flask) -> Keys:
    held: Keys = app.extensions["xinheng.keys"]
    return held


@pytest.fixture
def accounts(store: Database, store_keys: Keys) -> Accounts:
    return Accounts(store, store_keys, Passwords(TINY))


class Clock:
    """The desk's clock; it moves when told."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    frozen = Clock()
    monkeypatch.setattr(staff_clock, "now", frozen)
    return frozen


@dataclass(frozen=True)
class Known:
    """A member of staff, with what only the person knows."""

    id: str
    email: str
    name: str
    password: str
    secret: str

    def code(self, moment: datetime) -> str:
        """What the person's authenticator shows."""
        return str(TOTP(self.secret).generate(moment).token)


Staff = Callable[..., Known]


@pytest.fixture
def staff(app: Flask, store: Database) -> Staff:
    """Make a member of staff with roles: `staff("sales", name="周敏", second_factor=True)`."""

    def make(
        *roles: str, name: str = "周敏", email: str = "", second_factor: bool = False, one_time: bool = False
    ) -> Known:
        address = email or f"{secrets.token_hex(4)}@xinheng.example"
        known = Known(
            secrets.token_hex(16),
            address,
            name,
            GOOD_PASSWORD,
            TOTP.new().base32_key if second_factor else "",
        )
        factory = app.extensions["security"].totp_factory._totp
        with store.writing() as session:
            session.add(
                User(
                    id=known.id,
                    email=known.email,
                    name=name,
                    language="zh",
                    password=Passwords(TINY).hash(known.password),
                    one_time_password=one_time,
                    active=True,
                    fs_uniquifier=secrets.token_hex(16),
                    created_at=NOON,
                    roles=[Role(name=RoleName(role).value) for role in roles],
                    tf_primary_method=METHOD if second_factor else None,
                    tf_totp_secret=factory(known.secret).to_json(encrypt=True) if second_factor else None,
                )
            )
        return known

    return make


class DeskClient(FlaskClient):
    """A browser at the desk: on our own origin, with the token of the page it saw last, checking every page."""

    token = ""
    origin = ORIGIN
    language = "zh-Hans"

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", self.origin)
        headers = dict(kwargs.pop("headers", {"User-Agent": CHROME}))
        posts = kwargs.get("method", "GET") not in {"GET", "HEAD"}
        if posts and not set(headers) & {"Sec-Fetch-Site", "Origin", "Referer"}:
            headers |= OWN_PAGE | {"Origin": self.origin}
        response = super().open(*args, headers=headers, **kwargs)
        check_desk_answer(response)
        if (
            response.mimetype == "text/html"
            and response.data
            and response.status_code not in {301, 302, 303, 308}
        ):
            assert f'<html lang="{self.language}">' in response.text
            if self.language == "zh-Hans":
                check_page(response, self.language)
            if found := re.search(r'name="csrf_token" value="([^"]+)"', response.text):
                self.token = found.group(1)
        return response

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Post a form as the page would, with its token."""
        return self.post(path, data={"csrf_token": self.token} | fields)

    def sign_in(self, email: str, password: str, address: str = "/desk/sign-in") -> TestResponse:
        """Open the sign-in page and send it."""
        self.get(address)
        return self.send(address, email=email, password=password)


def check_desk_answer(response: TestResponse) -> None:
    """The security headers, and nothing that a cache may keep."""
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.request.path.startswith("/desk"):
        assert "no-store" in response.headers["Cache-Control"]
        assert "noindex" in response.headers["X-Robots-Tag"]


@pytest.fixture
def another_browser(app: Flask) -> Callable[[], DeskClient]:
    """Further browsers, each with its own cookies."""

    def make() -> DeskClient:
        app.test_client_class = DeskClient
        made = app.test_client()
        assert isinstance(made, DeskClient)
        made.origin = app.config["ORIGIN"]
        return made

    return make


@pytest.fixture
def client(another_browser: Callable[[], DeskClient]) -> DeskClient:
    return another_browser()


SignedIn = Callable[[DeskClient, Known], DeskClient]


@pytest.fixture
def signed_in(app: Flask, store: Database) -> SignedIn:
    """Sign a member in without the pages, as those who test something else want it; the second factor is put off."""

    def sign_in(client: DeskClient, member: Known) -> DeskClient:
        with store.reading() as session:
            mark = session.get_one(User, member.id).fs_uniquifier
        now = staff_clock.now()
        data = {
            "_user_id": mark,
            "_fresh": True,
            "_id": "",
            "staff_id": member.id,
            "proved_at": now.timestamp(),
            "second_factor_later": True,
            "csrf_token": secrets.token_hex(32),
        }
        secret = SessionStore(store).begin(data, member.id, "Chrome · Android", now)
        host = urlsplit(client.origin).hostname or ""
        client.set_cookie(
            app.config["SESSION_COOKIE_NAME"], secret, domain=host, secure=client.origin[4] == "s"
        )
        client.token = str(
            URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(data["csrf_token"])
        )
        return client

    return sign_in


@pytest.fixture
def zhou(staff: Staff) -> Known:
    return staff("sales", name="周敏")


@pytest.fixture
def wu(staff: Staff) -> Known:
    return staff("sales", name="吴凯")


@pytest.fixture
def desk(client: DeskClient, zhou: Known, signed_in: SignedIn, clock: Clock) -> DeskClient:
    """周敏's browser, at noon."""
    return signed_in(client, zhou)


@pytest.fixture
def recorded(store: Database) -> Callable[[], list[tuple[str, str, str]]]:
    """What the audit holds: actor, action, subject."""

    def read() -> list[tuple[str, str, str]]:
        with store.reading() as session:
            rows = session.query(AuditRow).order_by(AuditRow.id)
            return [(row.actor, row.action, row.subject_id) for row in rows]

    return read


@pytest.fixture(scope="session")
def production_sqlite_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from _in_production(tmp_path_factory.mktemp("production"), "")


@pytest.fixture(scope="session")
def production_postgresql_app(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Flask]:
    with postgres.database() as url:
        yield from _in_production(tmp_path_factory.mktemp("production"), url)


@pytest.fixture
def production_app(database_kind: str, request: pytest.FixtureRequest) -> Flask:
    """The site as in production: https, and a company that is no sample; made once."""
    found: Flask = request.getfixturevalue(f"production_{database_kind}_app")
    return found


def _in_production(root: Path, url: str) -> Iterator[Flask]:
    shutil.copytree(ROOT / "content", root / "content")
    site = root / "content" / "site.toml"
    site.write_text(site.read_text("utf-8").replace("sample = true", "sample = false"), "utf-8")
    environment = {
        "XINHENG_DATA": str(root / "var"),
        "XINHENG_CONTENT": str(root / "content"),
        "XINHENG_ENV": "production",
        "XINHENG_ORIGIN": "https://www.xinheng.example",
        "DATABASE_URL": url,
    }
    app = create_app(Settings.from_env(environment, ROOT))
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.fixture
def spool(app: Flask) -> Iterator[Spool]:
    """The spool of the application, empty again afterwards."""
    held: Spool = app.extensions["xinheng.spool"]
    yield held
    for file in (*held.folder.glob("*.kept"), *held.folder.glob("*.aside")):
        file.unlink()
