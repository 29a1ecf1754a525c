"""The tree of a rendered text, put in order: anchors, table boxes, callouts, questions that open, outside links."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from xinheng.markup_lines import join_lines

FAQ_TITLE = "常见问题"
_SUM_ROWS = ("合计", "总计", "小计")
_BLOCKS = {
    *("p", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "div", "aside"),
    *(
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "td",
        "th",
        "figure",
        "figcaption",
        "details",
        "summary",
        "br",
    ),
}
_SCHEMES = {"http", "https", "mailto", "tel"}


@dataclass(frozen=True, slots=True)
class Heading:
    """A second-level heading and its anchor."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the FAQ section and its answer as plain text."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Arranged:
    """What stands in a text; `cited` has source ids in order of their first citation."""

    headings: tuple[Heading, ...] = ()
    questions: tuple[Question, ...] = ()
    cited: tuple[str, ...] = ()


def arrange(root: Element, readable: Callable[[str], str] = str) -> Arranged:
    """Change the tree in place; return its headings, questions and citations. `readable` cleans extracted text."""
    cited = _number_citations(root)
    join_lines(root)
    _box_tables(root)
    _name_callouts(root)
    _settle_links(root)
    headings = _anchor_headings(root, readable)
    return Arranged(headings, _fold_questions(root, readable), cited)


def plain_text(element: Element) -> str:
    """All text that a reader reads, citation marks left out, blocks apart by line feeds."""
    return re.sub(r"\s*\n\s*", "\n", "".join(_pieces(element))).strip()


def _pieces(element: Element) -> Iterator[str]:
    if element.tag == "sup":
        return
    if element.text:
        yield element.text
    for child in element:
        if child.tag in _BLOCKS:
            yield "\n"
        yield from _pieces(child)
        if child.tag in _BLOCKS:
            yield "\n"
        if child.tail:
            yield child.tail


def _number_citations(root: Element) -> tuple[str, ...]:
    """Fill each citation mark with a link; a source keeps the number of its first citation."""
    numbers: dict[str, int] = {}
    for mark in root.iter("sup"):
        source = mark.attrib.pop("data-source", "")
        if not source:
            continue
        first = source not in numbers
        number = numbers.setdefault(source, len(numbers) + 1)
        link = SubElement(mark, "a", {"href": f"#source-{number}", "aria-label": f"资料来源{number}"})
        link.text = f"[{number}]"
        if first:
            link.set("id", f"cite-{number}")
    return tuple(numbers)


def _anchor_headings(root: Element, readable: Callable[[str], str]) -> tuple[Heading, ...]:
    headings = []
    for number, heading in enumerate(root.findall("h2"), start=1):
        text = readable(plain_text(heading))
        anchor = "faq" if text == FAQ_TITLE else f"s{number}"
        heading.set("id", anchor)
        headings.append(Heading(anchor, text))
    return tuple(headings)


def _box_tables(root: Element) -> None:
    number = 0
    for parent in list(root.iter()):
        for place, table in enumerate(list(parent)):
            if table.tag != "table":
                continue
            number += 1
            place = list(parent).index(table)
            caption = _caption(parent, place)
            box = Element("div", {"class": "table-box", "role": "region", "tabindex": "0"})
            if caption is None:
                box.set("aria-label", f"表{number}")
            else:
                box.set("aria-labelledby", f"table-{number}")
                caption.set("id", f"table-{number}")
                table.insert(0, caption)
                parent.remove(list(parent)[place - 1])
                place -= 1
            box.tail, table.tail = table.tail, None
            parent.remove(table)
            box.append(table)
            parent.insert(place, box)
            _settle_cells(table)


def _caption(parent: Element, place: int) -> Element | None:
    """The paragraph `表：…` directly above the table, as its caption."""
    above = parent[place - 1] if place else None
    if above is None or above.tag != "p" or not (above.text or "").startswith("表："):
        return None
    caption = Element("caption")
    caption.text = (above.text or "").removeprefix("表：")
    caption.extend(list(above))
    return caption


def _settle_cells(table: Element) -> None:
    """Numbers to the right by class (a style attribute breaks the CSP); the first column heads its rows."""
    for cell in table.iter():
        if cell.tag in {"th", "td"}:
            style, align = cell.attrib.pop("style", ""), cell.attrib.pop("align", "")
            if "right" in style + align:
                cell.set("class", "number")
            if cell.tag == "th":
                cell.set("scope", "col")
    for row in table.findall("tbody/tr"):
        first = row[0] if len(row) else None
        if first is not None and plain_text(first):
            first.tag = "th"
            first.set("scope", "row")
            if plain_text(first) in _SUM_ROWS:
                row.set("class", "sum")


def _name_callouts(root: Element) -> None:
    """Admonitions become callouts, and `aside` a note in the margin."""
    for block in root.iter("div"):
        kinds = block.get("class", "").split()
        if "admonition" not in kinds:
            continue
        margin = "aside" in kinds
        block.set("class", "aside" if margin else "callout")
        block.tag = "aside" if margin else "div"
        title = next((child for child in block if child.get("class") == "admonition-title"), None)
        if title is not None:
            title.set("class", "callout__title")


def _settle_links(root: Element) -> None:
    """Links outside say so to search engines; a scheme that could run something loses its link."""
    for link in root.iter("a"):
        target = re.sub(r"[\x00-\x20]", "", link.get("href", ""))
        scheme = re.match(r"([^/?#]*?):", target)
        if scheme and scheme.group(1).lower() not in _SCHEMES and not target.startswith("\x02"):
            link.attrib.pop("href")
        elif target.startswith(("http:", "https:")):
            link.set("rel", "noopener nofollow")


def _fold_questions(root: Element, readable: Callable[[str], str]) -> tuple[Question, ...]:
    """Wrap each question after the heading 常见问题 in details; the section ends at the next second-level heading."""
    children = list(root)
    start = next((place for place, child in enumerate(children) if child.get("id") == "faq"), None)
    if start is None:
        return ()
    section = list(itertools.takewhile(lambda child: child.tag != "h2", children[start + 1 :]))
    asked = list(itertools.dropwhile(lambda child: child.tag != "h3", section))
    if not asked:
        return ()
    faq, questions = Element("div", {"class": "faq"}), []
    for child in asked:
        root.remove(child)
        if child.tag == "h3":
            summary, answer = _question(faq, child)
            questions.append((summary, answer))
        else:
            answer.append(child)
    root.insert(list(root).index(children[start]) + 1 + len(section) - len(asked), faq)
    return tuple(Question(readable(plain_text(q)), readable(plain_text(a))) for q, a in questions)


def _question(faq: Element, heading: Element) -> tuple[Element, Element]:
    """A question that opens; the first one is open."""
    details = SubElement(faq, "details")
    if len(faq) == 1:
        details.set("open", "open")
    summary = SubElement(details, "summary")
    summary.text, summary[:] = heading.text, list(heading)
    return summary, SubElement(details, "div")
