"""What visitors answer, checked against the definition: a key of an option, or an exact amount."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from xinheng.health_check.definition import HealthCheck

Answer = str | float
Answers = Mapping[str, Answer]
"""Question id → option key; or the key of an exact amount (`credit_sales_wan`) → 万元."""

LEAST_WAN: Final = 0.0001
MOST_WAN: Final = 100_000_000.0
"""The amounts that are believed, in 万元, from one yuan: a slip of the finger must not become a figure."""
_AMOUNT: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?")


class BadAnswer(ValueError):
    """An answer that the definition doesn't allow. `allowed` has the option keys, or words for an amount."""

    def __init__(self, question: str, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.question = question
        self.allowed = tuple(allowed)


class NoSuchQuestion(BadAnswer):
    """The key names no question; `allowed` has the keys that do."""


class NotOffered(BadAnswer):
    """The question doesn't have this option, or the amount is none."""


def checked_answer(check: HealthCheck, question: str, given: object) -> Answer:
    """The answer as it is kept. `question` may be the key of an exact amount. Raises NoSuchQuestion, NotOffered."""
    if question in check.number_keys:
        return _amount(question, given)
    if question not in check.asked:
        keys = [*check.asked, *check.number_keys]
        raise NoSuchQuestion(question, f"没有题目 {question}，应为 {'、'.join(keys)}", keys)
    allowed = check.offered[question]
    if not isinstance(given, str) or given not in allowed:
        raise NotOffered(question, f"{question}：没有选项 {given!r}，应为 {'、'.join(allowed)}", [*allowed])
    return given


def known_answers(check: HealthCheck, given: Mapping[str, object]) -> Answers:
    """Those of the answers that the definition allows; the others count as not given."""
    known: dict[str, Answer] = {}
    for question, answer in given.items():
        try:
            known[question] = checked_answer(check, question, answer)
        except BadAnswer:
            continue
    return known


def _amount(question: str, given: object) -> float:
    """万元; typed figures may have full-width digits and thousands' commas."""
    allowed = [f"{LEAST_WAN:.4f} 到 {MOST_WAN:.0f} 的数字（万元）"]
    wrong = NotOffered(question, f"{question}：{given!r} 不行，应为 {allowed[0]}", allowed)
    if isinstance(given, str):
        text = unicodedata.normalize("NFKC", given).strip()
        if not _AMOUNT.fullmatch(text):
            raise wrong
        given = float(text.replace(",", ""))
    if isinstance(given, bool) or not isinstance(given, int | float) or not LEAST_WAN <= given <= MOST_WAN:
        raise wrong
    return float(given)
