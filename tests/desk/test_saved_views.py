"""Lists that a member keeps under a name: theirs only, without a person searched for, and not without end."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.desk.conftest import DeskClient, SignedIn, Staff

from xinheng.db import Database
from xinheng.desk.saved_views import MOST
from xinheng.leads.models import SavedView

INDEX, ID = "ab" * 16, "cd" * 16


def kept(store: Database) -> list[tuple[str, str]]:
    with store.reading() as session:
        return [(view.name, view.query) for view in session.scalars(select(SavedView).order_by(SavedView.id))]


def test_a_list_is_kept_under_a_name_and_is_a_link(desk: DeskClient, store: Database) -> None:
    answer = desk.send("/desk/views", name=" 等回话 ", query="status=contacted&sort=due")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/leads?status=contacted&sort=due")
    assert kept(store) == [("等回话", "status=contacted&sort=due")]
    page = desk.get("/desk/leads").text
    assert 'href="/desk/leads?status=contacted&amp;sort=due">等回话</a>' in page
    assert "已存下视图“等回话”" in page
    assert "等回话" in desk.get("/desk/").text


def test_the_same_name_means_the_newer_list(desk: DeskClient, store: Database) -> None:
    desk.send("/desk/views", name="我的", query="status=new")
    desk.send("/desk/views", name="我的", query="status=open")
    assert kept(store) == [("我的", "status=open")]


@pytest.mark.parametrize(
    ("query", "stored"),
    [
        (f"status=new&match=phone.{INDEX}", "status=new"),
        (f"status=new&place=after.1.{ID}", "status=new"),
        ("q=13800138000&name=张三", ""),
        ("<script>", ""),
        ("status=' OR 1=1&need=overdue", "need=overdue"),
        ("", ""),
    ],
)
def test_neither_a_person_nor_a_page_nor_nonsense_is_kept(
    desk: DeskClient, store: Database, query: str, stored: str
) -> None:
    desk.send("/desk/views", name="一", query=query)
    assert kept(store) == [("一", stored)]


def test_a_deleted_list_is_told_of_and_the_page_stays(desk: DeskClient, store: Database) -> None:
    desk.send("/desk/views", name="等回话", query="status=contacted")
    with store.reading() as session:
        address = f"/desk/views/{session.scalars(select(SavedView.id)).one()}/delete"
    assert (
        'name="query" value="status=open&amp;sort=due"' in desk.get("/desk/leads?status=open&sort=due").text
    )
    answer = desk.send(address, query="status=open&sort=due")
    assert answer.headers["Location"] == "/desk/leads?status=open&sort=due"
    assert "已删掉视图“等回话”" in desk.get(answer.headers["Location"]).text
    assert desk.send(address).headers["Location"] == "/desk/"
    assert "已删掉" not in desk.get("/desk/").text, "pressed twice it is deleted once"


@pytest.mark.parametrize("name", ["", "   ", "\t"])
def test_a_view_without_a_name_is_not_kept(desk: DeskClient, store: Database, name: str) -> None:
    desk.send("/desk/views", name=name, query="status=new")
    assert kept(store) == []
    assert "请先给这个视图起个名字" in desk.get("/desk/leads").text


@pytest.mark.parametrize("name", ["一" * 300, "<b>粗</b>", "a\x00b"])
def test_any_name_is_shown_as_it_is_and_not_too_long(desk: DeskClient, store: Database, name: str) -> None:
    assert desk.send("/desk/views", name=name, query="").status_code == 303
    assert all(len(stored) <= 20 for stored, _ in kept(store))
    assert "<b>粗" not in desk.get("/desk/leads").text


def test_there_is_an_end_to_how_many(desk: DeskClient, store: Database) -> None:
    for number in range(MOST + 2):
        desk.send("/desk/views", name=f"第{number}", query="status=new")
    assert len(kept(store)) == MOST == 20
    assert "最多存20个视图" in desk.get("/desk/leads").text
    desk.send("/desk/views", name="第3", query="status=open")
    assert ("第3", "status=open") in kept(store)


def test_nobody_sees_or_deletes_somebody_elses_views(
    desk: DeskClient,
    store: Database,
    staff: Staff,
    signed_in: SignedIn,
    another_browser: type[DeskClient],
) -> None:
    desk.send("/desk/views", name="周的", query="status=new")
    with store.reading() as session:
        view_id = session.scalars(select(SavedView.id)).one()
    other = signed_in(another_browser(), staff("sales_lead"))
    assert "周的" not in other.get("/desk/leads").text
    other.send("/desk/views", name="周的", query="status=open")
    assert other.send(f"/desk/views/{view_id}/delete").status_code == 303
    assert len(kept(store)) == 2
    desk.send(f"/desk/views/{view_id}/delete")
    assert kept(store) == [("周的", "status=open")]
