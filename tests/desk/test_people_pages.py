"""Members on the desk: who is there, invitations, roles, resets, and leaving with the leads handed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from sqlalchemy import select
from tests.desk.conftest import GOOD_PASSWORD, Clock, DeskClient, Known, SignedIn, Staff
from tests.desk.leads_at_hand import ask, give, the_lead, words_on
from werkzeug.test import TestResponse

from xinheng.db import Database
from xinheng.notices.channel import Message, NotSent
from xinheng.notices.channels import Switchboard
from xinheng.notices.outbox import Notice
from xinheng.staff.models import StaffLink, User

Rows = Callable[[], list[tuple[str, str, str]]]
LINK = re.compile(r"http://[^/<]+/desk/join/([\w-]{43})")


@pytest.fixture
def admin(staff: Staff) -> Known:
    return staff("admin", name="管理员", second_factor=True)


@pytest.fixture
def desk(client: DeskClient, admin: Known, signed_in: SignedIn, clock: Clock) -> DeskClient:
    """The administrator's browser."""
    signed_in(client, admin)
    client.get("/desk/people")
    return client


def the_member(store: Database, email: str) -> User:
    with store.reading() as session:
        return session.query(User).filter_by(email=email).one()


def invite(desk: DeskClient, email: str = "lin@xinheng.example", **fields: object) -> TestResponse:
    return desk.send("/desk/people/invite", email=email, **{"name": "林夏", "role": "sales"} | fields)


def secret_on(answer: TestResponse) -> str:
    found = LINK.findall(answer.text)
    assert len(found) == 1
    return str(found[0])


def join(browser: DeskClient, secret: str, **fields: str) -> TestResponse:
    browser.get(f"/desk/join/{secret}")
    typed = {"name": "林夏", "new": GOOD_PASSWORD, "repeated": GOOD_PASSWORD} | fields
    return browser.send(f"/desk/join/{secret}", **typed)


# --- the list ---


def test_the_list_says_who_has_come_how_far(
    app: Flask, desk: DeskClient, staff: Staff, store: Database
) -> None:
    wu = staff("sales", name="吴凯", one_time=True)
    give(store, ask(app), wu)
    invite(desk)
    told = words_on(desk.get("/desk/people"))
    assert re.search(r"吴凯 \S+ 销售 还在用一次性密码 两步验证 还没有 最近使用 从未 进行中的线索 1", told)
    assert re.search(r"林夏 lin@xinheng.example 销售 已邀请 链接到11月26日 12:00为止 两步验证 —", told)
    assert re.search(r"管理员 \S+ 管理员 在用 两步验证 已设置", told)


def test_a_sales_lead_sees_the_list_and_changes_nobody(
    client: DeskClient, staff: Staff, signed_in: SignedIn, admin: Known
) -> None:
    signed_in(client, staff("sales_lead", name="李航"))
    page = client.get("/desk/people").text
    assert admin.email in page
    assert f"/desk/people/{admin.id}" not in page
    assert "邀请成员" not in page


# --- invitations ---


def test_who_is_invited_sets_a_name_and_a_password_and_signs_in(
    desk: DeskClient, another_browser: Callable[[], DeskClient], store: Database
) -> None:
    secret = secret_on(invite(desk, role=["sales", "editor"]))
    theirs = another_browser()
    assert "lin@xinheng.example" in theirs.get(f"/desk/join/{secret}").text
    assert join(theirs, secret, name="林小夏").status_code == 200
    assert theirs.sign_in("lin@xinheng.example", GOOD_PASSWORD).status_code == 302
    assert theirs.get("/desk/leads").headers["Location"] == "/desk/second-factor"
    theirs.get("/desk/second-factor")
    theirs.send("/desk/second-factor/later")
    me = words_on(theirs.get("/desk/me"))
    assert "林小夏" in me
    assert "编辑、销售" in me


