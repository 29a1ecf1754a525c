"""Notices wait in the database, are leased to one worker, tried again, and at last seen to have failed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.notices.conftest import NOON, put

from xinheng.db import Database
from xinheng.notices.outbox import (
    LEASE,
    MOST_ATTEMPTS,
    RETRY_AFTER,
    Notice,
    acknowledge,
    claim,
    due,
    enqueue,
    postpone,
    send_again,
    settle,
    spread,
    states,
    unspread,
)

SECOND = timedelta(seconds=1)


def take(store: Database, now: datetime, channel: str = "mail") -> list[Notice]:
    """Claim as the worker does, which spreads what is new before."""
    with store.writing() as session:
        spread(session, ["mail"], now)
        return list(claim(session, channel, now))


def give(store: Database, *channels: str) -> list[str]:
    """Spread what is new; returns the references that no channel took."""
    with store.writing() as session:
        return [notice.reference for notice in spread(session, channels, NOON)]


def rows(store: Database) -> list[tuple[str, str, str]]:
    """Reference, channel and state of each row."""
    with store.reading() as session:
        found = session.scalars(select(Notice).order_by(Notice.reference, Notice.channel))
        return [(each.reference, each.channel, each.state) for each in found]


def only(store: Database) -> Notice:
    with store.reading() as session:
        return session.scalars(select(Notice)).one()


def counted(store: Database) -> dict[str, int]:
    with store.reading() as session:
        return states(session)


def test_a_notice_is_stored_with_what_it_tells_of_or_not_at_all(store: Database) -> None:
    with pytest.raises(RuntimeError), store.writing() as session:  # noqa: PT012 (what fails is the whole)
        enqueue(session, kind="enquiry", reference="XH-00000-00000", text="x", now=NOON)
        raise RuntimeError
    assert counted(store) == {}


def test_a_claimed_notice_is_nobody_elses_until_its_lease_runs_out(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    assert (mine.attempts, mine.leased_until) == (1, NOON + LEASE)
    assert take(store, NOON) == take(store, NOON + LEASE) == []
    (taken_over,) = take(store, NOON + LEASE + SECOND)
    assert (taken_over.id, taken_over.attempts) == (mine.id, 2)


def test_the_oldest_is_claimed_first_and_none_before_its_time(store: Database) -> None:
    put(store, 2, NOON + SECOND)
    with store.writing() as session:
        enqueue(session, kind="enquiry", reference="XH-OLDER-00000", text="x", now=NOON)
    assert [notice.reference for notice in take(store, NOON)] == ["XH-OLDER-00000"]
    assert len(take(store, NOON + SECOND)) <= 2


def test_every_notice_is_claimed_in_the_end(store: Database) -> None:
    references = put(store, 25)
    found: list[str] = []
    while claimed := take(store, NOON):
        found += [notice.reference for notice in claimed]
    assert sorted(found) == references


def test_three_workers_claim_two_hundred_notices_each_once(store: Database) -> None:
    references = put(store, 200)
    found: list[str] = []

    def work() -> None:
        while counted(store).get("waiting"):
            for notice in take(store, NOON):
                found.append(notice.reference)
                with store.writing() as session:
                    settle(session, notice.id, "sent", NOON)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == references
    assert counted(store) == {"sent": 200}


@pytest.mark.databases("postgresql")
def test_a_worker_passes_by_a_notice_that_another_is_claiming(store: Database) -> None:
    put(store, 2)
    give(store, "mail")
    with store.writing() as one, store.writing(within=0.0) as other:
        mine = {notice.id for notice in claim(one, "mail", NOON)}
        assert mine.isdisjoint(each.id for each in claim(other, "mail", NOON))


def test_a_settled_notice_is_done_with(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    with store.writing() as session:
        settle(session, mine.id, "sent", NOON + SECOND)
    found = only(store)
    assert (found.state, found.settled_at, found.leased_until, found.fault) == (
        "sent",
        NOON + SECOND,
        None,
        "",
    )
    assert take(store, NOON + timedelta(days=9)) == []


def test_a_postponed_notice_is_due_again_after_five_minutes(store: Database) -> None:
    put(store)
    (mine,) = take(store, NOON)
    with store.writing() as session:
        postpone(session, mine, "refused " + "x" * 500, NOON)
    found = only(store)
    assert (found.state, found.due_at, found.leased_until) == ("waiting", NOON + RETRY_AFTER, None)
    assert found.fault.startswith("refused")
    assert len(found.fault) == 200
    assert take(store, NOON + RETRY_AFTER - SECOND) == []
    assert take(store, NOON + RETRY_AFTER)[0].attempts == 2
    assert timedelta(minutes=5) == RETRY_AFTER


def test_after_the_first_attempt_and_48_more_a_notice_has_failed_and_stays_to_be_seen(
    store: Database,
) -> None:
    put(store)
    now, attempts = NOON, 0
    while claimed := take(store, now):
        attempts += 1
        with store.writing() as session:
            postpone(session, claimed[0], "down", now)
        now += RETRY_AFTER
    assert attempts == MOST_ATTEMPTS == 1 + 48
    found = only(store)
    assert (found.state, found.fault, found.attempts) == ("failed", "down", 49)
    assert found.settled_at == NOON + 48 * RETRY_AFTER
    assert counted(store) == {"failed": 1}


def test_states_are_counted(store: Database) -> None:
    put(store, 3)
    (first, second, _) = take(store, NOON) + take(store, NOON) + take(store, NOON)
    with store.writing() as session:
        settle(session, first.id, "sent", NOON)
        settle(session, second.id, "logged", NOON)
    assert counted(store) == {"sent": 1, "logged": 1, "waiting": 1}


def test_looking_what_is_due_changes_nothing(store: Database) -> None:
    put(store)
    give(store, "mail")
    with store.reading() as session:
        assert len(due(session, "mail", NOON)) == len(due(session, "mail", NOON)) == 1
    assert only(store).attempts == 0


# --- to one person, and seen ---


def put_to(store: Database, recipient: str, reference: str = "XH-00000-00000") -> None:
    with store.writing() as session:
        enqueue(session, kind="enquiry", reference=reference, text="x", now=NOON, recipient=recipient)


def see(store: Database, recipient: str, *references: str, now: datetime = NOON) -> None:
    with store.writing() as session:
        acknowledge(session, references or ["XH-00000-00000"], recipient, now)


def by_recipient(store: Database) -> dict[str, Notice]:
    with store.reading() as session:
        return {notice.recipient: notice for notice in session.scalars(select(Notice))}


def test_a_notice_is_to_all_where_nobody_is_named(store: Database) -> None:
    put(store)
    assert (only(store).recipient, only(store).acknowledged_at) == ("", None)


def test_a_notice_that_was_seen_before_it_left_needs_not_leave(store: Database) -> None:
    put(store)
    see(store, "zhou@x.example", now=NOON + SECOND)
    found = only(store)
    assert (found.state, found.acknowledged_at, found.settled_at, found.leased_until) == (
        "seen",
        NOON + SECOND,
        NOON + SECOND,
        None,
    )
    assert take(store, NOON + timedelta(days=9)) == []


def test_one_persons_notice_is_not_seen_by_another(store: Database) -> None:
    for recipient in ("", "zhou@x.example", "wu@x.example"):
        put_to(store, recipient)
    see(store, "zhou@x.example")
    found = by_recipient(store)
    assert {recipient: notice.state for recipient, notice in found.items()} == {
        "": "seen",
        "zhou@x.example": "seen",
        "wu@x.example": "waiting",
    }
    assert found["wu@x.example"].acknowledged_at is None
    assert [notice.recipient for notice in take(store, NOON)] == ["wu@x.example"]


def test_other_leads_notices_are_not_seen(store: Database) -> None:
    first, second, third = put(store, 3)
    see(store, "zhou@x.example", first, third)
    with store.reading() as session:
        states_now = {
            row.reference: row.state for row in session.execute(select(Notice.reference, Notice.state))
        }
    assert states_now == {first: "seen", second: "waiting", third: "seen"}


def test_of_no_enquiry_nothing_is_seen(store: Database) -> None:
    put(store)
    with store.writing() as session:
        acknowledge(session, [], "", NOON)
    assert counted(store) == {"waiting": 1}


@pytest.mark.parametrize("state", ["sent", "logged"])
def test_what_has_left_stays_so_and_is_acknowledged(store: Database, state: str) -> None:
    put(store)
    (mine,) = take(store, NOON)
    with store.writing() as session:
        settle(session, mine.id, state, NOON)  # type: ignore[arg-type]
    see(store, "zhou@x.example", now=NOON + SECOND)
    see(store, "wu@x.example", now=NOON + 2 * SECOND)
    found = only(store)
    assert (found.state, found.settled_at, found.acknowledged_at) == (state, NOON, NOON + SECOND)


def test_what_failed_and_was_seen_after_all_needs_no_care_any_more(store: Database) -> None:
    put(store)
    with store.writing() as session:
        session.get_one(Notice, only(store).id).state = "failed"
    see(store, "zhou@x.example")
    assert counted(store) == {"seen": 1}


def test_what_is_leaving_at_this_moment_may_still_fail_and_then_is_not_tried_again(store: Database) -> None:
    """A worker has it in hand while somebody opens the lead: the mail may leave, but nobody sends it a second time."""
    put(store)
    (mine,) = take(store, NOON)
    see(store, "zhou@x.example")
    with store.writing() as session:
        postpone(session, mine, "down", NOON + SECOND)
    assert take(store, NOON + timedelta(days=1)) == []
    assert counted(store) == {"seen": 1}


# --- to channels ---


def test_a_notice_is_stored_for_no_channel_and_then_spread_to_each_that_is_on(store: Database) -> None:
    (reference,) = put(store)
    assert rows(store) == [(reference, "", "waiting")]
    assert give(store, "wecom", "mail") == []
    assert rows(store) == [(reference, "mail", "waiting"), (reference, "wecom", "waiting")]
    with store.reading() as session:
        assert not unspread(session)
        first, second = session.scalars(select(Notice))
    assert (first.text, first.kind, first.due_at, first.created_at) == (
        second.text,
        second.kind,
        second.due_at,
        second.created_at,
    )


def test_what_is_spread_already_is_not_spread_again(store: Database) -> None:
    put(store)
    give(store, "mail")
    give(store, "mail", "wecom")
    assert [channel for _, channel, _ in rows(store)] == ["mail"]


def test_where_no_channel_is_on_a_notice_stands_in_the_log(store: Database) -> None:
    references = put(store, 2)
    assert sorted(give(store)) == references
    assert {state for _, _, state in rows(store)} == {"logged"}


@pytest.mark.parametrize(("channels", "expected"), [(("mail", "wecom"), "mail"), (("wecom",), "")])
def test_what_is_for_one_member_goes_by_mail_only(
    store: Database, channels: tuple[str, ...], expected: str
) -> None:
    put_to(store, "zhou@x.example")
    give(store, *channels)
    found = only(store)
    assert (found.channel, found.state, found.recipient) == (
        expected,
        "waiting" if expected else "logged",
        "zhou@x.example",
    )


def test_more_notices_than_are_spread_at_once_are_spread_in_the_end(store: Database) -> None:
    put(store, 120)
    for _ in range(3):
        give(store, "mail", "feishu")
    assert len(rows(store)) == 240
    assert {channel for _, channel, _ in rows(store)} == {"mail", "feishu"}


def test_two_workers_that_spread_at_once_spread_each_notice_once(store: Database) -> None:
    put(store, 60)
    works = [
        threading.Thread(target=lambda: [give(store, "mail", "wecom") for _ in range(4)]) for _ in range(2)
    ]
    for each in works:
        each.start()
    for each in works:
        each.join()
    assert len(rows(store)) == 120
    assert len(set(rows(store))) == 120


def test_one_channels_failure_is_nothing_to_the_others(store: Database) -> None:
    put(store)
    give(store, "mail", "wecom")
    (mine,) = take(store, NOON, "wecom")
    with store.writing() as session:
        postpone(session, mine, "错误码 45009", NOON)
    (other,) = take(store, NOON, "mail")
    assert (other.attempts, other.fault) == (1, "")
    assert take(store, NOON, "wecom") == []


def test_a_lead_that_was_opened_stops_the_notices_of_all_channels(store: Database) -> None:
    (reference,) = put(store)
    give(store, "mail", "wecom")
    see(store, "zhou@x.example", reference)
    assert {state for _, _, state in rows(store)} == {"seen"}


# --- once more ---


def failed(store: Database, number: int = 1) -> list[str]:
    put(store, number)
    give(store, "mail")
    with store.writing() as session:
        for notice in session.scalars(select(Notice)):
            notice.state, notice.attempts, notice.fault, notice.settled_at = "failed", 49, "down", NOON
    with store.reading() as session:
        return list(session.scalars(select(Notice.id).order_by(Notice.id)))


def test_what_failed_can_leave_again_with_all_its_attempts(store: Database) -> None:
    first, second, _ = failed(store, 3)
    with store.writing() as session:
        assert send_again(session, ["mail"], NOON + SECOND, first) == 1
    assert counted(store) == {"waiting": 1, "failed": 2}
    (mine,) = take(store, NOON + SECOND)
    assert (mine.id, mine.attempts, mine.settled_at) == (first, 1, None)
    with store.writing() as session:
        assert send_again(session, ["mail"], NOON + SECOND) == 2
        assert send_again(session, ["mail"], NOON + SECOND, second) == 0, "it waits already"


@pytest.mark.parametrize("state", ["sent", "seen", "void", "logged"])
def test_what_did_not_fail_is_not_sent_again(store: Database, state: str) -> None:
    (only_one,) = failed(store)
    with store.writing() as session:
        session.get_one(Notice, only_one).state = state
    with store.writing() as session:
        assert send_again(session, ["mail"], NOON, only_one) == 0
        assert send_again(session, ["mail"], NOON) == 0
