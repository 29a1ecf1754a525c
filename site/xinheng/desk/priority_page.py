"""How leads are put in order: the rules as they stand, in words, for everybody who works by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flask import current_app, render_template

from xinheng.desk import words
from xinheng.desk.frame import blueprint, database
from xinheng.desk.level_names import level_names
from xinheng.desk.permission import requires
from xinheng.desk.rows import need_words
from xinheng.forms.priority import Condition, PriorityRules
from xinheng.i18n import gettext as _
from xinheng.staff.permissions import Permission


@blueprint.get("/priority")
@requires(Permission.LEADS)
def priority() -> str:
    """The rules, the weightiest first, and what a day takes off."""
    rules: PriorityRules = current_app.extensions["xinheng.priority"]()
    with database().reading() as session:
        needs = need_words(session)
    shown = sorted(rules.rules, key=lambda rule: -rule.points)
    return render_template(
        "desk/priority.html",
        rules=[(rule, condition_words(rule.when, needs)) for rule in shown],
        per_day=rules.freshness.points_per_day,
    )


def condition_words(condition: Condition, needs: Mapping[str, str]) -> Sequence[str]:
    """What must hold, each part in words."""
    return [*_one_of(condition, needs), *_at_least(condition)]


def _one_of(condition: Condition, needs: Mapping[str, str]) -> Iterator[str]:
    parts: tuple[tuple[str, Sequence[str], Mapping[str, object]], ...] = (
        (_("需求"), condition.need, needs),
        (_("自查等级"), condition.level, level_names()),
        (_("来源"), condition.source, words.SOURCE),
        (_("渠道"), condition.channel, words.CAMPAIGN),
    )
    for name, keys, labels in parts:
        if keys:
            listed = _("或").join(str(labels.get(key, key)) for key in keys)
            yield _("%(name)s：%(value)s", name=name, value=listed)


def _at_least(condition: Condition) -> Iterator[str]:
    if condition.details_at_least:
        yield _("留言至少%(count)s字", count=condition.details_at_least)
    if condition.articles_at_least:
        yield _("这次来访至少读过%(count)s篇文章", count=condition.articles_at_least)
    if condition.enquiries_at_least:
        yield _("同一个人至少咨询过%(count)s次", count=condition.enquiries_at_least)
    if condition.answers_at_least:
        yield _("选填的项至少填了%(count)s项", count=condition.answers_at_least)
    if condition.named:
        yield _("留了称呼")
    if condition.call_time:
        yield _("选了方便接电话的时间")
