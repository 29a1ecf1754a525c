"""Accounts: added, reset, given other roles, ended; and always somebody who administers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.staff.conftest import NOON, TINY

from xinheng.crypto import Keys
from xinheng.db import Database, Databases
from xinheng.settings import Settings
from xinheng.staff.accounts import Accounts, AlreadyMember, LastAdministrator, NoSuchMember, first_account
from xinheng.staff.models import User
from xinheng.staff.names import NotAnAddress
from xinheng.staff.passwords import PasswordRefused
from xinheng.staff.permissions import RoleName
from xinheng.staff.sessions import SessionStore

Recorded = Callable[[], list[tuple[str, str, dict[str, object]]]]
ADMIN, LEAD, SALES = RoleName.ADMIN, RoleName.SALES_LEAD, RoleName.SALES


def member(store: Database, email: str) -> User:
    with store.reading() as session:
        return session.query(User).filter_by(email=email).one()


def test_a_new_account_has_its_roles_and_a_password_to_be_replaced(
    accounts: Accounts, store: Database, recorded: Recorded
) -> None:
    printed = accounts.add("Zhou@Xinheng.Example", "  周  敏 ", [SALES, LEAD])
    found = member(store, "zhou@xinheng.example")
    assert (found.name, found.role_names, found.language) == ("周 敏", {"sales", "sales_lead"}, "zh")
    assert found.one_time_password
    assert TINY.matches(found.password, printed.password)
    assert printed.password not in repr(printed)
    assert recorded() == [("command", "staff_added", {"roles": ["sales", "sales_lead"]})]


def test_an_address_is_somebodys_once(accounts: Accounts) -> None:
    accounts.add("zhou@xinheng.example", "周敏", [SALES])
    with pytest.raises(AlreadyMember):
        accounts.add("ZHOU@xinheng.example", "周敏", [SALES])


@pytest.mark.parametrize(
    "typed", ["", "zhou", "@xinheng.example", "zhou@", "a b@xinheng.example", "x" * 65 + "@a.example"]
)
def test_what_is_no_address_is_refused(accounts: Accounts, typed: str) -> None:
    with pytest.raises(NotAnAddress):
        accounts.add(typed, "周敏", [SALES])


def with_session(store: Database, email: str) -> str:
    """Open a session for a member; the number in the browser."""
    return SessionStore(store).begin({}, member(store, email).id, "", NOON)


def test_a_reset_makes_a_new_password_and_ends_all_sessions(
    accounts: Accounts, store: Database, recorded: Recorded
) -> None:
    old = accounts.add("zhou@xinheng.example", "周敏", [SALES])
    secret, before = with_session(store, old.email), member(store, old.email)
    new = accounts.reset(old.email)
    assert new is not None
    after = member(store, old.email)
    assert TINY.matches(after.password, new.password)
    assert not TINY.matches(after.password, old.password)
    assert after.fs_uniquifier != before.fs_uniquifier
    assert SessionStore(store).find(secret, NOON) is None
    assert recorded()[-1] == ("command", "staff_reset", {"what": ["password"]})


def test_a_reset_of_the_second_factor_alone_leaves_the_password(
    accounts: Accounts, store: Database, recorded: Recorded
) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [SALES])
    with store.writing() as session:
        found = session.query(User).one()
        found.tf_primary_method, found.tf_totp_secret = "authenticator", "sealed"
        found.mf_recovery_codes, found.totp_counter = ["a"], 7
    assert accounts.reset(printed.email, password=False, second_factor=True) is None
    after = member(store, printed.email)
    assert not after.second_factor
    assert (after.mf_recovery_codes, after.totp_counter) == ([], None)
    assert TINY.matches(after.password, printed.password)
    assert recorded()[-1][2] == {"what": ["totp"]}


def test_other_roles_end_all_sessions(accounts: Accounts, store: Database, recorded: Recorded) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [SALES, RoleName.EDITOR])
    secret = with_session(store, printed.email)
    accounts.set_roles(printed.email, [SALES, LEAD])
    assert member(store, printed.email).role_names == {"sales", "sales_lead"}
    assert SessionStore(store).find(secret, NOON) is None
    assert recorded()[-1][2] == {"from": ["editor", "sales"], "to": ["sales", "sales_lead"]}


def test_an_ended_account_stays_as_a_row_and_opens_nothing(accounts: Accounts, store: Database) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [SALES])
    secret = with_session(store, printed.email)
    accounts.remove(printed.email)
    assert not member(store, printed.email).active
    assert SessionStore(store).find(secret, NOON) is None


@pytest.mark.parametrize("change", ["roles", "remove"])
def test_the_last_administrator_stays(accounts: Accounts, store: Database, change: str) -> None:
    first, second = (accounts.add(f"{name}@xinheng.example", name, [ADMIN]) for name in "ab")

    def leave(email: str) -> None:
        if change == "roles":
            accounts.set_roles(email, [SALES])
        else:
            accounts.remove(email)

    leave(first.email)
    with pytest.raises(LastAdministrator):
        leave(second.email)
    assert member(store, second.email).active
    assert "admin" in member(store, second.email).role_names


def test_an_administrator_who_left_doesnt_count(accounts: Accounts) -> None:
    first, second = (accounts.add(f"{name}@xinheng.example", name, [ADMIN]) for name in "ab")
    accounts.remove(first.email)
    with pytest.raises(LastAdministrator):
        accounts.remove(second.email)


def test_of_two_administrators_that_end_each_other_at_once_one_stays(
    accounts: Accounts, store: Database
) -> None:
    emails = [accounts.add(f"{name}@xinheng.example", name, [ADMIN]).email for name in "ab"]
    gate = threading.Barrier(2)

    def leave(email: str) -> None:
        gate.wait()
        try:
            accounts.remove(email)
        except LastAdministrator:
            return

    threads = [threading.Thread(target=leave, args=(email,)) for email in emails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found.active for found in accounts.all()) == 1


def test_somebody_unknown_cannot_be_changed(accounts: Accounts) -> None:
    for change in (accounts.reset, accounts.remove, lambda email: accounts.set_roles(email, [SALES])):
        with pytest.raises(NoSuchMember):
            change("nobody@xinheng.example")


def test_ones_own_password_ends_the_other_sessions(accounts: Accounts, store: Database) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [SALES])
    staff_id = member(store, printed.email).id
    here, there = with_session(store, printed.email), with_session(store, printed.email)
    kept = SessionStore(store).find(here, NOON)
    assert kept is not None
    accounts.change_password(staff_id, "mao-zai-chuang-tai-shang", session_number=kept.number)
    assert SessionStore(store).find(here, NOON) is not None
    assert SessionStore(store).find(there, NOON) is None
    assert not member(store, printed.email).one_time_password


@pytest.mark.parametrize("typed", ["short", "password1234", "mao-zai-chuang-tai-shang"])
def test_a_refused_password_changes_nothing(accounts: Accounts, store: Database, typed: str) -> None:
    printed = accounts.add("zhou@xinheng.example", "周敏", [SALES])
    staff_id = member(store, printed.email).id
    accounts.change_password(staff_id, "mao-zai-chuang-tai-shang")
    before = member(store, printed.email).password
    with pytest.raises(PasswordRefused):
        accounts.change_password(staff_id, typed)
    assert member(store, printed.email).password == before


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return replace(Settings.from_env({"XINHENG_DATA": str(tmp_path / "var")}, ROOT))


def test_the_first_start_makes_one_account_and_prints_it_once(
    opened: Databases, store_keys: Keys, site: Settings, recorded: Recorded
) -> None:
    printed = first_account(opened, store_keys, site, lambda: TINY)
    assert printed is not None
    assert printed.email == "admin@xinheng.example"
    found = member(opened.leads, printed.email)
    assert found.role_names == {"admin", "sales_lead"}
    assert found.one_time_password
    assert first_account(opened, store_keys, site, lambda: TINY) is None
    assert recorded() == [("system", "staff_added", {"roles": ["admin", "sales_lead"]})]


def test_where_somebody_ended_the_first_account_no_other_appears(
    opened: Databases, store_keys: Keys, site: Settings, accounts: Accounts
) -> None:
    accounts.add("zhou@xinheng.example", "周敏", [SALES])
    accounts.remove("zhou@xinheng.example")
    assert first_account(opened, store_keys, site, lambda: TINY) is None


def test_of_many_workers_that_start_at_once_one_makes_it(
    opened: Databases, store_keys: Keys, site: Settings, accounts: Accounts
) -> None:
    gate, answers = threading.Barrier(6), list[object]()

    def start() -> None:
        gate.wait()
        answers.append(first_account(opened, store_keys, site, lambda: TINY))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer is not None for answer in answers) == 1
    assert len(accounts.all()) == 1


def test_who_comes_back_is_on_duty_whatever_they_said_before(accounts: Accounts, store: Database) -> None:
    accounts.add("zhou@xinheng.example", "周敏", [SALES])
    with store.writing() as session:
        found = session.query(User).one()
        found.on_duty, found.absent_until, found.capacity = False, NOON, 3
    accounts.remove("zhou@xinheng.example")
    accounts.add("zhou@xinheng.example", "周敏", [SALES])
    found = member(store, "zhou@xinheng.example")
    assert (found.on_duty, found.absent_until, found.capacity) == (True, None, None)
