"""A list's address: written in one way, read with suspicion, and nothing personal in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_args
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinheng.desk.list_address import list_address, read_list
from xinheng.forms.priority import Level, Source
from xinheng.leads.moves import MOVES, ROAD
from xinheng.leads.wanted import VIEWS, Match, Place, Sort, Wanted

ID = "0123456789abcdef0123456789abcdef"
INDEX = "ab" * 16


def arguments(query: str) -> dict[str, str]:
    return dict(parse_qsl(query))


hexadecimal = st.text("0123456789abcdef", min_size=32, max_size=32)
keys = st.just("") | st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=32)
days = st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31))
moments = st.integers(0, 4_000_000_000_000_000).map(
    lambda number: datetime.fromtimestamp(number // 1_000_000, UTC).replace(microsecond=number % 1_000_000)
)
points = st.integers(0, 4000)


@st.composite
def wanted_lists(draw: st.DrawFn) -> Wanted:
    of_report = draw(st.booleans())
    sort: Sort = "came" if of_report else draw(st.sampled_from(get_args(Sort)))
    values = {
        "newest": moments,
        "waiting": moments,
        "due": st.none() | moments,
        "priority": st.none() | points,
        "came": moments,
    }[sort]
    place = st.builds(Place, values, hexadecimal, st.booleans())
    return Wanted(
        view=draw(st.none() | st.sampled_from(VIEWS)),
        status=draw(st.sampled_from(["", "open", *MOVES])),
        owner=draw(keys),
        need=draw(keys),
        source=draw(st.sampled_from(["", *get_args(Source)])),
        level=draw(st.sampled_from(["", "none", *get_args(Level)])),
        since=draw(days),
        until=draw(days),
        came_since=draw(days) if of_report else None,
        came_until=draw(days) if of_report else None,
        reached=draw(st.sampled_from(["", *ROAD])) if of_report else "",
        article=draw(st.sampled_from(["", "dso", "b2b-terms-2026"])) if of_report else "",
        match=draw(
            st.none()
            | st.builds(
                Match, st.sampled_from(["phone", "last_four", "name"]), hexadecimal.map(bytes.fromhex)
            )
        ),
        sort=sort,
        place=draw(st.none() | place),
    )


@given(wanted_lists())
def test_what_is_written_is_read_again(wanted: Wanted) -> None:
    query = list_address(wanted)
    assert read_list(arguments(query)) == wanted
    assert list_address(read_list(arguments(query))) == query


def test_the_usual_list_has_no_address_of_its_own() -> None:
    assert list_address(Wanted()) == ""
    assert list_address(Wanted(view="late", sort="due")) == "view=late"
    assert read_list({}) == Wanted()
    assert read_list({"view": "late"}).sort == "due"


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of all takes a second to draw
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *(
                    "view",
                    "status",
                    "owner",
                    "need",
                    "source",
                    "level",
                    "since",
                    "until",
                    "match",
                    "sort",
                    "place",
                ),
                *("came_since", "came_until", "reached", "article"),
            ]
        ),
        st.text(max_size=60)
        | st.sampled_from(["after.-.x", "before.9", "phone.", "9999-99-99", "late", "due"]),
    )
)
def test_whatever_stands_in_an_address_something_is_read_and_can_be_written(found: dict[str, str]) -> None:
    wanted = read_list(found)
    assert read_list(arguments(list_address(wanted))) == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("view", "everything"),
        ("view", "LATE"),
        ("status", "<script>"),
        ("status", "new contacted"),
        ("status", "a" * 33),
        ("status", "新线索"),
        ("status", "new\x00"),
        ("owner", "' OR 1=1 --"),
        ("owner", "None;"),
        ("need", "../etc"),
        ("source", "a-b"),
        ("level", "HIGH"),
        ("reached", "lost"),
        ("article", "../etc"),
        ("article", "a" * 81),
        ("came_since", "week 47"),
        ("since", "yesterday"),
        ("since", "2026-02-30"),
        ("since", "1999-12-31"),
        ("until", "2100-01-01"),
        ("until", "2026-13-01"),
        ("match", f"phone.{INDEX[:-1]}"),
        ("match", f"phone.{INDEX.upper()}"),
        ("match", f"email.{INDEX}"),
        ("match", "phone.13800138000"),
        ("match", INDEX),
        ("sort", "name"),
        ("sort", "phone"),
        ("sort", "id desc"),
        ("place", ""),
        ("place", "after"),
        ("place", f"after.-.{ID}"),
        ("place", f"after.12345678901234567.{ID}"),
        ("place", f"after.1.5.{ID}"),
        ("place", f"beside.1.{ID}"),
        ("place", f"after.1.{ID}0"),
    ],
)
def test_nonsense_is_left_out(name: str, text: str) -> None:
    assert read_list({name: text}) == Wanted()


@pytest.mark.parametrize(
    "text",
    [f"after.9999999999999999.{ID}", f"before.-9999999999999999.{ID}", f"after.2147483648.{ID}"],
)
def test_points_that_no_lead_can_have_are_nonsense_too(text: str) -> None:
    """They don't fit into the column that they are compared with."""
    assert read_list({"sort": "priority", "place": text}).place is None


def test_a_place_is_read_by_its_sort() -> None:
    at = datetime(2026, 11, 23, 4, 0, 0, 250, tzinfo=UTC)
    number = 1_795_406_400_000_250
    assert read_list({"place": f"after.{number}.{ID}"}).place == Place(at, ID)
    assert read_list({"place": f"before.{number}.{ID}"}).place == Place(at, ID, before=True)
    assert read_list({"place": f"after.-.{ID}", "sort": "due"}).place == Place(None, ID)
    assert read_list({"place": f"after.-.{ID}", "sort": "priority"}).place == Place(None, ID)
    assert read_list({"place": f"after.40.{ID}", "sort": "priority"}).place == Place(40, ID)


def test_a_person_searched_for_is_an_index_and_nothing_else() -> None:
    query = list_address(Wanted(match=Match("phone", bytes.fromhex(INDEX))))
    assert query == f"match=phone.{INDEX}"
    for typed in ("13800138000", "张三丰", "8000"):
        assert read_list({"q": typed, "phone": typed, "name": typed, "match": typed}) == Wanted()
