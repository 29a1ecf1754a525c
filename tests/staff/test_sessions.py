"""What the store of sessions tells, and what it doesn't."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.staff.conftest import NOON

from xinheng.db import Database
from xinheng.staff.sessions import SessionStore, browser_kind

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (f"{WINDOWS}Chrome/130.0.0.0 Safari/537.36", "Chrome · Windows"),
        (f"{WINDOWS}Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge · Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.44", "微信 · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox · Linux"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_known_by_its_kind_only(user_agent: str, kind: str) -> None:
    assert browser_kind(user_agent) == kind


def test_a_session_that_was_ended_does_not_come_back(store: Database) -> None:
    sessions = SessionStore(store)
    secret = sessions.begin({"a": 1}, None, "", NOON)
    kept = sessions.find(secret, NOON)
    assert kept is not None
    sessions.end(kept)
    assert not sessions.keep(kept, {"a": 2}, NOON)
    assert sessions.renew(kept, {"a": 2}, NOON) is None
    assert sessions.find(secret, NOON) is None


def test_under_a_new_number_the_old_one_opens_nothing(store: Database) -> None:
    sessions = SessionStore(store)
    old = sessions.begin({"a": 1}, None, "", NOON)
    kept = sessions.find(old, NOON)
    assert kept is not None
    new = sessions.renew(kept, {"a": 2}, NOON + timedelta(minutes=1))
    assert new is not None
    assert sessions.find(old, NOON) is None
    found = sessions.find(new, NOON)
    assert found is not None
    assert (found.data, found.created_at) == ({"a": 2}, NOON)


def test_neither_number_nor_data_stand_in_a_repr(store: Database) -> None:
    sessions = SessionStore(store)
    kept = sessions.find(sessions.begin({"csrf_token": "geheim"}, None, "", NOON), NOON)
    assert "geheim" not in repr(kept)
    assert "id_hash" not in repr(kept)