def test_the_link_stands_on_one_page_once(desk: DeskClient, store: Database) -> None:
    secret = secret_on(invite(desk))
    person = the_member(store, "lin@xinheng.example")
    assert secret not in desk.get("/desk/people").text
    assert secret not in desk.get(f"/desk/people/{person.id}").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"email": "lin"}, "这不像邮箱地址"),
        ({"email": ""}, "请填写邮箱"),
        ({"name": "  "}, "请填写姓名"),
        ({"role": []}, "请至少选一个角色"),
        ({"role": "owner"}, "请至少选一个角色"),
        ({"name": "管理员"}, "已经有同事用这个名字"),
    ],
)
def test_what_is_missing_is_said_beside_the_field_and_what_was_typed_stays(
    desk: DeskClient, store: Database, fields: dict[str, object], says: str
) -> None:
    answer = invite(desk, **fields)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{fields.get("email", "lin@xinheng.example")}"' in answer.text
    with store.reading() as session:
        assert session.scalars(select(StaffLink)).all() == []


def test_who_works_here_already_is_not_invited(desk: DeskClient, staff: Staff) -> None:
    wu = staff("sales", name="吴凯")
    assert "这个邮箱已经有账号" in invite(desk, email=wu.email.upper()).text


class Letterbox:
    """The mail server, as far as this test goes."""

    name = target = "mail"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.taken: list[Message] = []

    def send(self, message: Message) -> str:
        if self.fault:
            raise NotSent(self.fault)
        self.taken.append(message)
        return "邮件服务器收下了"


@pytest.fixture
def letterbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Letterbox:
    held, box = app.extensions["xinheng.channels"], Letterbox()
    register = type("Register", (), {"for_channel": staticmethod(lambda name, now: object())})
    monkeypatch.setitem(
        app.extensions,
        "xinheng.channels",
        Switchboard({"mail": box}, lambda: register),  # type: ignore[arg-type,return-value]
    )
    assert held is not None
    return box


def test_a_link_goes_by_mail_where_that_is_wanted(
    desk: DeskClient, letterbox: Letterbox, store: Database
) -> None:
    assert "同时发到他的邮箱" in desk.get("/desk/people/invite").text
    answer = invite(desk, mail="yes")
    (message,) = letterbox.taken
    assert message.recipient == "lin@xinheng.example"
    assert secret_on(answer) in message.text
    assert "已交给邮件服务器" in answer.text
    with store.reading() as session:
        assert (
            session.scalars(select(Notice)).all() == []
        )  # an outbox would keep it for whoever reads a backup
    invite(desk)
    assert len(letterbox.taken) == 1


def test_a_mail_that_fails_leaves_the_link_on_the_page(desk: DeskClient, letterbox: Letterbox) -> None:
    letterbox.fault = "连不上"
    answer = invite(desk, mail="yes")
    assert "邮件没有发出（连不上）" in answer.text
    secret_on(answer)


def test_without_mail_nothing_is_said_of_it(desk: DeskClient) -> None:
    assert "同时发到他的邮箱" not in desk.get("/desk/people/invite").text


def test_an_invitation_is_renewed_and_taken_back(
    desk: DeskClient, another_browser: Callable[[], DeskClient], store: Database
) -> None:
    first = secret_on(invite(desk))
    page = f"/desk/people/{the_member(store, 'lin@xinheng.example').id}"
    second = secret_on(desk.send(f"{page}/invite"))
    assert another_browser().get(f"/desk/join/{first}").status_code == 410
    assert another_browser().get(f"/desk/join/{second}").status_code == 200
    desk.send(f"{page}/withdraw")
    assert "邀请已撤回" in desk.get(page).text
    assert another_browser().get(f"/desk/join/{second}").status_code == 410


# --- the link's page ---


