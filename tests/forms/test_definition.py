"""The vocabulary of a form file is closed, explained, and checked when the file is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.conftest import ROOT

from xinheng.company import Company, load_company
from xinheng.crypto import fingerprint
from xinheng.documents import BadDocument
from xinheng.forms import definition
from xinheng.forms.assignment import ASSIGNMENT
from xinheng.forms.call_guide import CALL_GUIDE
from xinheng.forms.definition import (
    ConsentDeclaration,
    FieldDeclaration,
    FormDeclaration,
    Option,
    PublishedForm,
)
from xinheng.forms.loader import CONSULTATION, load_consultation
from xinheng.forms.priority import PRIORITY
from xinheng.forms.response import RESPONSE
from xinheng.health_check.loader import HEALTH_CHECK

FORMS = [ROOT / "forms" / CONSULTATION]
VOCABULARY = sorted(
    {
        (model.__name__, key)
        for model in vars(definition).values()
        if isinstance(model, type)
        and issubclass(model, definition._Declared)
        and model is not definition._Declared
        for key in model.model_fields
    }
)


@pytest.fixture(scope="module")
def company() -> Company:
    return load_company(ROOT / "content")


@dataclass
class Written:
    """A form file of the test's own."""

    folder: Path
    company: Company

    @property
    def file(self) -> Path:
        return self.folder / CONSULTATION

    def load(self) -> PublishedForm:
        return load_consultation(self.folder, self.company)

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def written(data_root: Path, company: Company) -> Written:
    return Written(data_root / "forms", company)


# --- what ships ---


def test_there_are_form_files() -> None:
    """Each has its own test file, and its own section in the README."""
    files = {file.name for file in (ROOT / "forms").glob("*.toml")}
    assert files == {CONSULTATION, PRIORITY, RESPONSE, CALL_GUIDE, HEALTH_CHECK, ASSIGNMENT}


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.name)
def test_every_form_file_that_ships_loads(file: Path, company: Company) -> None:
    form = load_consultation(file.parent, company)
    assert "{" not in form.notice
    assert company.legal_name in form.notice
    assert f"{company.retention_days}天" in form.notice
    assert company.hotline in form.notice
    assert form.declaration.unlicensed_words() == []


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.name)
def test_every_key_that_ships_is_of_the_vocabulary(file: Path) -> None:
    known = {key for _, key in VOCABULARY}

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(each) for each in value.values()))
        return set().union(*(keys(each) for each in value)) if isinstance(value, list) else set()

    assert keys(tomllib.loads(file.read_text(encoding="utf-8"))) <= known


def test_only_what_a_call_back_needs_is_required(company: Company) -> None:
    declaration = load_consultation(ROOT / "forms", company).declaration
    assert {field.name for field in declaration.fields if field.required} == {"need", "phone", "details"}
    assert {consent.purpose for consent in declaration.consents if consent.required} == {"callback"}
    assert declaration.field("details").most == 500


# --- the README ---


def consultation_readme() -> str:
    """The README up to the sections of the other files."""
    return (ROOT / "forms" / "README.md").read_text(encoding="utf-8").partition("\n## 先打给谁")[0]


def test_the_vocabulary_is_found() -> None:
    assert {name for name, _ in VOCABULARY} == {
        "Option",
        "FieldDeclaration",
        "ConsentDeclaration",
        "FormDeclaration",
    }
    assert len(VOCABULARY) > 25


@pytest.mark.parametrize(("model", "key"), VOCABULARY, ids=[f"{model}.{key}" for model, key in VOCABULARY])
def test_every_key_is_explained_in_the_readme(model: str, key: str) -> None:
    """In a row of a table, `key` first, and the words after it are no placeholder."""
    readme = consultation_readme()
    rows = re.findall(rf"^\| `{re.escape(key)}` \|(.+)\|$", readme, re.MULTILINE)
    models = [name for name, each in VOCABULARY if each == key]
    assert len(rows) >= len(models), f"{key} is a key of {models}"
    assert all(len(row.strip()) > 8 for row in rows)


def test_the_readme_explains_no_key_that_is_none() -> None:
    readme = consultation_readme()
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", readme, re.MULTILINE))
    company_keys = set(Company.model_fields)
    assert (
        explained - company_keys - {"text", "long_text", "choice", "phone"}
        <= {key for _, key in VOCABULARY} | VALUES
    )


VALUES = {
    value
    for model in (Option, FieldDeclaration, ConsentDeclaration, FormDeclaration)
    for field in model.model_fields.values()
    for value in getattr(field.annotation, "__args__", ())
    if isinstance(value, str)
} | {"credit_mgmt_only", "insurance_intermediary", "insurer", "entrusted_platform", "receivables"}


