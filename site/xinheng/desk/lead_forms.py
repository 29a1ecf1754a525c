"""What staff type on a lead's page, checked: the next step, a note, a status."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, DateField, Form, StringField, TextAreaField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from xinheng.desk.frame import calendar, utc_now
from xinheng.leads.moves import whole_quarter
from xinheng.leads.work import LONGEST_NOTE, LONGEST_STEP
from xinheng.settings import SHANGHAI

_MORNING = time(10, 0)
FARTHEST = timedelta(days=730)
TOO_FAR = _("最远可以排到两年以后，请选近一些的日期")


class DayField(DateField):
    """A date as a browser sends it; the error is ours."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("请选一个日期，写成 2026-03-12 这样")) from None


class ClockField(TimeField):
    """A time as a browser sends it; the error is ours."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("请写成 14:30 这样的时间，或者留空")) from None


class NoteForm(Form):
    """A note on what was said; `connected` where somebody took the call."""

    note = TextAreaField(
        validators=[
            DataRequired(_("请写一两句：谁接的、说了什么、答应了什么")),
            Length(max=LONGEST_NOTE, message=_("最多2000字，请分成两笔记")),
        ],
        filters=[lambda text: (text or "").replace("\r\n", "\n").strip()],
    )
    connected = BooleanField()


class PlanForm(Form):
    """The next step: a day, a time (see `moment_on` where none is given) and what to do."""

    date = DayField(validators=[InputRequired(_("请选一个日期，例如明天"))], render_kw={"type": "date"})
    time = ClockField(validators=[Optional()])
    step = StringField(
        validators=[Length(max=LONGEST_STEP, message=_("最多60字，细节写在记录里"))],
        filters=[lambda text: (text or "").strip()],
    )

    def validate_date(self, field: DateField) -> None:
        if not field.data:
            return
        at, now = self.moment(), utc_now()
        if at < now:
            raise ValidationError(_("这个时间已经过去，请选现在以后的时间"))
        if at > now + FARTHEST:
            raise ValidationError(TOO_FAR)

    def moment(self) -> datetime:
        """When the next step is due."""
        if self.date.data is None:
            raise ValueError("only a valid form has a moment")
        return moment_on(self.date.data, self.time.data)


def moment_on(day: date, clock: time | None = None) -> datetime:
    """A day at a time; without one at 10:00, and today, where that is past, at the next full quarter of an hour."""
    if clock:
        return datetime.combine(day, clock, SHANGHAI)
    morning, now = datetime.combine(day, _MORNING, SHANGHAI), utc_now().astimezone(SHANGHAI)
    return whole_quarter(now + timedelta(minutes=1)) if now.date() == day and now > morning else morning


def in_days(days: int) -> datetime:
    """The morning some days from now; from a day off moved to the next working day."""
    day = utc_now().astimezone(SHANGHAI).date() + timedelta(days=days)
    return datetime.combine(calendar().add_working_days(day, 0), _MORNING, SHANGHAI)
