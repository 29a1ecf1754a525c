"""Markdown to safe HTML for articles and pages. The only place that makes Markup.

Beyond Python-Markdown's tables and admonitions: `[^id]` cites a source of the front matter, a fenced block `formula`
draws a formula with fractions, a paragraph `表：…` above a table is its caption, and the section 常见问题 becomes
questions that open. Raw HTML is shown as text, and what comes out is cut to an allow-list.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

import nh3
from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AMP_SUBSTITUTE, ETX, HTML_PLACEHOLDER_RE, STX
from markupsafe import Markup

from xinheng.markup_structure import Arranged, Heading, Question, arrange, plain_text

CITATION = re.compile(r"\[\^([A-Za-z0-9][\w.-]*)\]")
_SENTENCE = re.compile(r"[^。！？；]*[。！？；][”’）》]*")
_TAGS = {
    *(
        "p",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "pre",
        "hr",
        "br",
        "div",
        "section",
    ),
    *("strong", "em", "a", "code", "sup", "sub", "span", "b"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("aside", "details", "summary", "figure", "figcaption"),
}
_ATTRIBUTES = {
    "*": {"id", "class"},
    "a": {"href", "rel", "aria-label", "id", "class"},
    "div": {"role", "aria-label", "aria-labelledby", "tabindex", "class", "id"},
    "th": {"scope", "class"},
    "td": {"class"},
    "details": {"open"},
    "ol": {"start", "class"},
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready to show. `cited` has the source ids in order of first citation; `text` is what a reader reads."""

    html: Markup
    headings: tuple[Heading, ...]
    questions: tuple[Question, ...]
    cited: tuple[str, ...]
    text: str


@dataclass(slots=True)
class _Found:
    arranged: Arranged
    text: str = ""


def render(markdown_text: str) -> Rendered:
    """Render one Markdown text. A converter of its own for each call: shared ones mix texts across threads."""
    found = _Found(Arranged())
    converter = Markdown(extensions=["tables", "admonition", "sane_lists", "def_list", _Article(found)])
    converted = converter.convert(markdown_text)
    safe = nh3.clean(
        converted,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
    )
    return Rendered(
        html=Markup(safe),  # noqa: S704 (cleaned by the allow-list in the line above)
        headings=found.arranged.headings,
        questions=found.arranged.questions,
        cited=found.arranged.cited,
        text=found.text,
    )


def highlighted(text: str, words: Sequence[str], pieces: Sequence[str] = ()) -> Markup:
    """The text, escaped, with every occurrence of the words in `<mark>`; lines may break between the `pieces` of it."""
    pattern = re.compile(
        "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)", re.IGNORECASE
    )
    marked = [match.span() for match in pattern.finditer(text)]
    breaks = set(itertools.accumulate(map(len, pieces))) - {len(text)}
    edges = sorted({0, len(text), *breaks, *itertools.chain.from_iterable(marked)})
    parts = []
    for start, end in itertools.pairwise(edges):
        inside = any(first <= start and end <= last for first, last in marked)
        parts.append(
            Markup("<mark>{}</mark>").format(text[start:end]) if inside else Markup.escape(text[start:end])
        )
        if end in breaks:
            parts.append(Markup("<wbr>"))
    return Markup("").join(parts)


def first_sentences(text: str, most: int = 100) -> str:
    """Whole sentences from the start of `text`, at most `most` characters; a longer first one is cut with an ellipsis."""
    flat = re.sub(r"\s+", " ", text).strip()
    taken = ""
    for sentence in _SENTENCE.findall(flat):
        if len(taken) + len(sentence) > most:
            break
        taken += sentence
    if taken or not flat:
        return taken.strip()
    return flat if len(flat) <= most else flat[: most - 1].rstrip("，、：； ") + "…"


def absolute(text: str, origin: str) -> str:
    """The HTML with site-relative links made absolute, for feeds."""
    return re.sub(r'(href|src)="/', rf'\1="{origin}/', str(text))


class _Article(Extension):
    def __init__(self, found: _Found) -> None:
        super().__init__()
        self._found = found

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.inlinePatterns.register(_Citation(CITATION.pattern), "citation", 185)
        md.parser.blockprocessors.register(_FormulaBlock(md.parser), "formula", 95)
        md.treeprocessors.register(_Arrange(md, self._found), "arrange", 5)


