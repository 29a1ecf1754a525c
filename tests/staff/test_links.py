"""Links by which members set a password: once, for three days, and only a hash of them is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from tests.staff.conftest import NOON, TINY

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.staff import clock
from xinheng.staff.accounts import Accounts
from xinheng.staff.links import LASTS, LinkRefused, Links
from xinheng.staff.membership import AlreadyMember, LastAdministrator, NameTaken
from xinheng.staff.models import User
from xinheng.staff.names import NotAnAddress
from xinheng.staff.passwords import PasswordRefused
from xinheng.staff.people import read_people
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import SessionStore

Recorded = Callable[[], list[tuple[str, str, dict[str, object]]]]
ADMIN, SALES = RoleName.ADMIN, RoleName.SALES
PASSWORD = "mao-zai-chuang-tai-shang"
EMAIL = "zhou@xinheng.example"


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    def stand_at(when: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: when)

    stand_at(NOON)
    return stand_at


@pytest.fixture
def links(store: Database, store_keys: Keys, moment: object) -> Links:
    return Links(store, store_keys, TINY)


def member(store: Database, email: str = EMAIL) -> User:
    with store.reading() as session:
        return session.query(User).filter_by(email=email).one()


def states(store: Database, now: datetime = NOON) -> dict[str, str]:
    with store.reading() as session:
        return {each.member.name: each.state for each in read_people(session, now)}


def why(links: Links, secret: str) -> str:
    with pytest.raises(LinkRefused) as refused:
        links.find(secret)
    return refused.value.why


def test_who_is_invited_works_here_from_their_own_password_on(
    links: Links, store: Database, recorded: Recorded
) -> None:
    made = links.invite("Zhou@Xinheng.Example", "周敏", [SALES], actor="a" * 32)
    invited = member(store)
    assert (invited.active, invited.role_names, states(store)) == (False, {"sales"}, {"周敏": "invited"})
    assert not TINY.matches(invited.password, "")
    opened = links.find(made.secret)
    assert (opened.member.email, opened.kind) == (EMAIL, "invite")

    links.use(made.secret, PASSWORD, name=" 周  敏敏 ")
    joined = member(store)
    assert (joined.active, joined.name, joined.one_time_password) == (True, "周 敏敏", False)
    assert TINY.matches(joined.password, PASSWORD)
    assert states(store) == {"周 敏敏": "active"}
    assert recorded() == [
        ("a" * 32, "staff_invited", {"roles": ["sales"]}),
        (joined.id, "staff_joined", {}),
    ]


def test_only_a_hash_of_the_link_is_kept(links: Links, store: Database) -> None:
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    assert made.secret not in repr(made)
    with store.reading() as session:
        for table in ("staff_links", "staff", "audit", "outbox"):
            for row in session.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 (our own names)
                assert made.secret not in str(row)
                assert made.secret.encode() not in b"".join(
                    bytes(each) for each in row if isinstance(each, bytes | memoryview)
                )


def test_a_link_is_good_once(links: Links) -> None:
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    links.use(made.secret, PASSWORD)
    assert why(links, made.secret) == "used"
    with pytest.raises(LinkRefused):
        links.use(made.secret, "another-password-of-mine")


def test_who_was_away_when_they_left_is_on_duty_once_invited_back(
    links: Links, accounts: Accounts, store: Database
) -> None:
    links.use(links.invite(EMAIL, "周敏", [SALES], actor="").secret, PASSWORD)
    staff_id = member(store).id
    with store.writing() as session:
        row = session.get_one(User, staff_id)
        row.on_duty, row.absent_until, row.capacity = False, NOON + timedelta(days=300), 0
    accounts.remove(EMAIL)
    links.use(links.invite(EMAIL, "周敏", [SALES], actor="").secret, PASSWORD)
    back = member(store)
    assert (back.present(NOON), back.capacity) == (True, None)


def test_of_two_that_use_a_link_at_once_one_does(links: Links) -> None:
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    done: list[str] = []

    def use() -> None:
        try:
            links.use(made.secret, PASSWORD)
            done.append("joined")
        except LinkRefused as fault:
            done.append(fault.why)

    together = [threading.Thread(target=use) for _ in range(4)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    assert sorted(done) == ["joined", "used", "used", "used"]
    assert why(links, made.secret) == "used"


def test_a_link_lasts_three_days(links: Links, store: Database, moment: Callable[[datetime], None]) -> None:
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    assert made.expires_at == NOON + timedelta(hours=72)
    moment(NOON + LASTS - timedelta(seconds=1))
    links.find(made.secret)
    moment(NOON + LASTS)
    assert why(links, made.secret) == "expired"
    with pytest.raises(LinkRefused):
        links.use(made.secret, PASSWORD)
    assert states(store, NOON + LASTS) == {"周敏": "expired"}
    assert not member(store).active


def test_a_new_link_takes_the_place_of_the_old(links: Links, store: Database) -> None:
    old = links.invite(EMAIL, "周敏", [SALES], actor="")
    new = links.invite_again(member(store).id, actor="")
    assert why(links, old.secret) == "unknown"
    links.use(new.secret, PASSWORD)


@pytest.mark.parametrize("secret", ["", "x", "周" * 43, "A" * 43, "A" * 5000, "\x00"])
def test_a_made_up_link_opens_nothing(links: Links, secret: str) -> None:
    links.invite(EMAIL, "周敏", [SALES], actor="")
    assert why(links, secret) == "unknown"


def test_a_poor_password_leaves_the_link_as_it_was(links: Links, store: Database) -> None:
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    with pytest.raises(PasswordRefused):
        links.use(made.secret, "password")
    assert not member(store).active
    links.use(made.secret, PASSWORD)


def test_nobody_joins_under_the_name_of_another(links: Links, accounts: Accounts) -> None:
    accounts.add("wu@xinheng.example", "吴越", [ADMIN])
    with pytest.raises(NameTaken):
        links.invite(EMAIL, "吴越", [SALES], actor="")
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    with pytest.raises(NameTaken):
        links.use(made.secret, PASSWORD, name="吴越")
    links.use(made.secret, PASSWORD, name="吴越（销售）")


def test_who_works_here_is_not_invited(links: Links, accounts: Accounts, store: Database) -> None:
    accounts.add(EMAIL, "周敏", [SALES])
    with pytest.raises(AlreadyMember):
        links.invite(EMAIL, "周敏", [ADMIN], actor="")
    with pytest.raises(AlreadyMember):
        links.invite_again(member(store).id, actor="")
    with pytest.raises(NotAnAddress):
        links.invite("zhou", "周敏", [SALES], actor="")
    assert member(store).role_names == {"sales"}


def test_who_comes_back_has_nothing_of_before_but_their_history(
    links: Links, accounts: Accounts, store: Database
) -> None:
    accounts.add(EMAIL, "周敏", [ADMIN])
    accounts.add("wu@xinheng.example", "吴越", [ADMIN])
    before = member(store)
    with store.writing() as session:
        session.get_one(User, before.id).tf_primary_method = "authenticator"
        session.get_one(User, before.id).tf_totp_secret = "sealed"
    accounts.remove(EMAIL)
    assert states(store) == {"吴越": "one_time", "周敏": "left"}
    made = links.invite(EMAIL, "周敏", [SALES], actor="")
    links.use(made.secret, PASSWORD)
    back = member(store)
    assert (back.id, back.role_names, back.second_factor) == (before.id, {"sales"}, False)


def test_an_invitation_that_is_taken_back_opens_nothing(
    links: Links, accounts: Accounts, store: Database
) -> None:
    made = links.invite(EMAIL, "周敏", [ADMIN], actor="")
    accounts.remove(EMAIL)
    assert (why(links, made.secret), states(store)) == ("unknown", {"周敏": "left"})


def test_an_invited_administrator_does_not_count_yet(links: Links, accounts: Accounts) -> None:
    accounts.add("wu@xinheng.example", "吴越", [ADMIN])
    links.invite(EMAIL, "周敏", [ADMIN], actor="")
    with pytest.raises(LastAdministrator):
        accounts.remove("wu@xinheng.example")


def test_roles_can_be_changed_before_somebody_joins(
    links: Links, accounts: Accounts, store: Database
) -> None:
    made = links.invite(EMAIL, "周敏", [ADMIN], actor="")
    accounts.set_roles(EMAIL, [SALES])
    links.use(made.secret, PASSWORD)
    assert member(store).role_names == {"sales"}


def test_a_reset_takes_the_old_password_away_at_once(
    links: Links, accounts: Accounts, store: Database, recorded: Recorded
) -> None:
    printed = accounts.add(EMAIL, "周敏", [SALES])
    found, sessions = member(store), SessionStore(store)
    sessions.begin({}, found.id, "", NOON)
    made = links.reset(found.id, actor="a" * 32)
    assert not TINY.matches(member(store).password, printed.password)
    assert (sessions.of(found.id, NOON), states(store)) == ([], {"周敏": "reset"})

    links.use(made.secret, PASSWORD, name="别的名字")
    found = member(store)
    assert (found.name, found.active, TINY.matches(found.password, PASSWORD)) == ("周敏", True, True)
    assert [action for _, action, _ in recorded()] == ["staff_added", "staff_reset", "password_changed"]


def test_a_printed_password_makes_the_link_void(links: Links, accounts: Accounts, store: Database) -> None:
    accounts.add(EMAIL, "周敏", [SALES])
    made = links.reset(member(store).id, actor="")
    accounts.reset(EMAIL)
    assert (why(links, made.secret), states(store)) == ("unknown", {"周敏": "one_time"})


def test_who_left_gets_no_new_password(links: Links, accounts: Accounts, store: Database) -> None:
    accounts.add(EMAIL, "周敏", [SALES])
    made = links.reset(member(store).id, actor="")
    accounts.remove(EMAIL)
    assert why(links, made.secret) == "unknown"
    with pytest.raises(LookupError):
        links.reset(member(store).id, actor="")