# --- what is refused ---

FIELD = '[[fields]]\nname = "company"\nkind = "text"\nlabel = "公司"\nprivacy = "回电前了解"\n'
FIRST = '[[fields]]\nname = "need"'
CONSENTS = '[[consents]]\nname = "consent"'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "预约咨询"', "", "title：缺少这一项"),
        ('title = "预约咨询"', 'title = ""', "title：不能为空"),
        ('title = "预约咨询"', f'title = "{"题" * 21}"', "title：最多 20 个字"),
        ('title = "预约咨询"', 'title = "预约咨询"\ncolour = "red"', "colour：没有这个键"),
        ('kind = "phone"', 'kind = "email"', "fields.2.kind：应为 choice、text、long_text、phone"),
        ('label = "您的电话"', "", "fields.2.label：缺少这一项"),
        ('privacy = "给您回电"', "", "fields.2.privacy：缺少这一项"),
        ('name = "phone"', 'name = "Phone"', "fields.2.name：格式不对"),
        ("most = 500", "most = 501", "fields.3.most：不能大于 500"),
        ("most = 500", "most = 0", "fields.3.most：不能小于 1"),
        ("half = true", 'half = "ja"', "fields.1.half：应为 true 或 false"),
        ('autocomplete = "tel"', 'autocomplete = "phone"', "fields.2.autocomplete：应为 "),
        ('{ key = "other", label = "其他" }', '{ key = "other" }', "fields.0.options.4.label：缺少这一项"),
        ('key = "other"', 'key = "Other"', "fields.0.options.4.key：格式不对"),
        ('key = "other"', 'key = "overdue"', "fields.0：options 里有两项用了同一个 key"),
        ('missing = "请选择一项需求，顾问好提前准备"', "", "fields.0：必填项要写 missing"),
        (FIRST, FIELD.replace('"text"', '"choice"') + FIRST, "fields.0：kind 为 choice 时，options 至少写两项"),
        (FIRST, FIELD + 'options = [{ key = "a", label = "a" }, { key = "b", label = "b" }]\n' + FIRST, "fields.0：只有 kind 为 choice 时才写 options"),
        (CONSENTS, FIELD.replace('"company"', '"need"') + CONSENTS, "两个 name 相同"),
        (CONSENTS, FIELD.replace('"company"', '"consent"') + CONSENTS, "两个 name 相同"),
        ('name = "marketing"', 'name = "consent"', "两个 name 相同"),
        (CONSENTS, FIELD.replace('"company"', '"mobile"').replace('"text"', '"phone"') + CONSENTS, "kind 为 phone 的只能是 phone"),
        ('name = "need"', 'name = "wish"', "要有必填的 need，kind 为 choice"),
        ('name = "details"', 'name = "story"', "要有必填的 details，kind 为 long_text"),
        ('kind = "long_text"', 'kind = "text"', "要有必填的 details，kind 为 long_text"),
        ('purpose = "marketing"', 'purpose = "handover"', "consents.1.purpose：应为 callback、marketing"),
        ('purpose = "marketing"', 'purpose = "marketing"\nrequired = true', "consents.1：只有 callback（回电）必须勾选"),
        ('purpose = "callback"', 'purpose = "marketing"', "consents.0：只有 callback（回电）必须勾选"),
        ('missing = "请勾选同意，我们才能给您回电"', "", "consents.0：要写 missing"),
        ("**{legal_name}**", "我们", "notice 里要有 {legal_name}"),
        ("保存{retention_days}天", "保存180天", "notice 里要有 {retention_days}"),
        ("或拨打{hotline}", "或打电话", "notice 里要有 {hotline}"),
        ("[[fields]]", "[[field]]", "field：没有这个键"),
        ("required = true", "required = maybe", "TOML 写法有误"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_and_key(written: Written, old: str, new: str, says: str) -> None:
    written.change(old, new)
    with pytest.raises(BadDocument) as raised:
        written.load()
    assert {fault.file for fault in raised.value.faults} == {written.file}
    assert says in str(raised.value)


def test_a_name_that_the_page_itself_uses_is_refused(written: Written) -> None:
    """The hidden fields of every form: a question of the same name would take their place."""
    for name in ("submission_id", "consent_version", "touch", "confirm_token"):
        text = written.file.read_text(encoding="utf-8")
        written.change(CONSENTS, FIELD.replace('"company"', f'"{name}"') + CONSENTS)
        with pytest.raises(BadDocument, match=name):
            written.load()
        written.file.write_text(text, encoding="utf-8")


def test_a_missing_file_is_named(written: Written) -> None:
    written.file.unlink()
    with pytest.raises(BadDocument, match=rf"{CONSULTATION}: 缺少这个文件"):
        written.load()


# --- words that need a licence ---

WORDS = ("投保", "承保", "保费", "保额", "报价", "比价", "试算", "保险方案", "方案设计", "理赔")
PLACES: dict[str, Callable[[str], tuple[str, str]]] = {
    "an option": lambda word: ('label = "其他"', f'label = "{word}"'),
    "a label": lambda word: ('label = "详细需求"', f'label = "{word}"'),
    "a hint": lambda word: ('hint = "手机或座机', f'hint = "{word}'),
    "the title": lambda word: ('title = "预约咨询"', f'title = "{word}"'),
    "the summary": lambda word: ('summary = "说说', f'summary = "{word}'),
    "the invitation": lambda word: ('invitation = "想', f'invitation = "{word}'),
    "the introduction": lambda word: ('introduction = "说说', f'introduction = "{word}'),
    "a step": lambda word: ("提交后马上", f"{word}后马上"),
    "the button": lambda word: ('submit = "提交', f'submit = "{word}'),
    "a message": lambda word: ("请选择一项需求", f"请选择{word}"),
    "a consent": lambda word: ("也愿意收到新文章", f"也愿意收到{word}"),
}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_needs_a_licence_is_refused_by_name(written: Written, word: str) -> None:
    written.change('label = "其他"', f'label = "{word}"')
    with pytest.raises(BadDocument, match=f"没有保险牌照.*{word}"):
        written.load()


@pytest.mark.parametrize("place", PLACES)
def test_it_is_refused_wherever_a_visitor_would_read_it(written: Written, place: str) -> None:
    written.change(*PLACES[place]("报价"))
    with pytest.raises(BadDocument, match="报价"):
        written.load()


def test_a_company_with_the_licence_may_write_it(written: Written) -> None:
    written.change('label = "其他"', 'label = "报价"')
    written.company = written.company.model_copy(update={"licence": "insurance_intermediary"})
    assert written.load().declaration.unlicensed_words() == ["报价"]


# --- versions ---


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("只用于给您回电咨询", "只用于回电"),
        ("同意贵公司为回电咨询处理这些信息", "同意贵公司处理这些信息"),
        ('label = "其他"', 'label = "别的"'),
        ('submit = "提交，等顾问回电"', 'submit = "提交"'),
    ],
)
def test_other_words_are_another_version(written: Written, old: str, new: str) -> None:
    before = written.load()
    written.change(old, new)
    assert written.load().version != before.version


