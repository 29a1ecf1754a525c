"""Where visitors leave the health check: how often each question was shown, answered, and seen last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flask import current_app, render_template, request
from sqlalchemy.orm import Session

from xinheng.db import Database
from xinheng.desk.frame import blueprint, utc_now
from xinheng.desk.permission import requires
from xinheng.health_check.counting import OVERVIEW, Counted, counted, counted_versions, day_of
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.versions import CheckVersions
from xinheng.staff.permissions import Permission

DAYS: Final = (7, 30, 90)
FEW: Final = 30
"""Shown less often than this, a share says little: it is told, and marked."""
_ENDS: Final = (5, 10, 20, 30, 50, 100)
_NOTHING: Final = Counted(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """One question, or the page with all answers (`text` is empty). `number` counts from 1; shares in percent of the
    times shown, None where it never was."""

    number: int
    text: str
    shown: int
    answered: int
    left_here: int

    @property
    def answered_share(self) -> float | None:
        return _share(self.answered, self.shown)

    @property
    def left_share(self) -> float | None:
        return _share(self.left_here, self.shown)

    @property
    def few(self) -> bool:
        return self.shown < FEW


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was counted. `label` is what the definition calls itself, or the start of its hash."""

    hash: str
    label: str
    present: bool


@blueprint.get("/health-check")
@requires(Permission.REPORTS)
def health_check() -> str:
    """One version's counts in the last days."""
    days = next((each for each in DAYS if str(each) == request.args.get("days")), DAYS[1])
    store: Database = current_app.extensions["xinheng.databases"].counters
    with store.reading() as session:
        versions = _versions(session)
        asked = request.args.get("version")
        version = next((each for each in versions if each.hash == asked), versions[0])
        counts = counted(session, version.hash, day_of(utc_now()) - timedelta(days=days - 1))
    steps = _steps(_definition(version.hash), counts)
    return render_template(
        "desk/check_counts.html",
        days=days,
        ranges=DAYS,
        versions=versions,
        version=version,
        steps=steps,
        begun=max((each.shown for each in steps[:1]), default=0),
        finished=steps[-1].answered,
        end=bar_end(steps),
        few=FEW,
    )


def bar_end(steps: Sequence[Step]) -> int:
    """What a whole bar stands for, in percent: a round number that no share passes, of those that say something."""
    most = max((each.left_share or 0.0 for each in steps if not each.few), default=0.0)
    return next(end for end in _ENDS if most <= end)


def _share(part: int, whole: int) -> float | None:
    """Percent, between 0 and 100: who comes back to a question may answer it on another day than it was shown."""
    return min(max(part / whole * 100, 0.0), 100.0) if whole > 0 else None


def _versions(session: Session) -> Sequence[Version]:
    """Those that were counted, the one counted last first; the present one where none was, or after them."""
    present: HealthCheck = current_app.extensions["xinheng.health_check"]()
    hashes = dict.fromkeys([*counted_versions(session), present.hash])
    return [Version(each, _label(each), each == present.hash) for each in hashes]


def _label(version: str) -> str:
    check = _definition(version)
    return check.version if check else version[:6]


def _definition(version: str) -> HealthCheck | None:
    versions: CheckVersions = current_app.extensions["xinheng.health_checks"].versions
    return versions.of(version)


def _steps(check: HealthCheck | None, counts: Mapping[str, Counted]) -> Sequence[Step]:
    """All steps in the order in which they are asked; where the definition can't be read any more, by their ids, those
    that were shown most first: that is how few are left."""
    reached = sorted(counts.keys() - {OVERVIEW}, key=lambda id: (-counts[id].shown, id))
    texts = {id: each.text for id, each in check.asked.items()} if check else {id: id for id in reached}
    found = []
    for number, (id, text) in enumerate([*texts.items(), (OVERVIEW, "")], 1):
        count = counts.get(id, _NOTHING)
        found.append(Step(number, text, count.shown, count.answered, max(count.left_here, 0)))
    return found
