"""A declaration becomes a WTForms class. Messages are Chinese and say what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type stubs
from wtforms.validators import DataRequired, StopValidation

from xinheng.forms.definition import ConsentDeclaration, FieldDeclaration, FormDeclaration
from xinheng.forms.sensitive import sensitive_number
from xinheng.phones import NotAPhone, parse_phone


class DeclaredForm(FlaskForm):
    """Base of forms made from a declaration. No token: the origin check guards it, so its page can be cached."""

    class Meta:
        csrf = False

    # without a label WTForms looks up a translation of each name, for which every request reads a catalogue
    submission_id = HiddenField("")
    consent_version = HiddenField("")
    touch = HiddenField("")
    stamp = HiddenField("")
    proof = HiddenField("")
    assessment = HiddenField("")
    # traps: people don't see them, no browser fills them by itself; what is written there is kept nowhere
    subject = StringField("")
    homepage = StringField("")

    @property
    def trapped(self) -> bool:
        """Whether something was written where nobody can see a field."""
        return bool(self.subject.data or self.homepage.data)

    def ordered_errors(self) -> Mapping[str, str]:
        """The first error of each field that has one, in the order of the page."""
        return {field.name: str(field.errors[0]) for field in self if field.errors}


@lru_cache(maxsize=8)
def build_form(declaration: FormDeclaration) -> type[DeclaredForm]:
    """The form class of a declaration."""
    fields: dict[str, Any] = {declared.name: declared_field(declared) for declared in declaration.fields}
    fields |= {consent.name: _consent(consent) for consent in declaration.consents}
    return type("ConsultationForm", (DeclaredForm,), fields)


def declared_field(declared: FieldDeclaration) -> Any:
    """The field of a form class for one declaration."""
    filters = [_tidy]
    validators = [_Filled(declared), _Length(declared.most), _nothing_sensitive]
    match declared.kind:
        case "choice":
            blank = SelectChoice("", "请选择一项" if declared.required else "不指定")
            choices = [blank, *(SelectChoice(option.key, option.label) for option in declared.options)]
            return SelectField(
                declared.label, choices=choices, default="", validate_choice=False,
                validators=[_Filled(declared), _Offered(declared)],
            )  # fmt: skip
        case "phone":
            return StringField(declared.label, filters=filters, validators=[_Filled(declared), _phone])
        case "long_text":
            return TextAreaField(declared.label, filters=filters, validators=validators)
        case _:
            return StringField(declared.label, filters=filters, validators=validators)


def _consent(consent: ConsentDeclaration) -> Any:
    validators = [DataRequired(consent.missing)] if consent.required else []
    return BooleanField(consent.label, default=False, validators=validators)


def _tidy(value: str | None) -> str:
    """What was typed, lines ended as we count them, without what a database or a mail can't carry."""
    text = (value or "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(map(_plain_sign, text)).strip()


def _plain_sign(sign: str) -> str:
    """A space of any width is a space (Chinese keyboards' own stays); signs that can't be seen go."""
    if sign in "\n\t\u3000":
        return sign
    if unicodedata.category(sign) == "Zs":
        return " "
    return sign if sign.isprintable() else ""


class _Filled:
    """A required field has something in it; an empty optional one needs no further check."""

    def __init__(self, declared: FieldDeclaration) -> None:
        self._declared = declared
        self.field_flags = {"required": True} if declared.required else {}

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if not field.data:
            raise StopValidation(self._declared.missing if self._declared.required else None)  # type: ignore[arg-type]


class _Length:
    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if (over := len(field.data) - self._most) > 0:
            raise StopValidation(f"最多{self._most}字，请删去{over}字")


class _Offered:
    def __init__(self, declared: FieldDeclaration) -> None:
        self._keys = {option.key for option in declared.options}
        self._label = declared.label

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if field.data not in self._keys:
            raise StopValidation(f"“{self._label}”的选项有更新，请重新选择一项")


def _phone(form: FlaskForm, field: Field) -> None:
    try:
        parse_phone(field.data)
    except NotAPhone as fault:
        raise StopValidation(str(fault)) from fault


def _nothing_sensitive(form: FlaskForm, field: Field) -> None:
    if kind := sensitive_number(field.data):
        raise StopValidation(f"这里像是有{kind}，请删去，这里用不着它")
