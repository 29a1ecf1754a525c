"""A proof of work: found by whoever does the work, good for its time, of no use when it was changed."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge
from tests.leads.conftest import NOON

from xinheng.leads.proof import GOOD_FOR, Proofs

PROOFS = Proofs(bytes(range(32)))


@pytest.fixture(scope="module")
def solved() -> str:
    challenge = Challenge.from_dict(PROOFS.challenge(NOON))
    solution = solve_challenge(challenge)
    assert solution
    return Payload(challenge, solution).to_base64()


def changed(payload: str, part: str, **values: Any) -> str:
    read = json.loads(base64.b64decode(payload))
    place = read["challenge"]["parameters"] if part == "parameters" else read[part]
    place.update(values)
    return base64.b64encode(json.dumps(read).encode()).decode()


def test_a_solved_challenge_is_a_proof_and_the_same_one_each_time(solved: str) -> None:
    proof = PROOFS.solved(solved, NOON)
    assert proof
    assert proof == PROOFS.solved(solved, NOON + GOOD_FOR - timedelta(seconds=1))
    assert proof.until == (NOON + GOOD_FOR).timestamp()


def test_an_old_one_is_none(solved: str) -> None:
    assert PROOFS.solved(solved, NOON + GOOD_FOR + timedelta(seconds=1)) is None


def test_one_of_another_key_is_none(solved: str) -> None:
    assert Proofs(bytes(32)).solved(solved, NOON) is None


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("solution", {"counter": 0}),
        ("solution", {"derivedKey": "00" * 32}),
        ("parameters", {"cost": 1}),
        ("parameters", {"data": {"until": 9_999_999_999}}),
        ("parameters", {"keyPrefix": "00"}),
        ("challenge", {"signature": "00" * 32}),
        ("challenge", {"signature": None}),
    ],
)
def test_a_changed_one_is_none(solved: str, part: str, values: dict[str, Any]) -> None:
    assert PROOFS.solved(changed(solved, part, **values), NOON) is None


@pytest.mark.parametrize("payload", ["", "x", "e30=", "W10=", "bnVsbA==", "证", "A" * 5000, "\x00"])
def test_what_is_no_proof_at_all_is_none(payload: str) -> None:
    assert PROOFS.solved(payload, NOON) is None
