"""What the benchmark measures: every request that members of staff make on lists, searches and leads' pages."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from desk_leads import fill
from desk_shares import FILTERS
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import ColumnElement, func, select, text

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.desk.list_address import list_address
from xinheng.leads.finding import PAGE, find_leads
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.scope import Scope
from xinheng.leads.wanted import VIEWS, Match, Sort, Wanted, place_of
from xinheng.settings import SHANGHAI
from xinheng.staff.accounts import Accounts
from xinheng.staff.models import User
from xinheng.staff.permissions import RoleName

DEEP = 200
SALESPEOPLE = 20
SORTS: tuple[Sort, ...] = ("newest", "due", "priority")
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}

Request = Callable[[], object]
"""One request, made and its answer checked."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured. `daily`: what people open all day, which is judged at any size."""

    name: str
    requests: Iterator[Request] = field(repr=False)
    daily: bool = False


class Visitor:
    """A member of staff in a browser of their own."""

    def __init__(self, app: Flask, member: User, password: str) -> None:
        self.member = member
        self.everyone = RoleName.SALES_LEAD in member.role_names
        self.role = "sales_lead" if self.everyone else "sales"
        self.client: FlaskClient = app.test_client()
        page = self.client.get("/desk/sign-in").get_data(as_text=True)
        form = {"email": member.email, "password": password, "csrf_token": _token(page)}
        page = self._post("/desk/sign-in", form, follow=True)
        self._post("/desk/second-factor/later", {"csrf_token": _token(page)})
        self.token = _token(self.get("/desk/leads"))

    @property
    def scope(self) -> Scope:
        return Scope(self.member.id, everyone=self.everyone)

    def get(self, address: str) -> str:
        answer = self.client.get(address, headers=OWN_PAGE)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.location}"
        return answer.get_data(as_text=True)

    def search(self, typed: str) -> str:
        """Search, and open what was found."""
        answer = self.client.post(
            "/desk/search", data={"q": typed, "csrf_token": self.token}, headers=OWN_PAGE
        )
        assert answer.status_code == 303, answer.status_code
        assert typed not in answer.location
        return self.get(answer.location)

    def _post(self, address: str, form: dict[str, str], *, follow: bool = False) -> str:
        answer = self.client.post(address, data=form, headers=OWN_PAGE, follow_redirects=follow)
        assert answer.status_code in {200, 302, 303}, f"{address}: {answer.status_code}"
        return answer.get_data(as_text=True)


