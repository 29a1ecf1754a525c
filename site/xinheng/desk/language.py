"""Chinese inside a page in another language: what is data stays as it is, and says so to who reads it aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_babel import get_locale
from flask_babel import lazy_gettext as _

from xinheng.leads.listing import NAMELESS, UNREADABLE
from xinheng.markup import in_languages

CHINESE = "zh-Hans"

_STAND_INS: Mapping[str, object] = {UNREADABLE: _("（无法解密：密钥不符）"), NAMELESS: _("未留姓名")}
"""What the rules put in place of data: ours, so it is in the reader's language."""

_HAN = r"\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_RUN = re.compile(rf"([{_HAN}](?:[^A-Za-z]*[{_HAN}])?)")
"""From one Chinese character to another: figures and signs between them belong to the sentence, words don't."""


def page_language() -> str:
    """The language of the page, as its `lang` says it."""
    locale = get_locale()
    return CHINESE if locale is None or locale.language == "zh" else str(locale.language)


def language_of(text: object) -> str | None:
    """What `lang` an element with this text needs, or None where it is the page's own."""
    chinese = page_language() != CHINESE and _RUN.search(data_text(text))
    return CHINESE if chinese else None


def data_text(text: object) -> str:
    """Data as it is, what stands in for it in the reader's language."""
    return str(_STAND_INS.get(str(text), text))


def as_it_is(text: object) -> object:
    """Data in a Chinese page."""
    return text


def said(text: object) -> object:
    """Data in a page of another language, in a sentence or an element of its own: what is Chinese in it says so."""
    pieces = enumerate(_RUN.split(data_text(text)))
    return in_languages([(piece, CHINESE if place % 2 else "") for place, piece in pieces if piece])
