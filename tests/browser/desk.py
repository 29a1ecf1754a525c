"""The desk of a running site: who works there, how they sign in, what the authenticator on their phone shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import select
from tests.browser.running import RunningSite
from tests.conftest import ROOT

from xinheng.assessments import keep
from xinheng.crypto import Keys, load_keys
from xinheng.db import open_databases
from xinheng.health_check.assessment import assess
from xinheng.health_check.counting import OVERVIEW, Place, Tally, day_of
from xinheng.health_check.loader import load_health_check
from xinheng.health_check.path import answers_on_path
from xinheng.leads.deeds import Deed
from xinheng.leads.models import Lead
from xinheng.leads.scope import Scope
from xinheng.leads.tombstones import TombstoneFile
from xinheng.leads.work import LeadWork
from xinheng.notices.outbox import Notice
from xinheng.phones import parse_phone
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk
from xinheng.staff.accounts import Accounts
from xinheng.staff.links import Links
from xinheng.staff.models import User
from xinheng.staff.passwords import Passwords
from xinheng.staff.permissions import RoleName
from xinheng.week_counts import WHAT, Origin, WeekTally
from xinheng.weeks import Weeks

PASSWORD = "mao-zai-chuang-tai-shang"
STEP = 30  # seconds a code stands on the phone
ON_THE_WAY = 8  # seconds that a slow machine may need from reading a code to the site's judging it
FIRST_ACCOUNT = re.compile(r"第一个账号（只显示这一次）：(\S+)  一次性密码：(\S+)")
VIEWS = ("已逾期", "待首次联系", "今天跟进", "无下一步")


class Authenticator:
    """What a person has on the phone: RFC 6238, written down here once more and not taken from the site."""

    def __init__(self, key: str) -> None:
        self._key = base64.b32decode(key.replace(" ", "").upper() + "=" * (-len(key.replace(" ", "")) % 8))
        self._used = 0

    def next_code(self) -> str:
        """A code that was not used yet. A phone's clock may be half a minute off, and the site takes that: so three
        codes in a row need no waiting, and a fourth waits until there is one.
        """
        while True:
            now = time.time()
            oldest, newest = int(now + ON_THE_WAY) // STEP - 1, int(now) // STEP + 1
            if (step := max(oldest, self._used + 1)) <= newest:
                self._used = step
                return self._digits(step)
            time.sleep(0.05)

    def wrong_code(self) -> str:
        """Six digits that the phone shows neither now nor soon."""
        now = int(time.time()) // STEP
        near = {self._digits(step) for step in range(now - 3, now + 4)}
        return next(code for code in (f"{number:06}" for number in count(111111)) if code not in near)

    def _digits(self, step: int) -> str:
        mac = hmac.digest(self._key, step.to_bytes(8, "big"), hashlib.sha1)
        place = mac[-1] & 15
        return f"{(int.from_bytes(mac[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass
class Person:
    """A member of staff, with what only the person knows."""

    id: str
    email: str
    name: str
    password: str = PASSWORD
    phone: Authenticator | None = None
    codes: list[str] = field(default_factory=list)
    """The recovery codes, as they were shown."""


class Desk:
    """The desk of a running site, with members made as `xinheng staff` makes them."""

    def __init__(self, site: RunningSite) -> None:
        self.site = site
        self.origin = site.origin
        self._databases = open_databases(site.data)
        self.store = self._databases.leads
        self.keys: Keys = load_keys(site.data / "keys", make=False)
        self.accounts = Accounts(self.store, self.keys)
        self._cookies: dict[str, list[Any]] = {}
        self._serial = count(1)
        site.typed.add(PASSWORD)

    def close(self) -> None:
        self._databases.dispose()

    def add(self, name: str, *roles: str, language: str = "zh", one_time: bool = False) -> Person:
        """A new member; `one_time` with the printed password still in place of their own."""
        printed = self.accounts.add(
            f"{secrets.token_hex(4)}@xinheng.example", name, [RoleName(role) for role in roles]
        )
        id = next(member.id for member in self.accounts.all() if member.email == printed.email)
        if not one_time:
            self.accounts.change_password(id, PASSWORD)
        if language != "zh":
            self.accounts.set_language(id, language)
        return Person(id, printed.email, name, printed.password if one_time else PASSWORD)

    def invite(self, name: str, *roles: str) -> str:
        """The address behind which somebody new sets a password."""
        links = Links(self.store, self.keys, Passwords())
        address = f"{secrets.token_hex(4)}@xinheng.example"
        made = links.invite(address, name, [RoleName(role) for role in roles], actor="")
        return f"{self.origin}/desk/join/{made.secret}"

    def open(
        self, context: BrowserContext, person: Person, path: str = "/desk/", page: Page | None = None
    ) -> Page:
        """A page of somebody who is signed in; the first time they do that by hand, later browsers get the cookie."""
        page = page or context.new_page()
        if person.email in self._cookies:
            context.add_cookies(self._cookies[person.email])
        else:
            sign_in(page, self.origin, person)
            if page.url.endswith("/desk/second-factor"):
                page.locator(".sign-in__later button").click()
            self.keep_cookies(context, person)
        page.goto(self.origin + path)
        assert page.url.partition("?")[0] == self.origin + path.partition("?")[0].partition("#")[0]
        return page

    def keep_cookies(self, context: BrowserContext, person: Person) -> None:
        """Where a browser holds somebody's session, let later ones have it."""
        self._cookies[person.email] = context.cookies()

    def end_sessions(self, person: Person) -> None:
        """What an administrator's reset does to everybody who is signed in as this person."""
        self.accounts.end_own_sessions(person.id)
        self._cookies.pop(person.email, None)

    def lead(self, owner: Person | None = None, **typed: str) -> str:
        """A visitor's enquiry, given to somebody; the lead's id. Each has a phone of its own."""
        typed = {"phone": self.new_phone()} | typed
        id = self.lead_of(self.site.post_form(**typed).reference)
        if owner:
            self.assign(id, owner)
        return id

    def checked(self, answers: Mapping[str, str]) -> str:
        """The token of a health check that somebody finished: every answer the best, but for these."""
        check = load_health_check(ROOT / "forms", None)
        best = {each.id: each.options[0].key for each in check.asked.values()}
        given = answers_on_path(check, best | answers)
        with self.store.writing() as session:
            kept = {"version": check.hash, "answers": given, "result": assess(check, given).as_json()}
            _, token = keep(session, self.keys, previous_id=None, now=datetime.now(UTC), **kept)
        return token

    def count_steps(self) -> None:
        """Some visitors did the health check today, some left it at a question."""
        check = load_health_check(ROOT / "forms", None)
        tally = Tally()
        for place, step in enumerate((*check.asked, OVERVIEW)):
            where = Place(check.hash, step, day_of(datetime.now(UTC)))
            tally.shown[where], tally.answered[where], tally.left[where] = (
                300 - 4 * place,
                295 - 4 * place,
                place,
            )
        with self._databases.counters.writing() as session:
            tally.add_to(session.connection())

    def count_visits(self) -> None:
        """Some read articles these weeks, some did the health check."""
        tally = WeekTally()
        for monday in Weeks.until(datetime.now(UTC), 12).mondays:
            for source, article, reads in (("search", "ageing-report", 840), ("direct", "", 65)):
                for what, number in zip(WHAT, (reads, reads // 12, reads // 20), strict=True):
                    tally.add(what, monday, Origin(source, article), number)
        with self._databases.counters.writing() as session:
            tally.add_to(session.connection())

    def held(self, **typed: str) -> str:
        """An enquiry that looks odd; its reference."""
        reference = self.site.post_form(**{"phone": self.new_phone()} | typed).reference
        assert reference
        return reference

    def asked(self, kind: Kind, phone: str, reference: str = "", words: str = "") -> str:
        """Somebody's request about their own data; its id."""
        privacy = PrivacyDesk(self.store, self.keys, TombstoneFile(self.site.data / "keys"))
        receipt = privacy.receive(Asked(kind, parse_phone(phone), reference, words), datetime.now(UTC))
        query = select(PrivacyRequest.id).where(PrivacyRequest.receipt == receipt.number)
        with self.store.reading() as session:
            return str(session.scalars(query).one())

    def new_phone(self) -> str:
        return f"139 0015 {next(self._serial):04}"

    def lead_of(self, reference: str) -> str:
        """The id of the lead that an enquiry belongs to."""
        rows = self.site.rows("SELECT lead_id FROM enquiries WHERE reference LIKE ?", "%".join(reference))
        assert len(rows) == 1
        return str(rows[0][0])

    def assign(self, lead_id: str, owner: Person) -> None:
        with self.store.reading() as session:
            member = session.get_one(User, owner.id)
        work = LeadWork(self.store, self.keys, site=self.origin)
        work.assign(lead_id, Deed(Scope(owner.id, everyone=True), datetime.now(UTC)), member)

    def plan(self, lead_id: str, person: Person, at: datetime) -> None:
        """What a colleague does to a lead in their own browser."""
        work = LeadWork(self.store, self.keys, site=self.origin)
        work.plan(lead_id, Deed(Scope(person.id, everyone=True), datetime.now(UTC)), at, "")

    def stored(self, lead_id: str) -> Lead:
        """A lead as it is in the database."""
        with self.store.reading() as session:
            return session.get_one(Lead, lead_id)

    def give_up_a_notice(self) -> None:
        """As if one notice had been tried for four hours."""
        fault = "qyapi.weixin.qq.com 收到了，但没有发：错误码 45009 api freq out of limit"
        with self.store.writing() as session:
            notice = session.scalars(select(Notice).order_by(Notice.id).limit(1)).one()
            notice.state, notice.channel, notice.attempts, notice.fault = "failed", "wecom", 49, fault

    def opened(self, lead_id: str, column: str) -> str:
        """What a sealed column of a lead says."""
        lead = self.stored(lead_id)
        return lead.open(self.keys, column) if getattr(lead, column) else ""

    def recorded(self, action: str, subject: str = "") -> int:
        """How often the audit has something."""
        query = "SELECT count(*) FROM audit WHERE action = ? AND (? = '' OR subject_id = ?)"
        return int(self.site.rows(query, action, subject, subject)[0][0])


@contextmanager
def desk_of(site: RunningSite) -> Iterator[Desk]:
    desk = Desk(site)
    try:
        yield desk
    finally:
        desk.close()


def sign_in(page: Page, origin: str, person: Person, path: str = "/desk/sign-in") -> None:
    """Address and password on the page of the sign-in, which is opened unless `path` is empty."""
    if path:
        page.goto(origin + path)
    page.locator("#email").fill(person.email)
    page.locator("#password").fill(person.password)
    page.locator(".sign-in__go").click()


def give_code(page: Page, code: str) -> None:
    """A code, or a recovery code, on the page that asks for it."""
    page.locator("#code").fill(code)
    page.locator("#main form .button").first.click()


def set_up(page: Page, person: Person) -> None:
    """Set up the authenticator on the open page, from the key that it shows, up to the recovery codes."""
    if not page.locator(".set-up__key code").is_visible():
        page.locator(".set-up__key summary").click()
    person.phone = Authenticator(page.locator(".set-up__key code").inner_text())
    give_code(page, person.phone.next_code())
    codes = page.locator(".codes code")
    expect(codes).to_have_count(10)
    person.codes = codes.all_inner_texts()


def eventually(reached: Callable[[], bool], within: float = 15.0) -> bool:
    """Whether something that no page shows comes true before nobody would wait any longer."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if reached():
            return True
        time.sleep(0.05)
    return False


def first_account(site: RunningSite) -> Person:
    """The account of the first start, from what was printed to the terminal."""
    assert eventually(lambda: FIRST_ACCOUNT.search(site.log) is not None), site.log
    found = FIRST_ACCOUNT.search(site.log)
    assert found
    return Person("", found.group(1), "管理员", found.group(2))


def view_counts(page: Page) -> dict[str, int]:
    """How many leads wait, as the page says beside each view."""
    links = page.locator(".views > ul").first.locator("a")
    found = {}
    for text in links.all_inner_texts():
        matched = re.fullmatch(r"(\D+?)\s*(\d+)", text.strip())
        assert matched, text
        found[matched.group(1)] = int(matched.group(2))
    assert tuple(found) == VIEWS
    return found


def row_of(page: Page, lead_id: str) -> Locator:
    return page.locator(f"#lead-{lead_id}")


def tab_to(page: Page, target: Locator, most: int = 6) -> None:
    """Press Tab until the target has focus, at most a few times; each stop shows that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).to_have_css("outline-width", "3px")
        if target.evaluate("element => element === document.activeElement"):
            return
    expect(target).to_be_focused()
