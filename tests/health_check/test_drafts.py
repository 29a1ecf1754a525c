"""Drafts: found by their token alone, sealed by it, kept 30 days, counted as they change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.databases import raw_bytes
from tests.health_check.conftest import NOON

from xinheng.db import Databases
from xinheng.health_check.counting import OVERVIEW, Counted, counted
from xinheng.health_check.drafts import FINISHED_KEPT, KEPT, CheckDraft, Draft, Drafts, LastResult
from xinheng.week_counts import Origin, visits_by_article, visits_by_source
from xinheng.weeks import Weeks

MINUTE = timedelta(minutes=1)
LONG_AGO = date(2020, 1, 1)


def begun(drafts: Drafts, **given: bool) -> str:
    return drafts.begin("v1", "industry", NOON, **{"counts": True} | given)


def answer(
    drafts: Drafts, token: str, question: str, then: str, now: datetime = NOON, *, counts: bool = True
) -> None:
    with drafts.changing(token, now, counts=counts) as draft:
        assert draft
        draft.answers[question] = "some"
        draft.done_with(question)
        draft.show(then)


def counts_of(drafts: Drafts, version: str = "v1") -> Mapping[str, Counted]:
    with drafts.database.reading() as session:
        return counted(session, version, LONG_AGO)


def test_a_draft_is_found_by_its_token_with_all_that_is_in_it(drafts: Drafts) -> None:
    token = begun(drafts)
    last = LastResult("1" * 32, "t" * 22, "v0", {"dso": "le30", "credit_sales_wan": 4200.0})
    with drafts.changing(token, NOON + MINUTE, counts=True) as draft:
        assert draft
        draft.answers |= {"industry": "food", "credit_sales_wan": 0.5}
        draft.prompted.add("C1")
        draft.done_with("industry")
        draft.show("dso")
        draft.last_result = last
    found = drafts.find(token, NOON + MINUTE)
    assert found == Draft(
        "v1",
        "dso",
        NOON + MINUTE,
        {"industry": "food", "credit_sales_wan": 0.5},
        {"C1"},
        {"industry", "dso"},
        {"industry"},
        last,
    )


@pytest.mark.parametrize("token", ["", "x", "0" * 22, "令" * 22, "a" * 23, "../" * 8, "\x00" * 22])
def test_another_token_finds_nothing(drafts: Drafts, token: str) -> None:
    begun(drafts)
    assert drafts.find(token, NOON) is None
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft is None


def test_tokens_are_128_random_bits(drafts: Drafts) -> None:
    tokens = {begun(drafts) for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {22}


def test_the_database_holds_neither_token_nor_answers(
    drafts: Drafts, opened: Databases, tmp_path: Path
) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.answers["top1"] = "a-very-telling-answer"
        draft.finish(
            LastResult("feedface" * 4, "secret-result-token-22", "v1", dict(draft.answers)), OVERVIEW
        )
    held = raw_bytes(opened, tmp_path / "var")
    assert b"industry" in held
    for secret in (token, "a-very-telling-answer", "feedface" * 4, "secret-result-token-22"):
        assert secret.encode() not in held


def test_a_state_of_another_row_does_not_open(drafts: Drafts) -> None:
    one, other = begun(drafts), begun(drafts)
    with drafts.database.writing() as session:
        (first, state), (second, other_state) = session.execute(
            select(CheckDraft.token_hash, CheckDraft.state)
        ).all()
        for hashed, changed in ((first, other_state), (second, state)):
            session.execute(update(CheckDraft).where(CheckDraft.token_hash == hashed).values(state=changed))
    assert (drafts.find(one, NOON), drafts.find(other, NOON)) == (None, None)


def test_a_draft_is_kept_thirty_days_after_the_last_answer(drafts: Drafts) -> None:
    token = begun(drafts)
    later = NOON + timedelta(days=29)
    answer(drafts, token, "industry", "dso", later)
    assert drafts.find(token, later + KEPT - MINUTE)
    assert drafts.find(token, later + KEPT) is None
    with drafts.changing(token, later + KEPT, counts=True) as draft:
        assert draft is None


def test_a_finished_one_is_kept_as_long_as_its_result_which_the_next_is_compared_with(drafts: Drafts) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.finish(LastResult("1" * 32, "t" * 22, "v1", {}), "industry")
    assert drafts.find(token, NOON + FINISHED_KEPT - MINUTE)
    assert drafts.find(token, NOON + FINISHED_KEPT) is None
    with drafts.changing(token, NOON + FINISHED_KEPT - MINUTE, counts=True) as draft:
        assert draft
        assert draft.last_result
        draft.begin_again("v1", "industry")
    found = drafts.find(token, NOON + FINISHED_KEPT)
    assert found
    assert found.last_result


def test_what_fails_changes_nothing(drafts: Drafts) -> None:
    token = begun(drafts)
    with pytest.raises(RuntimeError), drafts.changing(token, NOON, counts=True) as draft:  # noqa: PT012
        assert draft
        draft.answers["dso"] = "le30"
        raise RuntimeError
    found = drafts.find(token, NOON)
    assert found
    assert found.answers == {}


def test_two_who_answer_at_once_both_are_kept(drafts: Drafts) -> None:
    token = begun(drafts)
    questions = [f"q{number}" for number in range(8)]
    threads = [
        threading.Thread(target=answer, args=(drafts, token, question, "end")) for question in questions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = drafts.find(token, NOON)
    assert found
    assert sorted(found.answers) == questions
    assert counts_of(drafts)["end"].shown == 1


def test_each_step_counts_once_a_visitor(drafts: Drafts) -> None:
    for _ in range(3):
        token = begun(drafts)
        answer(drafts, token, "industry", "dso")
        answer(drafts, token, "dso", "industry")  # back
        answer(drafts, token, "industry", "dso")  # and on again
    assert counts_of(drafts) == {"industry": Counted(3, 3, 0), "dso": Counted(3, 3, 0)}


def test_a_step_counts_on_its_day_in_shanghai(drafts: Drafts) -> None:
    token = begun(drafts)
    answer(drafts, token, "industry", "dso", datetime.fromisoformat("2026-11-22T23:59+08:00"))
    answer(drafts, token, "dso", "top1", datetime.fromisoformat("2026-11-23T00:01+08:00"))
    with drafts.database.reading() as session:
        assert counted(session, "v1", date(2026, 11, 23)) == {
            "dso": Counted(0, 1, 0),
            "top1": Counted(1, 0, 0),
        }


def test_a_new_check_of_the_same_device_counts_anew(drafts: Drafts) -> None:
    token = begun(drafts)
    answer(drafts, token, "industry", "dso")
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.begin_again("v2", "industry")
    assert counts_of(drafts)["industry"] == Counted(1, 1, 0)
    assert counts_of(drafts, "v2") == {"industry": Counted(1, 0, 0)}


def test_who_begins_twice_without_an_answer_counts_once(drafts: Drafts) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.begin_again("v1", "industry")
    assert counts_of(drafts) == {"industry": Counted(1, 0, 0)}


def test_who_begins_twice_under_two_versions_counts_for_each(drafts: Drafts) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.begin_again("v2", "industry")
    assert counts_of(drafts, "v2") == {"industry": Counted(1, 0, 0)}


def test_robots_and_staff_do_not_count_from_then_on(drafts: Drafts) -> None:
    token = begun(drafts, counts=False)
    answer(drafts, token, "industry", "dso")
    assert counts_of(drafts) == {}
    token = begun(drafts)
    answer(drafts, token, "industry", "dso", counts=False)
    answer(drafts, token, "dso", "top1")
    assert counts_of(drafts) == {"industry": Counted(1, 0, 0)}


def test_a_finished_draft_waits_for_nothing_and_knows_its_result(drafts: Drafts) -> None:
    token = begun(drafts)
    result = LastResult("2" * 32, "r" * 22, "v1", {"dso": "le30"})
    with drafts.changing(token, NOON, counts=True) as draft:
        assert draft
        draft.show(OVERVIEW)
        draft.finish(result, OVERVIEW)
    found = drafts.find(token, NOON)
    assert found
    assert (found.step, found.last_result) == ("", result)
    assert counts_of(drafts)[OVERVIEW] == Counted(1, 1, 0)


def weeks_of(drafts: Drafts) -> dict[str, tuple[int, int]]:
    """Checks begun and finished, by the kind of place and by the article."""
    ever = Weeks(date(2030, 1, 7), 600)
    with drafts.database.reading() as session:
        sources, articles = visits_by_source(session, ever), visits_by_article(session, ever)
    named = {source: each for (_, source), each in sources.items()} | dict(articles)
    return {name: (each.begun, each.finished) for name, each in named.items()}


def finish(drafts: Drafts, token: str, now: datetime = NOON, *, counts: bool = True) -> None:
    with drafts.changing(token, now, counts=counts) as draft:
        assert draft
        draft.answers["dso"] = "some"
        draft.finish(LastResult("1" * 32, "t" * 22, "v1", draft.answers), OVERVIEW)


def test_a_check_is_counted_at_both_ends_under_where_it_was_begun_from(drafts: Drafts) -> None:
    token = drafts.begin("v1", "industry", NOON, counts=True, origin=Origin("search", "dso"))
    assert weeks_of(drafts) == {"search": (1, 0), "dso": (1, 0)}
    finish(drafts, token)
    finish(drafts, token, NOON + MINUTE)  # once more, other answers: still the same check
    assert weeks_of(drafts) == {"search": (1, 1), "dso": (1, 1)}
    with drafts.changing(token, NOON + MINUTE, counts=True) as draft:
        assert draft
        draft.begin_again("v1", "industry", Origin("social"))
    finish(drafts, token, NOON + MINUTE)
    assert weeks_of(drafts) == {"search": (1, 1), "dso": (1, 1), "social": (1, 1)}


def test_a_check_begun_twice_before_an_answer_is_one(drafts: Drafts) -> None:
    token = begun(drafts)
    with drafts.changing(token, NOON + MINUTE, counts=True) as draft:
        assert draft
        draft.begin_again("v1", "industry", Origin("social"))
    assert weeks_of(drafts) == {"direct": (1, 0)}


def test_who_does_not_count_is_in_no_week(drafts: Drafts) -> None:
    finish(drafts, begun(drafts, counts=False))
    assert weeks_of(drafts) == {}
    token = begun(drafts)
    finish(drafts, token, counts=False)
    assert weeks_of(drafts) == {"direct": (1, 0)}


def test_each_end_is_counted_in_its_own_week(drafts: Drafts) -> None:
    finish(drafts, begun(drafts), NOON + timedelta(days=7))
    with drafts.database.reading() as session:
        found = visits_by_source(session, Weeks.until(NOON + timedelta(days=7), 2))
    assert [(each.begun, each.finished) for _, each in sorted(found.items())] == [(1, 0), (0, 1)]