class Bench:
    """One database of one size."""

    def __init__(self, app: Flask, now: datetime) -> None:
        self.app = app
        self.now = now
        self.keys: Keys = app.extensions["xinheng.keys"]
        self.database: Database = app.extensions["xinheng.databases"].leads
        self.draw = random.Random(2)

    def prepare(self, number: int) -> None:
        """Make staff and leads, unless the folder holds them already."""
        accounts = Accounts(self.database, self.keys)
        if accounts.all():
            return
        accounts.add("lead@xinheng.example", "主管", [RoleName.SALES_LEAD])
        for place in range(SALESPEOPLE):
            accounts.add(f"sales-{place:02}@xinheng.example", f"销售{place:02}", [RoleName.SALES])
        staff = {member.email: member.id for member in accounts.all()}
        progress = _Progress(number)
        fill(
            self.database,
            self.keys,
            number=number,
            staff=[staff[email] for email in sorted(staff) if email.startswith("sales-")],
            form_version=self.app.extensions["xinheng.consultation"].published().version,
            check=self.app.extensions["xinheng.health_check"](),
            now=self.now,
            progress=progress.add,
        )
        progress.end()

    def settle(self) -> None:
        """PostgreSQL gathers statistics and clears pages by itself, soon after so many rows: here it is done now."""
        if self.database.engine.dialect.name == "postgresql":
            with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET statement_timeout = 0"))
                connection.execute(text("VACUUM ANALYZE"))

    def visitors(self) -> Sequence[Visitor]:
        """The busiest salesperson and the sales lead, with new passwords, signed in."""
        accounts = Accounts(self.database, self.keys)
        found = []
        for email in ("sales-00@xinheng.example", "lead@xinheng.example"):
            printed = accounts.reset(email)
            member = next(each for each in accounts.all() if each.email == email)
            assert printed is not None
            found.append(Visitor(self.app, member, printed.password))
        return found

    def cases(self, visitor: Visitor) -> Iterator[Case]:
        """All that one member of staff does."""
        yield self._page(visitor, "today", "/desk/", daily=True)
        if visitor.everyone:
            yield self._page(visitor, "who is on duty", "/desk/duty", daily=True)
        for view in VIEWS:
            for sort in ("due", "newest", "priority"):
                wanted = Wanted(view=view, sort=sort)
                yield self._list(visitor, f"view {view}, {sort}", wanted, daily=sort == "due")
        today = self.now.astimezone(SHANGHAI).date()
        ranges = {"a week": today - timedelta(days=7), "two years": today - timedelta(days=728)}
        for name, since in ranges.items():
            came = Wanted(came_since=since, came_until=today, sort="came")
            yield self._list(visitor, f"of a report, {name}", came)
            yield self._list(
                visitor, f"of a report, {name}, rare", replace(came, need="other", reached="won")
            )
        for sort in SORTS:
            for name, filtered in self._filters(visitor):
                yield self._list(
                    visitor,
                    f"{sort}, {name}",
                    replace(filtered, sort=sort),
                    daily=(sort, name) == ("newest", "all"),
                )
            for name, filtered in (("all", Wanted()), ("open", Wanted(status="open"))):
                wanted = replace(filtered, sort=sort)
                yield self._list(visitor, f"{sort}, {name}, page {DEEP}", self._deep(visitor, wanted))
        yield from self._people(visitor)
        yield from self._lead_pages(visitor)

    def _filters(self, visitor: Visitor) -> Iterator[tuple[str, Wanted]]:
        yield "all", Wanted()
        yield "status open", Wanted(status="open")
        for name, values in FILTERS.items():
            for value in values:
                yield f"{name} {value}", replace(Wanted(), **{name: value})
        yield "owner me", Wanted(owner=visitor.member.id)
        yield "owner none", Wanted(owner="none")
        if visitor.everyone:
            for place in (0, SALESPEOPLE - 1):
                yield f"owner {'busiest' if place == 0 else 'rarest'}", Wanted(owner=self._sales(place))
        today = self.now.astimezone(SHANGHAI).date()
        yield "today", Wanted(since=today, until=today)
        for days in (7, 30, 365):
            yield f"last {days} days", Wanted(since=today - timedelta(days=days), until=today)
        old = today - timedelta(days=400)
        yield "a week last year", Wanted(since=old, until=old + timedelta(days=7))

    def _people(self, visitor: Visitor) -> Iterator[Case]:
        """Searches as they are typed, and the list of what was found under other sorts."""
        leads = self._some_leads(visitor)
        phones = [self._opened(lead, "phone").removeprefix("+86") for lead in leads]
        names = [name for lead in leads if (name := self._opened(lead, "name"))]
        with self.database.reading() as session:
            found = select(Enquiry.reference).where(Enquiry.lead_id.in_([lead.id for lead in leads]))
            references = list(session.scalars(found))
        typed = {
            "phone": [f"{each[:3]} {each[3:7]} {each[7:]}" for each in phones],
            "last four": [each[-4:] for each in phones],
            "name": names,
            "reference": references,
            "nobody": [f"1349999{self.draw.randrange(10_000):04}" for _ in range(20)],
        }
        for kind, texts in typed.items():
            yield Case(
                f"{visitor.role}: search {kind}",
                _cycle([lambda words=words: visitor.search(words) for words in texts]),
                daily=kind == "phone",
            )
        for sort in ("due", "priority"):
            index = self.keys.blind_index("last_four", phones[0][-4:])
            wanted = Wanted(match=Match("last_four", index or b""), sort=sort)
            yield self._list(visitor, f"{sort}, found by last four", wanted)

    def _lead_pages(self, visitor: Visitor) -> Iterator[Case]:
        """A lead's page, opened from lists whose neighbours it names."""
        addresses = [f"/desk/leads/{lead.id}" for lead in self._some_leads(visitor)]
        lists = {
            "the newest": "/desk/leads",
            "what is late": "/desk/leads?view=late",
            "a rare need": f"/desk/leads?{list_address(Wanted(need='other', sort='priority'))}",
        }
        for name, address in lists.items():
            visitor.get(address)
            requests = _cycle([lambda each=each: visitor.get(each) for each in addresses])
            yield Case(f"{visitor.role}: lead page from {name}", requests, daily=name != "a rare need")
        checked = [f"/desk/leads/{lead.id}" for lead in self._some_leads(visitor, Lead.level != "")]
        if checked:
            requests = _cycle([lambda each=each: visitor.get(each) for each in checked])
            yield Case(f"{visitor.role}: lead page with a health check", requests, daily=True)

    def _some_leads(self, visitor: Visitor, *only: ColumnElement[bool]) -> Sequence[Lead]:
        """Leads of all ages that this member may see."""
        found = []
        with self.database.reading() as session:
            for _ in range(40):
                at = self.now - timedelta(days=self.draw.uniform(0, 900))
                query = select(Lead).where(Lead.last_enquiry_at < at, Lead.restricted.is_(False), *only)
                if not visitor.everyone:
                    query = query.where(Lead.owner_id == visitor.member.id)
                found += session.scalars(query.order_by(Lead.last_enquiry_at.desc(), Lead.id.desc()).limit(1))
        return found

    def _deep(self, visitor: Visitor, wanted: Wanted) -> Wanted:
        """The same list, at its two-hundredth page or the last it has."""
        with self.database.reading() as session:
            leads = find_leads(session, visitor.scope, wanted, self.now, (DEEP - 1) * PAGE).leads
        return replace(wanted, place=place_of(leads[-1], wanted))

    def _list(self, visitor: Visitor, name: str, wanted: Wanted, *, daily: bool = False) -> Case:
        return self._page(visitor, name, f"/desk/leads?{list_address(wanted)}", daily=daily)

    def _page(self, visitor: Visitor, name: str, address: str, *, daily: bool = False) -> Case:
        return Case(f"{visitor.role}: {name}", _cycle([lambda: visitor.get(address)]), daily)

    def _sales(self, place: int) -> str:
        with self.database.reading() as session:
            email = f"sales-{place:02}@xinheng.example"
            return session.scalars(select(User.id).where(User.email == email)).one()

    def _opened(self, lead: Lead, column: str) -> str:
        return lead.open(self.keys, column)

    def count(self) -> int:
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(Lead)).one()


class _Progress:
    """A line that says how far the making of leads is."""

    def __init__(self, whole: int) -> None:
        self._whole, self._done, self._start = whole, 0, time.monotonic()

    def add(self, number: int) -> None:
        self._done += number
        left = (time.monotonic() - self._start) / self._done * (self._whole - self._done)
        self._say(f"{self._done:,} of {self._whole:,} leads made, {left:.0f} s left, then the indexes")

    def end(self) -> None:
        self._say(f"{self._done:,} leads made in {time.monotonic() - self._start:.0f} s")
        print(file=sys.stderr)

    def _say(self, words: str) -> None:
        print(f"\r{words:<78}", end="", file=sys.stderr, flush=True)


def _cycle(requests: Sequence[Request]) -> Iterator[Request]:
    while True:
        yield from requests


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "a page of the desk without a token"
    return found[1]
