"""Telephone numbers in what people wrote, hidden from who was not shown the lead's own number.

People spell a number in many ways: in groups, in Chinese or circled digits, with O for 0, over commas and lines. One that
is taken apart by words (138 then 0013 then 8000) is not found.
"""

from __future__ import annotations

import re
import unicodedata

from xinheng.phones import NotAPhone, parse_phone

_GAP = r"(?:[^\w，、；：！？,;:!?\n]|[_转轉]){0,12}"
_WIDE_GAP = r"(?:[^\w]|[_转轉]){0,12}"
_STRETCH = re.compile(rf"[0-9](?:{_GAP}[0-9]){{6,}}")
"""Seven digits and more, with whatever people put between them; no words and no commas."""

_LOCAL = re.compile(
    r"(?!(?:19|20)[0-9]{2}[^0-9]+(?:19|20))[2-9][0-9]{2,3}[ \-][0-9]{4}(?!\s*[元万亿年月日天家单人%])"
)
"""A landline without its area, in two groups; not two years, not a sum from one to another."""

_WIDE_STRETCH = re.compile(rf"[0-9]+(?:{_WIDE_GAP}[0-9]+)+")
_WHOLE = re.compile(r"(?:00)?(?:86)?(?:1[3-9][0-9]{9}|0[1-9][0-9]{8,10})")
"""What groups with commas or lines between them must make together, so that sums in a row stay to be read."""

_CHINESE = "〇零一二三四五六七八九两壹贰叁肆伍陆柒捌玖貳參陸幺"
_CHINESE_RUN = re.compile(rf"[{_CHINESE}](?:{_WIDE_GAP}[{_CHINESE}])+|(?<=[0-9])[{_CHINESE}](?=[0-9])")
_LETTER_O = re.compile(r"(?<=[0-9])[oO]+|[oO]+(?=[0-9])")
_MARK = re.compile(r"\*{4}(\w\w)")


def without_numbers(text: str) -> str:
    """The text with phones, and all numbers of seven digits and more, hidden but for the last two digits: somebody may
    have typed a number they want to be called at."""
    shown, end = [], 0
    for start, stop in _hidden_spans(text):
        shown += [text[end:start], _mark(text[start:stop])]
        end = stop
    return "".join(shown) + text[end:]


def with_numbers(typed: str, known: str) -> str:
    """A text that came back with the numbers of `known` hidden in it, with them in their places again; as it was typed
    where a number would stand more openly then than it did."""
    hidden = [known[start:stop] for start, stop in _hidden_spans(known)]

    def shown(mark: re.Match[str]) -> str:
        number = next((each for each in hidden if _mark(each) == mark.group()), None)
        if number is None:
            return mark.group()
        hidden.remove(number)
        return number

    whole = _MARK.sub(shown, typed)
    return whole if without_numbers(whole) == without_numbers(typed) else typed


def _mark(number: str) -> str:
    digits = [sign for sign, plain in zip(number, _in_digits(number), strict=True) if plain.isdigit()]
    return "****" + "".join(digits[-2:])


def _hidden_spans(text: str) -> list[tuple[int, int]]:
    """Where numbers stand, in order."""
    plain = _in_digits(text)
    spans = [found.span() for found in _STRETCH.finditer(plain) if _is_number(found.group())]
    for found in _WIDE_STRETCH.finditer(plain):
        spans += [
            span for span in _whole_numbers(plain, found) if not any(_touch(span, each) for each in spans)
        ]
    local = [found.span() for found in _LOCAL.finditer(plain)]
    spans += [span for span in local if not any(_touch(span, each) for each in spans)]
    return sorted(spans)


def _is_number(stretch: str) -> bool:
    if re.search(r"[0-9]{7}", stretch) or _WHOLE.fullmatch(re.sub(r"[^0-9]", "", stretch)):
        return True
    try:
        parse_phone(stretch)
    except NotAPhone:
        return False
    return True


def _whole_numbers(plain: str, stretch: re.Match[str]) -> list[tuple[int, int]]:
    """Groups of digits that stand side by side and make one number together."""
    groups = [
        (stretch.start() + each.start(), stretch.start() + each.end())
        for each in re.finditer("[0-9]+", stretch.group())
    ]
    spans, first = [], 0
    while first < len(groups):
        digits = ""
        for last in range(first, len(groups)):
            digits += plain[slice(*groups[last])]
            if len(digits) > 17:
                break
            if _WHOLE.fullmatch(digits):
                spans.append((groups[first][0], groups[last][1]))
                first = last
                break
        first += 1
    return spans


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _in_digits(text: str) -> str:
    """The text, sign for sign, with 0 to 9 for every sign that stands for a digit."""
    plain = "".join(map(_digit, text))
    plain = _CHINESE_RUN.sub(lambda run: "".join(map(_chinese_digit, run.group())), plain)
    return _LETTER_O.sub(lambda found: "0" * len(found.group()), plain)


def _digit(sign: str) -> str:
    """0 to 9 for digits of any script, circled ones and raised ones."""
    value = unicodedata.digit(sign, None)
    return sign if value is None else str(value)


def _chinese_digit(sign: str) -> str:
    if sign not in _CHINESE:
        return sign
    return "1" if sign == "幺" else str(int(unicodedata.numeric(sign)))
