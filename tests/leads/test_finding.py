"""Leads are found by what they wait for, by filters, sorts, phone, name and reference, each once, and only one's own."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.leads.colleagues import hire, plain_lead, put_leads, scope_of, shanghai
from tests.leads.conftest import NOON

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.finding import MOST_COUNTED, beside, count_views, find_leads, find_person
from xinheng.leads.models import Enquiry, Lead
from xinheng.leads.moves import ROAD
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.submission import Submission
from xinheng.leads.wanted import VIEWS, Match, Place, Sort, View, Wanted, day_bounds, place_of
from xinheng.settings import SHANGHAI
from xinheng.staff.models import User

Asked = Callable[..., Submission]
SORTS: tuple[Sort, ...] = get_args(Sort)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FAR = datetime(9999, 12, 31, tzinfo=UTC)
NEEDS, SOURCES, LEVELS = ("overdue", "other"), ("search", "direct"), ("", "low", "high")
STATUSES = ("new", "contacted", "interested", "won", "lost")


@pytest.fixture
def zhou(store: Database) -> User:
    return hire(store, "周敏")


@pytest.fixture
def wu(store: Database) -> User:
    return hire(store, "吴凯")


def waits_for(lead: dict[str, Any]) -> str:
    if lead["restricted"]:
        return "held"
    if lead["status"] in {"won", "lost", "invalid"}:
        return "closed"
    if lead["follow_up_at"]:
        return "planned"
    return "first" if lead["status"] == "new" else "stuck"


def random_leads(owners: Sequence[str | None], number: int, seed: int = 3) -> list[dict[str, Any]]:
    """Leads of all kinds, with few different moments, so that many tie."""
    chance = random.Random(seed)  # noqa: S311 (the same leads each time)
    leads = []
    for _ in range(number):
        status = chance.choice(STATUSES)
        closed = status in {"won", "lost"}
        planned = (
            None if closed else chance.choice([None, *(NOON + each * HOUR for each in range(-30, 40, 7))])
        )
        lead = plain_lead(
            id=f"{chance.getrandbits(128):032x}",
            status=status,
            closed=closed,
            owner_id=chance.choice(owners),
            follow_up_at=planned,
            priority=chance.choice([None, 0, 5, 5, 40, 95]),
            need=chance.choice(NEEDS),
            source=chance.choice(SOURCES),
            level=chance.choice(LEVELS),
            restricted=chance.random() < 0.05,
            last_enquiry_at=NOON - (days := chance.randrange(12)) * 9 * HOUR,
            created_at=NOON - (days + chance.randrange(12)) * 9 * HOUR,
            reached=status if status in ROAD else chance.choice(ROAD),
            article=chance.choice(("", "dso")),
            last_four_index=chance.choice([b"1" * 16, b"2" * 16]),
            name_index=chance.choice([None, b"n" * 16]),
        )
        leads.append(lead | {"queue": waits_for(lead)})
    return leads


def in_view(lead: dict[str, Any], view: View, now: datetime) -> bool:
    queue, at = waits_for(lead), lead["follow_up_at"]
    midnight = datetime.combine(now.astimezone(SHANGHAI).date() + DAY, time(), SHANGHAI)
    return {
        "first": queue == "first",
        "stuck": queue == "stuck",
        "late": queue == "planned" and at < now,
        "today": queue == "planned" and now <= at < midnight,
    }[view]


def day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def visible(lead: dict[str, Any], scope: Scope, owner: str) -> bool:
    if lead["restricted"] or not (scope.everyone or lead["owner_id"] in (scope.staff_id, None)):
        return False
    return not owner or lead["owner_id"] == (None if owner == "none" else owner)


def fits(lead: dict[str, Any], wanted: Wanted, now: datetime) -> bool:
    asked = [
        not wanted.view or in_view(lead, wanted.view, now),
        wanted.status in ("", lead["status"])
        or (wanted.status == "open" and lead["status"] not in {"won", "lost", "invalid"}),
        wanted.need in ("", lead["need"]),
        wanted.source in ("", lead["source"]),
        wanted.level in ("", lead["level"] or "none"),
        wanted.since is None or day_of(lead["last_enquiry_at"]) >= wanted.since,
        wanted.until is None or day_of(lead["last_enquiry_at"]) <= wanted.until,
        wanted.came_since is None or day_of(lead["created_at"]) >= wanted.came_since,
        wanted.came_until is None or day_of(lead["created_at"]) <= wanted.came_until,
        not wanted.reached or ROAD.index(lead["reached"]) >= ROAD.index(wanted.reached),
        wanted.article in ("", lead["article"]),
        wanted.match is None or lead[f"{wanted.match.column}_index"] == wanted.match.index,
    ]
    return all(asked)


DOWNWARD = {"newest", "priority", "came"}
KEYS: dict[Sort, Callable[[dict[str, Any]], Any]] = {
    "newest": lambda lead: (lead["last_enquiry_at"], lead["id"]),
    "waiting": lambda lead: (lead["last_enquiry_at"], lead["id"]),
    "due": lambda lead: (lead["follow_up_at"] or FAR, lead["id"]),
    "priority": lambda lead: (-1 if lead["priority"] is None else lead["priority"], lead["id"]),
    "came": lambda lead: (lead["created_at"], lead["id"]),
}


def expected(leads: list[dict[str, Any]], scope: Scope, wanted: Wanted, now: datetime) -> list[str]:
    """The same list by plain Python."""
    found = [lead for lead in leads if visible(lead, scope, wanted.owner) and fits(lead, wanted, now)]
    return [lead["id"] for lead in sorted(found, key=KEYS[wanted.sort], reverse=wanted.sort in DOWNWARD)]


def walk(
    store: Database,
    scope: Scope,
    wanted: Wanted,
    now: datetime,
    most: int,
    *,
    arriving: Callable[[], object] = int,
) -> list[str]:
    """Every page from the first to the last, each in a session of its own; `arriving` happens between them."""
    found: list[str] = []
    while True:
        with store.reading() as session:
            page = find_leads(session, scope, wanted, now, most)
        assert len(page.leads) <= most
        assert page.earlier is (wanted.place is not None)
        found += [lead.id for lead in page.leads]
        if not page.later:
            return found
        wanted = replace(wanted, place=place_of(page.leads[-1], wanted))
        arriving()


def walk_back(store: Database, scope: Scope, wanted: Wanted, now: datetime, most: int) -> list[str]:
    """Every page from behind the last to the first."""
    found: list[str] = []
    while True:
        with store.reading() as session:
            page = find_leads(session, scope, wanted, now, most)
        found[:0] = [lead.id for lead in page.leads]
        if not page.earlier:
            return found
        assert page.later
        wanted = replace(wanted, place=place_of(page.leads[0], wanted, before=True))


END = {
    "newest": Place(datetime(2000, 1, 1, tzinfo=UTC), "0" * 32, before=True),
    "waiting": Place(datetime(2100, 1, 1, tzinfo=UTC), "g" * 32, before=True),
    "due": Place(None, "g" * 32, before=True),
    "priority": Place(None, "", before=True),
    "came": Place(datetime(2000, 1, 1, tzinfo=UTC), "0" * 32, before=True),
}
"""Behind the last lead of each sort."""


# --- filters and sorts, against plain Python ---


def test_every_filter_with_every_sort_is_what_plain_python_finds(
    store: Database, zhou: User, wu: User
) -> None:
    leads = random_leads([zhou.id, wu.id, None], 300)
    put_leads(store, leads)
    some = st.sampled_from
    days = st.none() | some([day_of(NOON) - each * DAY for each in range(6)])
    wanted_lists = st.builds(
        Wanted,
        view=st.none() | some(VIEWS),
        status=some(["", "", "open", *STATUSES]),
        owner=some(["", "", "none", zhou.id, wu.id, "f" * 32]),
        need=some(["", "", *NEEDS]),
        source=some(["", "", *SOURCES]),
        level=some(["", "", "none", "low", "high"]),
        since=days,
        until=days,
        came_since=days,
        came_until=days,
        reached=some(["", "", *ROAD]),
        article=some(["", "", "dso"]),
        match=st.none() | some([Match("last_four", b"1" * 16), Match("name", b"n" * 16)]),
        sort=some(SORTS),
    )
    hours = st.integers(-40, 40).map(lambda hour: NOON + hour * HOUR)

    @settings(max_examples=250, deadline=None)
    @given(wanted=wanted_lists, everyone=st.booleans(), now=hours, most=some([7, 50]))
    def agrees(wanted: Wanted, everyone: bool, now: datetime, most: int) -> None:
        scope = scope_of(zhou, everyone=everyone)
        right = expected(leads, scope, wanted, now)
        assert walk(store, scope, wanted, now, most) == right
        assert walk_back(store, scope, replace(wanted, place=END[wanted.sort]), now, most) == right

    agrees()


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("everyone", [False, True])
def test_each_lead_is_on_one_page_in_both_directions(
    store: Database, zhou: User, wu: User, sort: Sort, everyone: bool
) -> None:
    leads = random_leads([zhou.id, wu.id, None], 120, seed=5)
    put_leads(store, leads)
    scope, wanted = scope_of(zhou, everyone=everyone), Wanted(sort=sort)
    right = expected(leads, scope, wanted, NOON)
    assert len(right) > 40
    for most in (1, 10, len(right), len(right) + 1):
        assert walk(store, scope, wanted, NOON, most) == right
        assert walk_back(store, scope, replace(wanted, place=END[sort]), NOON, most) == right


@pytest.mark.parametrize("sort", SORTS)
def test_where_all_tie_each_is_visited_once(store: Database, zhou: User, sort: Sort) -> None:
    leads = [plain_lead(owner_id=owner) for owner in (zhou.id, None) for _ in range(30)]
    put_leads(store, leads)
    found = walk(store, scope_of(zhou), Wanted(sort=sort), NOON, 7)
    assert found == sorted((lead["id"] for lead in leads), reverse=sort in DOWNWARD)


@pytest.mark.parametrize("sort", ["due", "priority"])
def test_what_has_no_value_comes_last(store: Database, zhou: User, sort: Sort) -> None:
    column = {"due": "follow_up_at", "priority": "priority"}[sort]
    values = [None, NOON, None, NOON + DAY] if sort == "due" else [None, 0, None, 95]
    leads = [plain_lead(**{column: value}) for value in values]
    put_leads(store, leads)
    found = walk(store, scope_of(zhou), Wanted(sort=sort), NOON, 1)
    by_id = {lead["id"]: lead[column] for lead in leads}
    order = [by_id[each] for each in found]
    assert order == ([NOON, NOON + DAY] if sort == "due" else [95, 0]) + [None, None]


@pytest.mark.parametrize("sort", SORTS)
def test_leads_that_arrive_meanwhile_move_none_and_repeat_none(
    store: Database, zhou: User, sort: Sort
) -> None:
    leads = random_leads([zhou.id, None], 60, seed=9)
    put_leads(store, leads)
    wanted, scope = Wanted(sort=sort), scope_of(zhou)
    before = expected(leads, scope, wanted, NOON)
    chance = random.Random(4)  # noqa: S311

    def arrive() -> None:
        put_leads(
            store,
            [
                plain_lead(
                    id=f"{chance.getrandbits(128):032x}",
                    owner_id=chance.choice([zhou.id, None]),
                    last_enquiry_at=NOON + chance.randrange(-99, 9) * HOUR,
                    priority=chance.choice([None, 5, 60]),
                    follow_up_at=chance.choice([None, NOON + 5 * HOUR]),
                )
                for _ in range(3)
            ],
        )

    found = walk(store, scope, wanted, NOON, 8, arriving=arrive)
    assert len(found) == len(set(found))
    known = set(before)
    assert [each for each in found if each in known] == before


def test_a_page_whose_first_lead_is_gone_goes_on_from_there(store: Database, zhou: User) -> None:
    leads = [plain_lead(id=f"{number:032x}", last_enquiry_at=NOON + number * HOUR) for number in range(6)]
    put_leads(store, leads)
    gone = Place(NOON + 3 * HOUR + timedelta(minutes=1), "a" * 32)
    with store.reading() as session:
        found = find_leads(session, scope_of(zhou), Wanted(place=gone), NOON)
        back = find_leads(session, scope_of(zhou), Wanted(place=replace(gone, before=True)), NOON)
    assert [int(lead.id, 16) for lead in found.leads] == [3, 2, 1, 0]
    assert [int(lead.id, 16) for lead in back.leads] == [5, 4]


def test_the_leads_beside_one_are_its_neighbours_in_the_list(store: Database, zhou: User) -> None:
    leads = random_leads([zhou.id, None], 40, seed=11)
    put_leads(store, leads)
    for sort in SORTS:
        wanted, scope = Wanted(sort=sort), scope_of(zhou)
        order = expected(leads, scope, wanted, NOON)
        for place, lead_id in enumerate(order):
            with store.reading() as session:
                lead = session.get_one(Lead, lead_id)
                found = beside(session, scope, wanted, lead, NOON)
            before = order[place - 1] if place else None
            after = order[place + 1] if place + 1 < len(order) else None
            assert found == (before, after)


def test_a_lead_that_left_the_list_still_has_neighbours_in_it(store: Database, zhou: User) -> None:
    ids = [f"{number:032x}" for number in range(3)]
    put_leads(
        store,
        [
            plain_lead(
                id=each, last_enquiry_at=NOON + number * HOUR, need="overdue" if number != 1 else "other"
            )
            for number, each in enumerate(ids)
        ],
    )
    with store.reading() as session:
        lead = session.get_one(Lead, ids[1])
        found = beside(session, scope_of(zhou), Wanted(need="overdue"), lead, NOON)
    assert found == (ids[2], ids[0])


# --- counts ---


def test_counts_are_what_the_views_hold(store: Database, zhou: User, wu: User) -> None:
    leads = random_leads([zhou.id, wu.id, None], 300, seed=8)
    put_leads(store, leads)
    for everyone in (False, True):
        scope = scope_of(zhou, everyone=everyone)
        for owner in ("", "none", zhou.id, wu.id):
            with store.reading() as session:
                counts = count_views(session, scope, NOON, owner)
                held = {
                    view: len(find_leads(session, scope, Wanted(view=view, owner=owner), NOON, 999).leads)
                    for view in VIEWS
                }
            assert counts == held
            assert tuple(counts) == VIEWS
            assert counts == {
                view: len(expected(leads, scope, Wanted(view=view, owner=owner), NOON)) for view in VIEWS
            }


@pytest.mark.parametrize(("number", "counted"), [(998, 998), (999, 999), (1000, 1000), (1100, 1000)])
def test_counts_stop_at_one_more_than_is_shown(
    store: Database, zhou: User, number: int, counted: int
) -> None:
    put_leads(store, [plain_lead(owner_id=(zhou.id, None)[each % 2]) for each in range(number)])
    with store.reading() as session:
        assert count_views(session, scope_of(zhou), NOON)["first"] == counted
        assert count_views(session, scope_of(zhou, everyone=True), NOON)["first"] == counted
    assert MOST_COUNTED == 999


@pytest.mark.parametrize(
    ("now", "due", "view"),
    [
        ("2026-11-23 12:00", "2026-11-23 11:59", "late"),
        ("2026-11-23 12:00", "2026-11-23 12:00", "today"),
        ("2026-11-23 12:00", "2026-11-23 23:59", "today"),
        ("2026-11-23 12:00", "2026-11-24 00:00", None),
        ("2026-11-23 12:00", "2026-11-22 10:00", "late"),
        ("2026-11-24 00:00", "2026-11-24 00:00", "today"),
        ("2026-11-24 07:59", "2026-11-24 10:00", "today"),
        ("2026-11-23 23:59", "2026-11-24 00:01", None),
    ],
)
def test_days_begin_in_shanghai(store: Database, zhou: User, now: str, due: str, view: View | None) -> None:
    put_leads(store, [plain_lead(status="contacted", queue="planned", follow_up_at=shanghai(due))])
    with store.reading() as session:
        counts = count_views(session, scope_of(zhou), shanghai(now))
    assert counts == dict.fromkeys(VIEWS, 0) | ({view: 1} if view else {})


def test_the_bounds_of_a_day() -> None:
    assert day_bounds(shanghai("2026-11-23 00:00")) == (
        shanghai("2026-11-23 00:00"),
        shanghai("2026-11-24 00:00"),
    )
    assert day_bounds(datetime(2026, 11, 22, 15, 59, tzinfo=UTC))[1] == shanghai("2026-11-23 00:00")
    assert day_bounds(datetime(2026, 11, 22, 16, 0, tzinfo=UTC))[0] == shanghai("2026-11-23 00:00")


# --- one person ---

MOBILE = (
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "138.0013.8000",
    "+8613800138000",
    "+86 138 0013 8000",
    "0086 138-0013-8000",
    "8613800138000",
    "(+86)13800138000",
    "１３８００１３８０００",
    "138　0013　8000",
    "电话：13800138000（微信同号）",
    "  13800138000  ",
)
"""One mobile in thirteen spellings."""


@pytest.fixture
def people(desk: EnquiryDesk, store: Database, asked: Asked, zhou: User, wu: User) -> SimpleNamespace:
    """Leads of nobody, of 周敏 and of 吴凯, by name; and a restricted one."""
    kept: dict[str, str] = {}
    phones = {
        "张三丰": "138 0013 8000",
        "李莉": "021-87654321",
        "王总": "021-8765 4321 转 801",
        "吴凯的客户": "13911118000",
        "陈女士": "13722225678",
        "封存": "13633335555",
    }
    references = {}
    for number, (name, phone) in enumerate(phones.items()):
        done = desk.record(
            asked(phone=phone, name=name, typed_id=f"{number:032x}"), NOON + timedelta(minutes=number)
        )
        references[name] = done.reference
        with store.writing() as session:
            lead = session.scalars(
                select(Lead).join(Enquiry).where(Enquiry.reference == done.reference)
            ).one()
            lead.owner_id = {"吴凯的客户": wu.id, "陈女士": zhou.id}.get(name)
            lead.restricted = name == "封存"
            lead.requeue()
            kept[lead.id] = name
    return SimpleNamespace(names=kept, references=references)


def found_names(
    store: Database, keys: Keys, scope: Scope, people: SimpleNamespace, typed: str
) -> list[str] | None:
    """Whom a search shows, the newest first; None where nothing was typed."""
    with store.reading() as session:
        found = find_person(session, keys, scope, typed)
        if found is None:
            return None
        if isinstance(found, Lead):
            return [people.names[found.id]]
        listed = find_leads(session, scope, Wanted(match=found), NOON).leads
        return [people.names[lead.id] for lead in listed]


@pytest.mark.parametrize("typed", MOBILE)
def test_a_mobile_is_found_in_any_spelling(
    store: Database, store_keys: Keys, zhou: User, people: SimpleNamespace, typed: str
) -> None:
    assert len(set(MOBILE)) == 13
    assert found_names(store, store_keys, scope_of(zhou), people, typed) == ["张三丰"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        # a switchboard: all who are behind it, whether the extension is typed or not
        ("021-87654321", ["王总", "李莉"]),
        ("021 8765 4321", ["王总", "李莉"]),
        ("02187654321", ["王总", "李莉"]),
        ("021-87654321 转 801", ["王总", "李莉"]),
        ("021-87654321-801", ["王总", "李莉"]),
        ("+86 21 8765 4321", ["王总", "李莉"]),
        # the last four digits; not those of an extension, not any others
        ("8000", ["张三丰"]),
        ("４３２１", ["王总", "李莉"]),
        (" 5678 ", ["陈女士"]),
        ("0801", []),
        ("801", []),
        ("0013", []),
        ("1380", []),
        ("138", []),
        ("38000", []),
        ("1380013800", []),
        # a whole name; not a part of it
        ("张三丰", ["张三丰"]),
        (" 张三丰 ", ["张三丰"]),
        ("张三", []),
        ("张", []),
        ("三丰", []),
        ("张*", []),
        ("张%", []),
        ("张三丰丰", []),
        ("陈女士", ["陈女士"]),
        # somebody else's and restricted ones
        ("13911118000", []),
        ("吴凯的客户", []),
        ("13633335555", []),
        ("5555", []),
        ("封存", []),
        # nobody
        ("13999999999", []),
        ("999", []),
        ("\x00", []),
        ("' OR 1=1 --", []),
        ("一" * 500, []),
    ],
)
def test_what_a_search_finds(
    store: Database,
    store_keys: Keys,
    zhou: User,
    people: SimpleNamespace,
    typed: str,
    found: list[str],
) -> None:
    assert found_names(store, store_keys, scope_of(zhou), people, typed) == found


def test_a_sales_lead_finds_everybodys_but_no_restricted_one(
    store: Database, store_keys: Keys, zhou: User, people: SimpleNamespace
) -> None:
    scope = scope_of(zhou, everyone=True)
    assert found_names(store, store_keys, scope, people, "8000") == ["吴凯的客户", "张三丰"]
    assert found_names(store, store_keys, scope, people, "吴凯的客户") == ["吴凯的客户"]
    for typed in ("13633335555", "5555", "封存", people.references["封存"]):
        assert found_names(store, store_keys, scope, people, typed) == []


@pytest.mark.parametrize("typed", ["", " ", "\t\n", "　"])
def test_nothing_typed_finds_nothing(
    store: Database, store_keys: Keys, zhou: User, people: SimpleNamespace, typed: str
) -> None:
    assert found_names(store, store_keys, scope_of(zhou), people, typed) is None


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    str.title,
    lambda reference: reference.replace("-", ""),
    lambda reference: reference.replace("-", " ").lower(),
    lambda reference: f" {reference} ",
    lambda reference: reference.removeprefix("XH-"),
    lambda reference: reference[:3] + reference[3:].replace("0", "O").replace("1", "l"),
)


@pytest.mark.parametrize("spelling", range(len(SPELLINGS)))
def test_a_reference_is_found_in_any_case(
    store: Database, store_keys: Keys, zhou: User, people: SimpleNamespace, spelling: int
) -> None:
    for name in ("张三丰", "陈女士"):
        typed = SPELLINGS[spelling](people.references[name])
        assert found_names(store, store_keys, scope_of(zhou), people, typed) == [name]


def test_somebody_elses_reference_finds_nothing(
    store: Database, store_keys: Keys, zhou: User, people: SimpleNamespace
) -> None:
    assert found_names(store, store_keys, scope_of(zhou), people, people.references["吴凯的客户"]) == []


def test_an_older_enquirys_reference_finds_the_lead_too(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, zhou: User
) -> None:
    first = desk.record(asked(), NOON)
    desk.record(asked(typed_id="e" * 32), NOON + HOUR)
    with store.reading() as session:
        found = find_person(session, store_keys, scope_of(zhou), first.reference)
    assert isinstance(found, Lead)


def test_ten_digits_that_look_like_a_reference_are_still_a_phone(
    desk: EnquiryDesk, store: Database, store_keys: Keys, asked: Asked, zhou: User
) -> None:
    desk.record(asked(phone="400-820-8820"), NOON)
    with store.reading() as session:
        found = find_person(session, store_keys, scope_of(zhou), "4008208820")
        assert isinstance(found, Match)
        assert found.column == "phone"
        assert len(find_leads(session, scope_of(zhou), Wanted(match=found), NOON).leads) == 1


def test_a_match_is_a_keyed_index_and_holds_nothing_typed(store: Database, store_keys: Keys) -> None:
    others = replace(store_keys, index=secrets.token_bytes(32))
    with store.reading() as session:
        for typed in ("13800138000", "8000", "张三丰"):
            one = find_person(session, store_keys, Scope("x"), typed)
            other = find_person(session, others, Scope("x"), typed)
            assert isinstance(one, Match)
            assert isinstance(other, Match)
            assert one.index != other.index
            assert len(one.index) == 16
