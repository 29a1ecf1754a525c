"""Line breaks in Chinese paragraphs: browsers show them as spaces, Chinese has none, so they go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

_INLINE = {"strong", "em", "a", "code", "sup", "sub", "span", "b"}
_LINE_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’—…]")

_Place = tuple[Element, str]


def join_lines(root: Element) -> None:
    """Drop each line break that stands between two Chinese characters, in place; sample text in `pre` keeps its lines."""
    for element in list(root.iter()):
        if element.tag not in _INLINE and element.tag != "pre":
            for run in _runs(element):
                _join(run)


def _runs(element: Element) -> Iterator[list[_Place]]:
    """The stretches of text of one block, as places in the tree; a block inside it ends a stretch."""
    run: list[_Place] = [(element, "text")]
    for child in element:
        if child.tag in _INLINE:
            run += _inside(child)
        else:
            yield run
            run = []
        run.append((child, "tail"))
    yield run


def _inside(element: Element) -> Iterator[_Place]:
    if element.tag == "sup":  # a citation mark: the words on both sides of it are neighbours
        return
    yield element, "text"
    for child in element:
        yield from _inside(child)
        yield child, "tail"


def _join(run: list[_Place]) -> None:
    texts = [getattr(element, part) or "" for element, part in run]
    whole = "".join(texts)
    dropped = {
        place
        for gap in _LINE_BREAK.finditer(whole)
        if _HAN.match(whole[gap.start() - 1 : gap.start()]) and _HAN.match(whole[gap.end() : gap.end() + 1])
        for place in range(*gap.span())
    }
    start = 0
    for (element, part), text in zip(run, texts, strict=True):
        kept = "".join(sign for place, sign in enumerate(text, start) if place not in dropped)
        start += len(text)
        if kept != text:
            setattr(element, part, kept)
