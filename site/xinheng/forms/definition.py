"""The vocabulary of a form file, closed: every key is explained in forms/README.md, and a test says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinheng.crypto import fingerprint

# What a company may not offer without a licence for it (compliance A-01): in labels, hints and options.
_UNLICENSED = re.compile(r"投保|承保|保费|保额|报价|比价|试算|保险方案|方案设计|理赔")
_RESERVED = {
    *("submission_id", "consent_version", "touch", "confirm_token"),  # hidden fields of every form
    *("stamp", "proof", "subject", "homepage", "trapped"),  # what tells robots
    "assessment",  # the result of a health check that may be attached
    *(
        "meta",
        "data",
        "errors",
        "process",
        "post_process",
        "populate_obj",
        "validate",
        "ordered_errors",
        "form_errors",
    ),
    *("validate_on_submit", "is_submitted", "hidden_tag"),  # what a form class itself is made of
}
KNOWN_FIELDS = ("need", "name", "phone", "details", "call_time")


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Option(_Declared):
    """One answer of a choice."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    label: str = Field(min_length=1, max_length=40)


class FieldDeclaration(_Declared):
    """One question of a form."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    kind: Literal["choice", "text", "long_text", "phone"]
    label: str = Field(min_length=1, max_length=20)
    hint: str = Field(default="", max_length=80)
    required: bool = False
    missing: str = Field(default="", max_length=60)
    most: int = Field(default=80, ge=1, le=500)
    half: bool = False
    autocomplete: Literal["", "name", "tel", "organization"] = ""
    options: tuple[Option, ...] = ()
    privacy: str = Field(min_length=1, max_length=60)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "choice" and len(self.options) < 2:
            raise ValueError("kind 为 choice 时，options 至少写两项")
        if self.kind != "choice" and self.options:
            raise ValueError("只有 kind 为 choice 时才写 options")
        if len({option.key for option in self.options}) != len(self.options):
            raise ValueError("options 里有两项用了同一个 key")
        if self.required and not self.missing:
            raise ValueError("必填项要写 missing：没填时告诉访客怎么做")
        return self

    def option_label(self, key: str) -> str:
        """The words of an answer; an answer that is no longer offered shows its key."""
        return next((option.label for option in self.options if option.key == key), key)


class ConsentDeclaration(_Declared):
    """One purpose to agree to, with its own box, never ticked in advance. That of `attach_assessment` is shown where there
    is a result of a health check to attach."""

    name: str = Field(pattern=r"^[a-z][a-z_]{0,31}$")
    purpose: Literal["callback", "marketing", "attach_assessment"]
    label: str = Field(min_length=1, max_length=80)
    required: bool = False
    missing: str = Field(default="", max_length=60)
    optional_note: str = Field(default="", max_length=30)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.required != (self.purpose == "callback"):
            raise ValueError("只有 callback（回电）必须勾选，其他用途不能设为必填")
        if self.required and not self.missing:
            raise ValueError("要写 missing：没勾选时告诉访客怎么做")
        return self


class FormDeclaration(_Declared):
    """A consultation form: its words, its fields, its notice, its consents."""

    title: str = Field(min_length=1, max_length=20)
    summary: str = Field(min_length=1, max_length=100)
    invitation: str = Field(min_length=1, max_length=30)
    introduction: str = Field(min_length=1, max_length=120)
    steps: tuple[str, ...] = Field(min_length=1, max_length=5)
    notice: str = Field(min_length=40)
    submit: str = Field(min_length=1, max_length=16)
    fields: tuple[FieldDeclaration, ...] = Field(min_length=1, max_length=12)
    consents: tuple[ConsentDeclaration, ...] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        by_name = {field.name: field for field in self.fields}
        names = [*(each.name for each in self.fields), *(each.name for each in self.consents)]
        if len(set(names)) != len(self.fields) + len(self.consents):
            raise ValueError("两个 name 相同")
        if reserved := sorted(_RESERVED & set(names)):
            raise ValueError(f"这些 name 留给程序自己用，请换一个：{'、'.join(reserved)}")
        for name, kind in (("need", "choice"), ("phone", "phone"), ("details", "long_text")):
            if name not in by_name or by_name[name].kind != kind or not by_name[name].required:
                raise ValueError(f"要有必填的 {name}，kind 为 {kind}")
        if sum(consent.purpose == "callback" for consent in self.consents) != 1:
            raise ValueError("consents 里要有且只有一项 purpose 为 callback")
        if sum(consent.purpose == "attach_assessment" for consent in self.consents) > 1:
            raise ValueError("consents 里最多一项 purpose 为 attach_assessment")
        if [field.name for field in self.fields if field.kind == "phone"] != ["phone"]:
            raise ValueError("kind 为 phone 的只能是 phone")
        for placeholder in ("{legal_name}", "{retention_days}", "{hotline}"):
            if placeholder not in self.notice:
                raise ValueError(f"notice 里要有 {placeholder}：告知必须写明谁收集、存多久、怎么联系")
        return self

    @model_validator(mode="after")
    def _company(self) -> Self:
        if any(field.name == "company" and field.kind != "text" for field in self.fields):
            raise ValueError("company 是单位名称，kind 要写 text")
        return self

    def field(self, name: str) -> FieldDeclaration:
        """A field by name. Raises KeyError."""
        for declared in self.fields:
            if declared.name == name:
                return declared
        raise KeyError(name)

    def unlicensed_words(self) -> Iterable[str]:
        """Words in labels and options that only a licensed insurance business may offer."""
        texts = [self.title, self.summary, self.invitation, self.introduction, self.submit, *self.steps]
        for consent in self.consents:
            texts += [consent.label, consent.missing, consent.optional_note]
        for declared in self.fields:
            texts += [
                declared.label,
                declared.hint,
                declared.missing,
                *(option.label for option in declared.options),
            ]
        return sorted({found for text in texts for found in _UNLICENSED.findall(text)})


class PublishedForm(BaseModel):
    """A declaration as visitors see it, the company's facts in its notice. Kept whole, by its version, as proof."""

    model_config = ConfigDict(frozen=True)

    declaration: FormDeclaration
    notice: str
    retention_days: int

    @property
    def version(self) -> str:
        """The first 16 hexadecimal digits of the hash of all its words."""
        return fingerprint(self.model_dump_json())[:16]

    def consent_text(self, consent: ConsentDeclaration) -> str:
        """The words a visitor agrees to: the notice and the label of the box."""
        return f"{self.notice}\n\n{consent.label}"


def is_stored_form(text: str) -> bool:
    """Whether what was published under a version is a consultation form: health checks stand in the same table."""
    return text.startswith('{"declaration":')


def stored_form(text: str) -> PublishedForm:
    """A form as it was published, from its JSON. It is not judged by today's rules: it was right in its day."""
    data = json.loads(text)
    declared = data["declaration"]
    fields = tuple(
        FieldDeclaration.model_construct(
            **field
            | {"options": tuple(Option.model_construct(**option) for option in field.get("options", ()))}
        )
        for field in declared["fields"]
    )
    consents = tuple(ConsentDeclaration.model_construct(**consent) for consent in declared["consents"])
    declaration = FormDeclaration.model_construct(**declared | {"fields": fields, "consents": consents})
    return PublishedForm.model_construct(**data | {"declaration": declaration})
