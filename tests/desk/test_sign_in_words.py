"""All that the sign-in library can say is said in Chinese."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_security.core import _default_messages
from flask_security.utils import get_message
from tests.conftest import ROOT

OURS = ROOT / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
SOURCES = ("core.py", "forms.py", "recovery_codes.py", "tf_plugin.py", "twofactor.py")
"""Where its views, forms and messages for a password, a code and a recovery code come from."""


@cache
def catalog() -> Catalog:
    with (OURS / "flask_security.po").open("rb") as stream:
        return read_po(stream, locale="zh_Hans_CN")


def library_messages() -> list[Message]:
    template = Path(str(files("flask_security"))) / "translations" / "flask_security.pot"
    with template.open("rb") as stream:
        template_messages = read_po(stream)
    return [
        message
        for message in template_messages
        if message.id and any(place.endswith(SOURCES) for place, _ in message.locations)
    ]


def test_the_library_says_something() -> None:
    assert len(library_messages()) > 100


@pytest.mark.parametrize("message", library_messages(), ids=lambda message: str(message.id)[:40])
def test_every_sentence_of_the_library_has_a_chinese_one(message: Message) -> None:
    found = catalog().get(str(message.id))
    assert found is not None
    assert re.search(r"[\u4e00-\u9fff]", str(found.string)), "untranslated"
    assert "你" not in str(found.string), "people are addressed as 您"
    named = re.findall(r"%\((\w+)\)", str(message.id))
    if "length" not in named:
        assert sorted(re.findall(r"%\((\w+)\)", str(found.string))) == sorted(named)


def test_what_is_shown_was_compiled_from_what_is_written() -> None:
    with (
        (OURS / "flask_security.po").open("rb") as written,
        (OURS / "flask_security.mo").open("rb") as compiled,
    ):
        sources, shown = read_po(written, locale="zh_Hans_CN"), read_mo(compiled)
    assert {message.id: message.string for message in sources if message.id} == {
        message.id: message.string for message in shown if message.id
    }


@pytest.mark.parametrize("key", sorted(_default_messages))
def test_the_application_says_it_in_chinese(shipped_sqlite_app: Flask, key: str) -> None:
    names = re.findall(r"%\((\w+)\)", str(_default_messages[key][0]))
    with shipped_sqlite_app.test_request_context("/desk/sign-in"):
        said, _ = get_message(key, **dict.fromkeys(names, 7))
    assert re.search(r"[\u4e00-\u9fff]", said)