class _Citation(InlineProcessor):
    """`[^id]` → an empty mark that names its source; `arrange` numbers the marks in reading order."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]  # noqa: N802
        return Element("sup", {"data-source": m.group(1)}), m.start(0), m.end(0)


class _FormulaBlock(BlockProcessor):
    """A fenced block `formula`: one line of formula, then `---` and a caption if there is one."""

    _start = re.compile(r"^```formula[ \t]*\n")
    _piece = re.compile(r"\{([^{}]+?)\s+/\s+([^{}]+?)\}|([^{}]+)")

    def test(self, parent: Element, block: str) -> bool:
        return bool(self._start.match(block))

    def run(self, parent: Element, blocks: list[str]) -> bool | None:
        taken = 0
        while taken < len(blocks) and not blocks[taken].rstrip().endswith("\n```"):
            taken += 1
        if taken == len(blocks):
            return False
        whole = "\n\n".join(blocks[: taken + 1])
        del blocks[: taken + 1]
        formula, _, caption = self._start.sub("", whole).rstrip().removesuffix("```").partition("\n---")
        figure = SubElement(parent, "figure", {"class": "formula"})
        for line in filter(None, map(str.strip, formula.splitlines())):
            self._draw(figure, line)
        if caption.strip():
            SubElement(figure, "figcaption").text = caption.strip()
        return None

    def _draw(self, figure: Element, line: str) -> None:
        spoken = re.sub(r"\{([^{}]+?)\s+/\s+([^{}]+?)\}", r"（\1除以\2）", line)
        row = SubElement(figure, "div", {"class": "formula__line", "role": "math", "aria-label": spoken})
        for above, below, plain in self._piece.findall(line):
            if plain.strip():
                SubElement(row, "span").text = plain.strip()
            elif above:
                fraction = SubElement(row, "span", {"class": "formula__fraction"})
                SubElement(fraction, "span").text = above.strip()
                SubElement(fraction, "span").text = below.strip()


class _Arrange(Treeprocessor):
    """Last step on the tree, when all inline marks are elements."""

    def __init__(self, md: Markdown, found: _Found) -> None:
        super().__init__(md)
        self._found = found

    def run(self, root: Element) -> None:
        self._found.arranged = arrange(root, self._readable)
        self._found.text = self._readable(plain_text(root))

    def _readable(self, text: str) -> str:
        """The text with the converter's own marks for escaped signs and entities turned back into signs."""
        text = text.replace(AMP_SUBSTITUTE, "&")
        text = re.sub(f"{STX}(\\d+){ETX}", lambda found: chr(int(found.group(1))), text)
        return html.unescape(HTML_PLACEHOLDER_RE.sub(self._stashed, text))

    def _stashed(self, found: re.Match[str]) -> str:
        number = int(found.group(1))
        blocks = self.md.htmlStash.rawHtmlBlocks
        return str(blocks[number]) if number < len(blocks) else ""


def citations(body: str) -> Mapping[str, int]:
    """The source ids that a Markdown body cites, with the line (from 0) of the first citation of each."""
    lines: dict[str, int] = {}
    for match in CITATION.finditer(body):
        lines.setdefault(match.group(1), body[: match.start()].count("\n"))
    return lines


_DRAWING = re.compile(
    r"<svg(?: (?:viewBox|class|width|height)=\"[^\"<>&]*\")*>"
    r"(?:<path(?: (?:fill|stroke|d|transform|class)=\"[^\"<>&]*\")*/>)*</svg>"
)


def in_languages(pieces: Sequence[tuple[str, str]]) -> Markup:
    """Texts one after the other, each with the `lang` it needs, or with none."""
    return Markup("").join(
        Markup('<bdi lang="{}">{}</bdi>').format(language, text) if language else text
        for text, language in pieces
    )


def svg_markup(drawing: str) -> Markup:
    """A drawing of plain paths, made by our own code, for a page. Raises ValueError for anything else."""
    if not _DRAWING.fullmatch(drawing.strip()):
        raise ValueError("not a drawing of plain paths")
    return Markup(drawing.strip())  # noqa: S704 (nothing but paths, as just checked)
