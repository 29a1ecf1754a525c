"""How staff are told of enquiries: which channels are on, a test of each, what left and what did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from xinheng.audit.log import record
from xinheng.audit.models import Action
from xinheng.crypto import new_row_id
from xinheng.desk import words
from xinheng.desk.frame import blueprint, database, is_row_id, keys, utc_now
from xinheng.desk.permission import current_member, may, requires
from xinheng.desk.sign_in_services import sign_in_services
from xinheng.desk.times import short
from xinheng.i18n import gettext as _
from xinheng.i18n import ngettext
from xinheng.leads.models import Enquiry, Lead
from xinheng.notices.channel import Message, NotSent
from xinheng.notices.channels import VARIABLES, Switchboard, words_of_a_test
from xinheng.notices.log import failed, failed_count, read_log
from xinheng.notices.outbox import Notice, send_again
from xinheng.staff.permissions import Permission
from xinheng.staff.throttle import CHANNEL_TEST


@dataclass(frozen=True, slots=True)
class Shown:
    """One notice of the log. `lead` is the id to open, where whoever looks may open leads."""

    notice: Notice
    at: str
    first_line: str
    lead: str


def switchboard() -> Switchboard:
    held: Switchboard = current_app.extensions["xinheng.channels"]
    return held


@blueprint.get("/notices")
@requires(Permission.NOTICES)
def notices() -> str:
    """The channels, what was given up, and one page of the log."""
    before, now = request.args.get("before", ""), utc_now()
    with database().reading() as session:
        page = read_log(session, before if is_row_id(before) else "")
        lost, count = failed(session), failed_count(session)
        leads = _leads(session, [*page.notices, *lost])
    return render_template(
        "desk/notices.html",
        lines=switchboard().lines(now),
        variables=VARIABLES,
        channel_words=words.CHANNEL,
        state_words=words.NOTICE,
        failed=_shown(lost, leads, now),
        failed_count=count,
        log=_shown(page.notices, leads, now),
        older=page.older,
        first_page=not before,
    )


@blueprint.post("/notices/test")
@requires(Permission.NOTICES)
def test_channel() -> Response:
    """Send a test by one channel now, and say what the other side answered."""
    name, now, member = request.form.get("channel", ""), utc_now(), current_member()
    channel = switchboard().on(now).get(name)
    if channel is None:
        abort(404)
    if refusal := sign_in_services().throttle.counted(CHANNEL_TEST, name, now):
        flash(_("刚刚试过了，请过 %(seconds)s 秒再试", seconds=refusal.seconds), "error")
        return _back()
    with database().writing() as session:
        _record(session, "notice_tested", member.id, {"what": name}, now)
    try:
        answer = channel.send(Message(new_row_id(), "", words_of_a_test(current_app.config["ORIGIN"], now)))
    except NotSent as fault:
        flash(_("%(channel)s没有通：%(fault)s", channel=words.CHANNEL[name], fault=fault), "error")
    else:
        sentence = _(
            "%(channel)s收下了测试通知（%(answer)s）。请看一看收到没有",
            channel=words.CHANNEL[name],
            answer=answer,
        )
        flash(sentence, "done")
    return _back()


@blueprint.post("/notices/again")
@requires(Permission.NOTICES)
def send_notices_again() -> Response:
    """Let one notice that was given up leave again, or all of them."""
    notice_id, now = request.form.get("notice", ""), utc_now()
    if notice_id and not is_row_id(notice_id):
        abort(404)
    with database().writing() as session:
        count = send_again(session, switchboard().on(now), now, notice_id)
        left = failed_count(session, notice_id)
        if count:
            _record(session, "notices_again", current_member().id, {"count": count}, now)
    if count:
        told = ngettext("%(num)s条通知重新排队，马上就发", "%(num)s条通知重新排队，马上就发", count)
        flash(told, "done")
    elif left:
        flash(_("没有重发：能发它的渠道没有启用。请管理员先设置好，再重发"), "error")
    else:
        flash(_("没有要重发的：已经有人重发了，或者有人看过了"), "error")
    return _back()


def _record(
    session: Session, action: Action, actor: str, detail: Mapping[str, str | int], now: datetime
) -> None:
    session.flush()
    record(session, keys(), actor=actor, action=action, detail=dict(detail), now=now)


def _back() -> Response:
    return redirect(url_for("desk.notices"), 303)


def _shown(found: Iterable[Notice], leads: Mapping[str, str], now: datetime) -> Sequence[Shown]:
    return [
        Shown(each, short(each.created_at, now), each.text.partition("\n")[0], leads.get(each.reference, ""))
        for each in found
    ]


def _leads(session: Session, found: Iterable[Notice]) -> Mapping[str, str]:
    """The lead of each reference, for who may open everybody's."""
    if not may(Permission.ALL_LEADS):
        return {}
    query = (
        select(Enquiry.reference, Lead.id)
        .join(Lead, Enquiry.lead_id == Lead.id)
        .where(Enquiry.reference.in_({each.reference for each in found}), Lead.restricted.is_(False))
    )
    return {row.reference: row.id for row in session.execute(query)}
