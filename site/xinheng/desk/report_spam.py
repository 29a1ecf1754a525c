"""What was held back as odd, why, and how often that was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import render_template

from xinheng.desk.frame import blueprint, database
from xinheng.desk.permission import requires
from xinheng.desk.report_frame import FEW, RANGES, chosen_weeks, share, week_words
from xinheng.leads.spam_counts import ANY, Judged, spam_by_reason, spam_by_week
from xinheng.leads.verdict import REASONS
from xinheng.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class Row:
    """One reason or week. `wrong` is the share, in percent, of what staff judged that they released."""

    key: str
    counted: Judged

    @property
    def judged(self) -> int:
        return self.counted.spam + self.counted.released

    @property
    def wrong(self) -> float | None:
        return share(self.counted.released, self.judged)

    @property
    def few(self) -> bool:
        return self.judged < FEW


@blueprint.get("/reports/spam")
@requires(Permission.REPORTS)
def spam_report() -> str:
    """By reason, what spoke against most first; and by week."""
    weeks = chosen_weeks()
    with database().reading() as session:
        reasons = spam_by_reason(session, weeks)
        by_week = spam_by_week(session, weeks)
    rows = [Row(reason, reasons[reason]) for reason in REASONS if reason in reasons]
    return render_template(
        "desk/reports/spam.html",
        weeks=weeks,
        ranges=RANGES,
        total=Row(ANY, reasons.get(ANY, Judged())),
        rows=sorted(rows, key=lambda row: -row.counted.held),
        by_week=_newest_first(by_week),
        weekly=[judged.held for _, judged in by_week],
        few=FEW,
    )


def _newest_first(by_week: Sequence[tuple[date, Judged]]) -> Sequence[Row]:
    return [Row(week_words(monday), judged) for monday, judged in reversed(by_week)]