def test_a_link_that_opens_nothing_says_what_to_do(
    desk: DeskClient, another_browser: Callable[[], DeskClient], clock: Clock
) -> None:
    theirs = another_browser()
    assert "这个链接不能用" in theirs.get("/desk/join/" + "x" * 43).text
    used = secret_on(invite(desk))
    join(theirs, used)
    page = theirs.get(f"/desk/join/{used}")
    assert (page.status_code, "这个链接已经用过了" in page.text) == (410, True)
    late = secret_on(invite(desk, email="he@xinheng.example", name="何静"))
    clock.advance(hours=72)
    page = theirs.get(f"/desk/join/{late}")
    assert (page.status_code, "这个链接过期了" in page.text) == (410, True)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"new": "short", "repeated": "short"}, "太短"),
        ({"repeated": "something-else-entirely"}, "两次写的新密码不一样"),
        ({"new": "", "repeated": ""}, "请填写密码"),
        ({"name": ""}, "请填写名字"),
        ({"name": "管理员"}, "已经有同事用这个名字"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_still_opens(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    store: Database,
    fields: dict[str, str],
    says: str,
) -> None:
    secret, theirs = secret_on(invite(desk)), another_browser()
    answer = join(theirs, secret, **fields)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert GOOD_PASSWORD not in answer.text
    assert join(theirs, secret).status_code == 200


def test_whoever_tries_links_has_to_wait(client: DeskClient, clock: Clock) -> None:
    found = [client.get(f"/desk/join/{number:043}").status_code for number in range(12)]
    assert found == [410] * 10 + [429] * 2
    clock.advance(seconds=61)
    assert client.get("/desk/join/x").status_code == 410


def test_looking_at_a_good_link_is_never_too_often(
    desk: DeskClient, another_browser: Callable[[], DeskClient]
) -> None:
    secret, theirs = secret_on(invite(desk)), another_browser()
    assert {theirs.get(f"/desk/join/{secret}").status_code for _ in range(15)} == {200}


def test_who_is_signed_in_is_told_that_the_link_is_somebody_elses(desk: DeskClient, store: Database) -> None:
    secret = secret_on(invite(desk))
    page = desk.get(f"/desk/join/{secret}")
    assert "请点右上角的“退出”" in page.text
    assert 'name="new"' not in page.text
    join(desk, secret)
    assert not the_member(store, "lin@xinheng.example").active


# --- accounts ---


def test_roles_are_changed_and_the_member_signs_in_anew(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
    store: Database,
    recorded: Rows,
    admin: Known,
) -> None:
    wu = staff("sales", name="吴凯")
    theirs = signed_in(another_browser(), wu)
    assert theirs.get("/desk/me").status_code == 200
    desk.send(f"/desk/people/{wu.id}/roles", role=["editor", "privacy"])
    assert the_member(store, wu.email).role_names == {"editor", "privacy"}
    assert theirs.get("/desk/me").status_code == 302
    assert (admin.id, "role_changed", wu.id) in recorded()


def test_who_no_longer_takes_leads_leaves_a_warning(
    app: Flask, desk: DeskClient, staff: Staff, store: Database
) -> None:
    wu = staff("sales", name="吴凯")
    give(store, ask(app), wu)
    desk.send(f"/desk/people/{wu.id}/roles", role="editor")
    assert "他还有1条进行中的线索" in desk.get(f"/desk/people/{wu.id}").text


@pytest.mark.parametrize(("roles", "says"), [([], "请至少选一个角色"), (["sales"], "这是最后一个管理员")])
def test_there_is_always_an_administrator(
    desk: DeskClient, admin: Known, store: Database, roles: Sequence[str], says: str
) -> None:
    answer = desk.send(f"/desk/people/{admin.id}/roles", role=roles)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert the_member(store, admin.email).role_names == {"admin"}
    assert "这是最后一个管理员" in desk.get(f"/desk/people/{admin.id}/leave").text
    desk.send(f"/desk/people/{admin.id}/leave")
    assert the_member(store, admin.email).active


def test_a_forgotten_password_is_replaced_by_its_owner(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
) -> None:
    wu = staff("sales", name="吴凯", second_factor=True)
    theirs = signed_in(another_browser(), wu)
    secret = secret_on(desk.send(f"/desk/people/{wu.id}/password"))
    assert theirs.get("/desk/me").status_code == 302
    assert theirs.sign_in(wu.email, GOOD_PASSWORD).status_code == 422
    new = "hua-ping-zai-zhuo-shang"
    assert join(theirs, secret, new=new, repeated=new).status_code == 200
    answer = theirs.sign_in(wu.email, new)
    assert answer.headers["Location"].startswith("/desk/code")  # the second factor is asked for as before


def test_a_second_factor_is_taken_away_and_its_owner_told(
    desk: DeskClient, staff: Staff, store: Database, recorded: Rows, admin: Known
) -> None:
    wu = staff("sales", name="吴凯", second_factor=True)
    assert "取消两步验证" in desk.get(f"/desk/people/{wu.id}").text
    desk.send(f"/desk/people/{wu.id}/second-factor")
    assert not the_member(store, wu.email).second_factor
    with store.reading() as session:
        (notice,) = session.scalars(select(Notice))
    assert (notice.recipient, notice.kind) == (wu.email, "account")
    assert "取消了两步验证" in notice.text
    assert (admin.id, "staff_reset", wu.id) in recorded()
    desk.send(f"/desk/people/{wu.id}/second-factor")  # pressed twice
    with store.reading() as session:
        assert len(session.scalars(select(Notice)).all()) == 1


def test_somebody_is_signed_out_everywhere(
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
    recorded: Rows,
    admin: Known,
) -> None:
    wu = staff("sales", name="吴凯")
    browsers = [signed_in(another_browser(), wu) for _ in range(2)]
    desk.send(f"/desk/people/{wu.id}/sessions")
    assert "已退出2处登录" in desk.get("/desk/people").text
    assert {each.get("/desk/me").status_code for each in browsers} == {302}
    assert (admin.id, "sessions_ended", wu.id) in recorded()


# --- leaving ---


def test_who_leaves_hands_over_first(
    app: Flask,
    desk: DeskClient,
    another_browser: Callable[[], DeskClient],
    staff: Staff,
    signed_in: SignedIn,
    store: Database,
    recorded: Rows,
    admin: Known,
) -> None:
    wu, chen = staff("sales", name="吴凯"), staff("sales", name="陈一凡")
    theirs = signed_in(another_browser(), wu)
    lead = give(store, ask(app), wu)
    page = desk.get(f"/desk/people/{wu.id}/leave")
    assert "他有1条进行中的线索" in page.text
    assert wu.id not in re.findall(r'<option value="(\w+)"', page.text)
    answer = desk.send(f"/desk/people/{wu.id}/leave", to="one", owner="")
    assert (answer.status_code, "请选一个人" in answer.text) == (422, True)
    assert the_member(store, wu.email).active

    desk.send(f"/desk/people/{wu.id}/leave", to="one", owner=chen.id)
    assert the_lead(store, lead).owner_id == chen.id
    assert not the_member(store, wu.email).active
    assert theirs.get("/desk/me").status_code == 302
    assert [row for row in recorded() if row[1] in {"assign", "staff_disabled"}] == [
        (admin.id, "assign", lead),
        (admin.id, "staff_disabled", wu.id),
    ]
    told = words_on(desk.get("/desk/people"))
    assert "吴凯的账号已停用" in told
    assert "交出了1条线索" in told


def test_whoever_is_away_is_marked_where_leads_are_handed_over(
    app: Flask, desk: DeskClient, staff: Staff, store: Database
) -> None:
    wu, chen = staff("sales", name="吴凯"), staff("sales", name="陈一凡")
    give(store, ask(app), wu)
    with store.writing() as session:
        session.get_one(User, chen.id).on_duty = False
    page = desk.get(f"/desk/people/{wu.id}/leave")
    assert page.text.count("陈一凡（不在岗）") == 2, "for one to have all, and for several to share"


def test_leads_are_shared_out_or_given_back(
    app: Flask, desk: DeskClient, staff: Staff, store: Database
) -> None:
    wu, chen, lin = (staff("sales", name=name) for name in ("吴凯", "陈一凡", "林夏"))
    ids = [give(store, ask(app, phone=f"1380013800{number}"), wu) for number in range(3)]
    desk.send(f"/desk/people/{wu.id}/leave", to="share", share=[chen.id, lin.id])
    owners = [the_lead(store, each).owner_id for each in ids]
    assert sorted(map(owners.count, (chen.id, lin.id))) == [1, 2]
    assert "也不会按轮流自动分：请告诉主管" in desk.get(f"/desk/people/{chen.id}/leave").text
    desk.send(f"/desk/people/{chen.id}/leave", to="pool")
    assert sum(the_lead(store, each).owner_id is None for each in ids) == owners.count(chen.id)


@pytest.mark.parametrize("heir", ["self", "editor", "nobody", ""])
def test_leads_go_only_to_somebody_who_takes_them(
    app: Flask, desk: DeskClient, staff: Staff, store: Database, heir: str
) -> None:
    wu, editor = staff("sales", name="吴凯"), staff("editor", name="何静")
    lead = give(store, ask(app), wu)
    owner = {"self": wu.id, "editor": editor.id, "nobody": "f" * 32, "": ""}[heir]
    assert desk.send(f"/desk/people/{wu.id}/leave", to="one", owner=owner).status_code == 422
    assert the_lead(store, lead).owner_id == wu.id


def test_who_left_is_invited_back(desk: DeskClient, staff: Staff, store: Database) -> None:
    wu = staff("sales", name="吴凯")
    desk.send(f"/desk/people/{wu.id}/leave")
    page = desk.get(f"/desk/people/{wu.id}").text
    assert "再次邀请" in page
    assert "重设密码" not in page
    secret_on(desk.send(f"/desk/people/{wu.id}/invite"))
    assert "撤回邀请" in desk.get(f"/desk/people/{wu.id}").text


# --- only by whoever is really there ---


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/desk/people/{id}/roles", "/desk/people/{id}"),
        ("/desk/people/{id}/password", "/desk/people/{id}"),
        ("/desk/people/{id}/second-factor", "/desk/people/{id}"),
        ("/desk/people/{id}/sessions", "/desk/people/{id}"),
        ("/desk/people/{id}/invite", "/desk/people/{id}"),
        ("/desk/people/{id}/withdraw", "/desk/people/{id}"),
        ("/desk/people/{id}/leave", "/desk/people/{id}/leave"),
        ("/desk/people/invite", "/desk/people/invite"),
    ],
)
def test_each_deed_asks_for_the_password_after_a_while(
    desk: DeskClient, staff: Staff, clock: Clock, store: Database, path: str, back: str, recorded: Rows
) -> None:
    wu = staff("sales", name="吴凯", second_factor=True)
    clock.advance(minutes=11)
    before = recorded()
    fields = {"role": "editor", "to": "pool", "email": "lin@xinheng.example"}
    answer = desk.send(path.format(id=wu.id), **fields)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk/again?next=" + back.format(id=wu.id)
    assert recorded() == before
    assert desk.get(f"/desk/people/{wu.id}").status_code == 303
    assert desk.get("/desk/people").status_code == 200


def test_what_was_typed_is_kept_while_the_password_is_asked_for(desk: DeskClient, clock: Clock) -> None:
    clock.advance(minutes=11)
    for _ in range(2):  # again after a wrong password
        answer = desk.send("/desk/people/invite", name="林夏", role="editor")
        assert (answer.status_code, "林夏</textarea>" in answer.text) == (401, True)
        assert 'name="next" type="hidden" value="/desk/people/invite"' in answer.text
        answer = desk.send("/desk/again", password="wrong", kept="林夏", next="/desk/people/invite")
        assert (answer.status_code, "林夏</textarea>" in answer.text) == (422, True)


def test_the_link_of_a_page_is_nothing_for_a_log(
    desk: DeskClient, caplog: pytest.LogCaptureFixture, another_browser: Callable[[], DeskClient]
) -> None:
    secret = secret_on(invite(desk))
    join(another_browser(), secret)
    assert secret not in caplog.text
    assert GOOD_PASSWORD not in caplog.text
