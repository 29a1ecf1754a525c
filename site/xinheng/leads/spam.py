"""Rules of suspicion, as arithmetic over one enquiry. Counting over many is in `velocity`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from xinheng.leads.stamp import Says
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import Reason, Verdict
from xinheng.phones import Phone

MOST_LINKS = 2
"""A real person may give their own site and a customer's."""

FEW_LETTERS = 12
_COMPARED_FROM = 20  # letters; shorter texts (请尽快回电) are the same by chance

_ENDINGS = "com|cn|net|org|info|biz|ru|top|xyz|vip|shop|site|online|link|club|icu|io|cc|co|me|ly"
_LINK = re.compile(
    rf"https?://[^\s，。、；）]+|www\.[^\s，。、；）]+|(?<![@\w.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{_ENDINGS})(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_LINK_MARKUP = re.compile(r"\[url|<a\s|\]\(http", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")

_OUR_EXAMPLES = frozenset({"+8613800000000", "+862112345678"})
"""The numbers that stand in the form as examples: whoever copies them can't be called."""

_OFTEN_TRIED = frozenset({"+8613800138000"})
"""A service line that people type to try a form. Trying must show in the list, so it weighs too little alone."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What came with a form beside its words: a filled trap, what its stamp says."""

    trapped: bool = False
    stamp: Says = "nothing"


def judge(submission: Submission, signs: Signs) -> Verdict:
    """What one enquiry says against itself."""
    return Verdict(tuple(_reasons(submission, signs)))


def same_words(details: str) -> str | None:
    """What two texts are compared by: their letters only, so that another number or comma makes no other text.

    None for a text too short to be compared."""
    letters = "".join(sign for sign in unicodedata.normalize("NFKC", details).lower() if sign.isalpha())
    return letters if len(letters) >= _COMPARED_FROM else None


def _reasons(submission: Submission, signs: Signs) -> Iterator[Reason]:
    if signs.trapped:
        yield "trap"
    if signs.stamp == "forged":
        yield "forged_stamp"
    elif signs.stamp == "too_quick":
        yield "too_quick"
    yield from _about_links(submission)
    yield from _about_language(submission)
    yield from _about_phone(submission.phone)


def _about_links(submission: Submission) -> Iterator[Reason]:
    text = "\n".join((submission.details, *submission.extra.values()))
    links = {link.lower() for link in _LINK.findall(text)}
    if len(links) > MOST_LINKS or _LINK_MARKUP.search(text) or _LINK.search(submission.name):
        yield "links"
    elif links:
        yield "link"


def _about_language(submission: Submission) -> Iterator[Reason]:
    text = submission.name + submission.details
    if _HAN.search(text):
        return
    letters = sum(map(str.isalpha, text))
    yield "no_chinese" if letters >= FEW_LETTERS else "few_words"


def _about_phone(phone: Phone) -> Iterator[Reason]:
    number = phone.e164
    mobile = number.removeprefix("+86") if phone.kind == "mobile" else ""
    if number in _OUR_EXAMPLES or (mobile and len(set(mobile[2:])) == 1):
        yield "fake_phone"
    elif number in _OFTEN_TRIED or (mobile and (len(set(mobile[3:])) == 1 or mobile.endswith("12345678"))):
        yield "odd_phone"
