"""The public form of a request. Its fields are declared as those of forms/ are; /privacy lists them word for word."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from xinheng.forms.builder import DeclaredForm, declared_field
from xinheng.forms.definition import FieldDeclaration, Option
from xinheng.privacy.models import Kind

KIND_LABELS: dict[Kind, str] = {
    "withdraw": "撤回同意，不要再给我打电话",
    "stop_marketing": "不再收短信提醒",
    "detach_result": "撤回附上的自查结果",
    "delete": "删除我的信息",
    "access": "查阅、复制我的信息",
    "correct": "更正、补充我的信息",
    "restrict": "先留着，不要使用（限制处理）",
    "complaint": "投诉，或者问别的",
}
_NEEDS_WORDS = {"correct": "请写明哪一项要改成什么", "complaint": "请写一两句是什么事"}

FIELDS = (
    FieldDeclaration(
        name="kind",
        kind="choice",
        label="您要我们做什么",
        required=True,
        missing="请选择一项",
        privacy="知道要办什么",
        options=tuple(Option(key=key, label=label) for key, label in KIND_LABELS.items()),
    ),
    FieldDeclaration(
        name="phone",
        kind="phone",
        label="咨询时留的电话",
        required=True,
        missing="请填写咨询时留的电话",
        half=True,
        autocomplete="tel",
        privacy="找到您的信息，必要时回拨确认是您本人",
    ),
    FieldDeclaration(
        name="reference",
        kind="text",
        label="受理编号",
        hint="像 XH-7K2M9-QPD4R；找不到就留空，我们回拨确认",
        most=30,
        half=True,
        privacy="和电话一起确认是您本人，不用再打电话",
    ),
    FieldDeclaration(
        name="words",
        kind="long_text",
        label="补充说明",
        hint="500字以内，不用说理由。请勿填写身份证号、银行账号。",
        most=500,
        privacy="更正和投诉时知道是哪一项、什么事",
    ),
)


class _RequestForm(DeclaredForm):
    """Its fields are added from their declarations."""

    def validate(self, extra_validators: Any = None) -> bool:
        right = bool(super().validate(extra_validators))
        words, missing = self["words"], _NEEDS_WORDS.get(self["kind"].data)
        if missing and not words.data:
            words.errors = [missing]
            return False
        return right


@lru_cache(maxsize=1)
def request_form() -> type[DeclaredForm]:
    """The form class."""
    return type("RequestForm", (_RequestForm,), {each.name: declared_field(each) for each in FIELDS})
