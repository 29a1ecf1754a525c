"""The catalogues: every text of the desk in English, compiled as written, and no Chinese out of a catalogue's reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from jinja2 import nodes
from tests.conftest import ROOT

from xinheng.desk import words
from xinheng.staff.permissions import ROLE_WORDS

PACKAGE = ROOT / "site" / "xinheng"
TRANSLATIONS = ROOT / "translations"
ENGLISH = TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po"
CATALOGUES = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))
HAN = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
KEYWORDS: dict[str, tuple[int, ...] | None] = {**DEFAULT_KEYWORDS, "later": None}  # type: ignore[dict-item]

DESK_PAGES = [
    *sorted((PACKAGE / "templates" / "desk").rglob("*.html")),
    *sorted((PACKAGE / "templates" / "layouts").glob("desk*.html")),
    *(
        PACKAGE / "templates" / "components" / f"{name}.html"
        for name in ("call_guide", "content_faults", "desk", "desk_keys", "desk_timeline", "sign_in")
    ),
    PACKAGE / "templates" / "errors" / "desk.html",
]
DESK_CODE = [
    file for file in sorted((PACKAGE / "desk").glob("*.py")) if not file.stem.endswith("_commands")
]  # what a command says is for administrators, who read Chinese
IN_THEIR_OWN_WORDS = {
    "me.html": {"微信"},  # as it stands in the table of sessions, to be put into the reader's language
    "preview.html": {"文", "发布", "更新", "阅读约", "分钟", "浏览量", "要点", "本文目录", "资料来源"},
}
"""Chinese in a template of the desk that isn't the desk's: data, and an article as its readers will see it."""


@cache
def catalogue(file: Path) -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parent.parent.name)


def messages(file: Path) -> list[Message]:
    return [message for message in catalogue(file) if message.id]


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """A text, or its forms for one and for more."""
    return (text,) if isinstance(text, str) else tuple(text)


@cache
def extracted() -> frozenset[tuple[str, ...]]:
    """What `make messages` finds, in the same way."""
    with (TRANSLATIONS / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(PACKAGE, methods, options, keywords=KEYWORDS)
    return frozenset(forms(text) for _, _, text, _, _ in found)


def english() -> list[Message]:
    return messages(ENGLISH)


# --- the catalogues ---


def test_there_are_catalogues() -> None:
    assert ENGLISH in CATALOGUES
    assert len(english()) > 400
    assert not list(TRANSLATIONS.glob("zh*/LC_MESSAGES/messages.po")), "the ids are Chinese already"


def test_english_has_every_text_and_none_besides() -> None:
    held = {forms(message.id) for message in english()}
    assert extracted() - held == set(), "run make messages, then translate what is new"
    assert held - extracted() == set()
    assert not catalogue(ENGLISH).obsolete


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: f"{file.parent.parent.name}-{file.stem}")
def test_every_text_is_translated_for_certain(file: Path) -> None:
    left = [message.id for message in messages(file) if not all(forms(message.string)) or message.fuzzy]
    assert left == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: f"{file.parent.parent.name}-{file.stem}")
def test_what_is_compiled_is_what_is_written(file: Path) -> None:
    """A catalogue edited without `make messages` changes nothing on the site."""
    with file.with_suffix(".mo").open("rb") as opened:
        compiled = {forms(each.id): forms(each.string) for each in read_mo(opened) if each.id}
    assert compiled == {forms(each.id): forms(each.string) for each in messages(file)}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: f"{file.parent.parent.name}-{file.stem}")
def test_a_catalogue_has_no_line_that_changes_by_itself(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"^#[:~|,] .*(\.py|\.html|fuzzy)", text, re.MULTILINE), "no places, nothing fuzzy"
    assert len(set(re.findall(r"^\"P(?:OT-Creation|O-Revision)-Date: (.*)\\n\"$", text, re.MULTILINE))) == 1


def sentences() -> Iterator[tuple[str, str]]:
    """Each id with each form of its translation."""
    for message in english():
        for one in forms(message.string):
            yield forms(message.id)[0], one


def test_a_translation_fills_the_same_blanks() -> None:
    assert [
        (text, one) for text, one in sentences() if sorted(blanks_of(text)) != sorted(blanks_of(one))
    ] == []


def test_no_translation_has_a_sign_that_formatting_trips_over() -> None:
    assert [one for _, one in sentences() if "%" in PLACEHOLDER.sub("", one)] == []


def blanks_of(text: str) -> list[str]:
    return PLACEHOLDER.findall(text)


def test_english_is_english() -> None:
    """Curly quotes are drawn by the Chinese font, as wide as a character."""
    odd = re.compile(HAN.pattern + r"|[“”‘’]|  | [.,;:]")
    assert [one for _, one in sentences() if odd.search(one)] == []


def test_a_full_stop_stays_where_it_was() -> None:
    """A sentence with its full stop in Chinese has one in English, a label has none."""
    whole = [(text, one) for text, one in sentences() if not text.startswith(("，", "、", "；"))]
    assert [
        (text, one) for text, one in whole if text.endswith("。") != one.endswith(".") and one != "No."
    ] == []


def test_numbers_have_two_forms_in_english_and_one_in_chinese() -> None:
    plural = [message for message in english() if not isinstance(message.id, str)]
    assert plural
    assert catalogue(ENGLISH).num_plurals == 2
    for message in plural:
        assert len(forms(message.string)) == 2
        assert len(set(forms(message.id))) == 1, "Chinese says both alike"


# --- out of reach: Chinese that no catalogue can translate ---


def said_in(template: Path, environment_of: Callable[[str], nodes.Template]) -> Iterator[str]:
    """The Chinese in a template that stands outside `_(…)` and `ngettext(…)`."""
    tree = environment_of(template.read_text(encoding="utf-8"))
    translated = {
        id(inner)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in {"_", "ngettext"}
        for inner in call.find_all(nodes.Const)
    }
    for const in tree.find_all(nodes.Const):
        if isinstance(const.value, str) and id(const) not in translated and HAN.search(const.value):
            yield const.value
    for data in tree.find_all(nodes.TemplateData):
        yield from re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<!--.*?-->", "", data.data))


@pytest.mark.parametrize("template", DESK_PAGES, ids=lambda file: file.name)
def test_every_word_of_a_template_can_be_translated(template: Path, shipped_app: Flask) -> None:
    found = set(said_in(template, shipped_app.jinja_env.parse))
    assert found - IN_THEIR_OWN_WORDS.get(template.name, set()) == set()


def chinese_texts(file: Path) -> Iterator[tuple[ast.Constant, bool]]:
    """The Chinese texts of a module but docstrings and what is logged, and whether each is given to gettext."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    told = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id in {"_", "later", "gettext", "ngettext"}
        for argument in call.args
    }
    logged = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and re.search(r"logger\.(warning|error)$", ast.unparse(call.func))
        for argument in call.args
    }
    notes = logged | {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        chinese = isinstance(each, ast.Constant) and isinstance(each.value, str) and HAN.search(each.value)
        if isinstance(each, ast.Constant) and chinese and id(each) not in notes:
            yield each, id(each) in told


NAMES_OF_THEIR_OWN = {"中文", "工作台"}
"""A language calls itself by its own name; an authenticator's entry keeps the name it was made with."""


@pytest.mark.parametrize("file", DESK_CODE, ids=lambda file: file.name)
def test_every_word_of_the_code_can_be_translated(file: Path) -> None:
    found = {each.value for each, translated in chinese_texts(file) if not translated}
    assert found - NAMES_OF_THEIR_OWN == set()


@pytest.mark.parametrize("file", DESK_CODE, ids=lambda file: file.name)
def test_the_extraction_finds_what_the_code_translates(file: Path) -> None:
    """Inside an f-string it doesn't: there a text would stay Chinese without anybody noticing."""
    known = {text for found in extracted() for text in found}
    assert {each.value for each, translated in chinese_texts(file) if translated} - known == set()


@pytest.mark.parametrize(
    "file", sorted((ROOT / "static" / "js").glob("desk*.js")), ids=lambda file: file.name
)
def test_scripts_of_the_desk_get_their_words_from_the_page(file: Path) -> None:
    assert not HAN.search(file.read_text(encoding="utf-8"))


def test_the_desk_knows_the_roles_by_the_words_of_the_command(shipped_app: Flask) -> None:
    with shipped_app.test_request_context("/desk/"):
        assert {key: str(text) for key, text in words.ROLE.items()} == dict(ROLE_WORDS)