def test_the_same_words_are_the_same_version_whatever_the_file_looks_like(written: Written) -> None:
    before = written.load()
    written.file.write_bytes(b"\xef\xbb\xbf# a comment\n" + written.file.read_bytes().replace(b"\n", b"\r\n"))
    assert written.load().version == before.version
    assert re.fullmatch(r"[0-9a-f]{16}", before.version)


def test_another_name_period_or_hotline_of_the_company_is_another_version(written: Written) -> None:
    versions = {written.load().version}
    for change in ({"legal_name": "甲"}, {"retention_days": 90}, {"hotline": "021-1234"}):
        other = Written(written.folder, written.company.model_copy(update=change))
        versions.add(other.load().version)
    assert len(versions) == 4


def test_a_published_form_is_the_same_after_it_was_stored(written: Written) -> None:
    form = written.load()
    again = PublishedForm.model_validate_json(form.model_dump_json())
    assert (again, again.version) == (form, form.version)


def test_the_words_agreed_to_are_notice_and_label(written: Written) -> None:
    form = written.load()
    consent = form.declaration.consents[0]
    assert form.consent_text(consent) == f"{form.notice}\n\n{consent.label}"
    assert fingerprint(form.consent_text(consent)) != fingerprint(
        form.consent_text(form.declaration.consents[1])
    )


def test_an_option_shows_its_words_and_one_that_is_gone_its_key(written: Written) -> None:
    need = written.load().declaration.field("need")
    assert need.option_label("overdue") == "逾期账款跟进"
    assert need.option_label("gone") == "gone"
    with pytest.raises(KeyError):
        written.load().declaration.field("nothing")


def test_declarations_cannot_be_changed(written: Written) -> None:
    declaration: BaseModel = written.load().declaration
    with pytest.raises(ValueError, match="frozen"):
        declaration.title = "x"  # type: ignore[attr-defined]
