"""A declaration becomes a form whose messages say what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from tests.conftest import ROOT
from werkzeug.datastructures import MultiDict

from xinheng.company import load_company
from xinheng.forms.builder import DeclaredForm, build_form
from xinheng.forms.definition import FormDeclaration
from xinheng.forms.loader import load_consultation

Fill = Callable[..., DeclaredForm]
GOOD = {
    "need": "overdue",
    "name": "陈女士",
    "phone": "13800138000",
    "details": "逾期四个多月。",
    "call_time": "any",
    "consent": "yes",
}


@pytest.fixture(scope="module")
def declaration() -> FormDeclaration:
    return load_consultation(ROOT / "forms", load_company(ROOT / "content")).declaration


@pytest.fixture
def fill(declaration: FormDeclaration) -> Any:
    """Fills the form as a browser would send it; keywords replace fields."""
    with Flask(__name__).test_request_context(method="POST"):
        yield lambda **typed: build_form(declaration)(MultiDict(GOOD | typed))


def errors(form: DeclaredForm) -> Mapping[str, str]:
    form.validate()
    return form.ordered_errors()


def test_a_form_filled_in_is_valid(fill: Fill) -> None:
    assert errors(fill()) == {}


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("need", "", "请选择一项需求，顾问好提前准备"),
        ("need", "gone", "“您的需求”的选项有更新，请重新选择一项"),
        ("name", "", None),
        ("name", "名" * 40, None),
        ("name", "名" * 42, "最多40字，请删去2字"),
        ("name", "11010519491231002X", "这里像是有身份证号，请删去，回电咨询用不着它"),
        ("phone", "", "请填写能接通的电话，例如 13800000000 或 021-12345678 转 801"),
        ("phone", " \t ", "请填写能接通的电话，例如 13800000000 或 021-12345678 转 801"),
        ("phone", "13800", "号码太短，请填写能接通的电话，例如 13800000000 或 021-12345678 转 801"),
        ("phone", "021-12345678 转 801", None),
        ("details", "", "请写一两句：欠款大概多少、拖了多久、想先解决什么"),
        ("details", "\r\n\u3000\r\n", "请写一两句：欠款大概多少、拖了多久、想先解决什么"),
        ("details", "\x00\x07\u200b", "请写一两句：欠款大概多少、拖了多久、想先解决什么"),
        ("details", "字" * 500, None),
        ("details", "字" * 501, "最多500字，请删去1字"),
        ("details", "字\r\n" * 200, None),
        ("details", "   " + "字" * 500 + "\n\n", None),
        ("details", "卡号4111111111111111", "这里像是有银行卡号，请删去，回电咨询用不着它"),
        ("call_time", "", None),
        ("call_time", "never", "“方便接电话的时间”的选项有更新，请重新选择一项"),
        ("consent", "", "请勾选同意，我们才能给您回电"),
        ("marketing", "", None),
    ],
)
def test_a_message_says_what_to_do(fill: Fill, field: str, typed: str, message: str | None) -> None:
    assert errors(fill(**{field: typed})).get(field) == message


def test_messages_stand_in_the_order_of_the_page_and_one_for_each_field(fill: Fill) -> None:
    empty = fill(need="", name="名" * 99, phone="", details="", call_time="x", consent="")
    assert list(errors(empty)) == ["need", "name", "phone", "details", "call_time", "consent"]


def test_fields_that_are_missing_altogether_are_said_like_empty_ones(declaration: FormDeclaration) -> None:
    with Flask(__name__).test_request_context(method="POST"):
        form = build_form(declaration)(MultiDict({"x": "1"}))
        assert list(errors(form)) == ["need", "phone", "details", "consent"]


@pytest.mark.parametrize("value", ["", "false"])
def test_a_value_that_says_no_is_no_consent(fill: Fill, value: str) -> None:
    assert errors(fill(consent=value)) == {"consent": "请勾选同意，我们才能给您回电"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  一\r\n二\r三\n ", "一\n二\n三"),
        ("一\x00二\x1b[31m\u202e三", "一二[31m三"),
        ("一\t二\u3000三", "一\t二\u3000三"),
        ("A\u00a0B", "A B"),
        ("A\u2003B", "A B"),
        ("欠款😀八十万", "欠款😀八十万"),
        ("𠮷野家", "𠮷野家"),
    ],
)
def test_what_was_typed_is_kept_without_what_cannot_be_carried(fill: Fill, typed: str, kept: str) -> None:
    form = fill(details=typed)
    assert errors(form) == {}
    assert form["details"].data == kept


def test_the_phone_is_kept_as_typed(fill: Fill) -> None:
    form = fill(phone="１３８－００１３－８０００（微信同号）")
    assert errors(form) == {}
    assert form["phone"].data == "１３８－００１３－８０００（微信同号）"


def test_boxes_are_never_ticked_in_advance(declaration: FormDeclaration) -> None:
    with Flask(__name__).test_request_context():
        form = build_form(declaration)(formdata=None)
        assert [form[consent.name].data for consent in declaration.consents] == [False] * 3
        assert all("checked" not in form[consent.name]() for consent in declaration.consents)


def test_a_choice_begins_with_nothing_chosen(declaration: FormDeclaration) -> None:
    with Flask(__name__).test_request_context():
        form = build_form(declaration)(formdata=None)
        assert '<option selected value="">请选择一项</option>' in form["need"]()
        assert "不指定" in form["call_time"]()


def test_a_field_has_no_maxlength_because_browsers_would_cut_what_is_pasted(
    declaration: FormDeclaration,
) -> None:
    with Flask(__name__).test_request_context():
        form = build_form(declaration)(formdata=None)
        assert all("maxlength" not in form[field.name]() for field in declaration.fields)


def test_the_form_carries_no_token_so_that_its_page_can_be_cached(declaration: FormDeclaration) -> None:
    with Flask(__name__).test_request_context():
        assert "csrf_token" not in build_form(declaration)(formdata=None)


def test_one_declaration_makes_one_class(declaration: FormDeclaration) -> None:
    assert build_form(declaration) is build_form(declaration)
    other = declaration.model_copy(update={"title": "另一张"})
    assert build_form(other) is not build_form(declaration)
