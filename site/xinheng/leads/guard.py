"""Judge an enquiry before it is stored: what it says against itself, then how many came lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.proof import Proofs
from xinheng.leads.spam import Signs, judge
from xinheng.leads.stamp import Stamps
from xinheng.leads.submission import Submission
from xinheng.leads.velocity import Velocity
from xinheng.leads.verdict import Verdict
from xinheng.limits import Limits


@dataclass(frozen=True, slots=True)
class Brought:
    """What a form brought beside its answers. `address` is where it came from, which is never stored."""

    address: str
    trapped: bool = False
    stamp: str = ""
    proof: str = ""


class Guard:
    """Knows neither the request nor the leads; `limits` None counts nothing."""

    def __init__(self, counters: Database, keys: Keys, limits: Limits | None) -> None:
        self._stamps = Stamps(keys.web)
        self._proofs = Proofs(keys.web)
        self._velocity = Velocity(counters, keys, limits) if limits else None

    def welcome(self, address: str, now: datetime) -> dict[str, Any]:
        """What a form gets at its first focus: a stamp, and a challenge while many come."""
        greeting: dict[str, Any] = {"stamp": self._stamps.issue(now)}
        if self._velocity and self._velocity.pressed(address, now):
            greeting["challenge"] = self._proofs.challenge(now)
        return greeting

    def judge(self, submission: Submission, brought: Brought, now: datetime) -> Verdict:
        """The verdict to store with an enquiry. One that is odd by itself takes no place from others."""
        signs = Signs(brought.trapped, self._stamps.read(brought.stamp, now))
        verdict = judge(submission, signs)
        if verdict.suspicious or self._velocity is None:
            return verdict
        proof = self._proofs.solved(brought.proof, now)
        return verdict.with_reasons(self._velocity.count(submission, brought.address, proof, now))
