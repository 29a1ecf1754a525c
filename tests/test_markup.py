"""Markdown becomes HTML that is safe whatever an editor pastes, and reads like a printed page."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest
from markupsafe import Markup

from xinheng.markup import absolute, citations, first_sentences, highlighted, render
from xinheng.markup_structure import plain_text

XSS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x0bsrc=x>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=`javascript:alert(1)`>",
    '<img src="x" onerror="alert(1)"/>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text x="20" y="20">x</text></a></svg>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=//evil.example/x.swf>",
    "<body onload=alert(1)>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<div style=background:url(javascript:alert(1))>x</div>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<style>@import '//evil.example/x.css';</style>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "</div></main><script>alert(1)</script>",
    "<x onclick=alert(1)>x</x>",
    "<p onclick\n=\nalert(1)>x</p>",
    "<b\tonmouseover=alert(1)>x</b>",
    "<<script>alert(1);//<</script>",
    "\\<script>alert(1)\\</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://evil.example/1)",
    '[x](https://a.example" onmouseover="alert(1))',
    "[x](https://a.example 'title\" onmouseover=\"alert(1)')",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "[x][1]\n\n[1]: https://a.example '\"><script>alert(1)</script>'",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](x)',
    "![x](x 'a\" onerror=\"alert(1)')",
    "<javascript:alert(1)>",
    "<https://a.example/\"onmouseover=\"alert(1)>",
    "**<script>alert(1)</script>**",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "## <img src=x onerror=alert(1)>",
    "# x {onclick=alert(1)}",
    "| <script>alert(1)</script> | b |\n| --- | --- |\n| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |",
    "表：<script>alert(1)</script>\n\n| a |\n| --- |\n| b |",
    "!!! note\" onclick=\"alert(1)\n    x",
    '!!! warning "<img src=x onerror=alert(1)>"\n    <script>alert(1)</script>',
    '!!! onclick=alert(1) "x"\n    x',
    "```formula\n{<script>alert(1)</script> / <img src=x onerror=alert(1)>}\n---\n<svg onload=alert(1)>\n```",
    '```formula\nx" onclick="alert(1)\n```',
    "## 常见问题\n\n### <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>",
    "词\n:   <script>alert(1)</script>",
    "> <script>alert(1)</script>\n> [x](javascript:alert(1))",
    "- <script>alert(1)</script>\n1. <svg onload=alert(1)>",
    "[^a\" onclick=\"alert(1)]",
    "\x02wzxhzdk:0\x03<script>alert(1)</script>",
    "\x02klzzwxh:0000\x03 [x](javascript:alert(1))",
    "<sup data-source='x\" onclick=\"alert(1)'>x</sup>",
    "{{ 7*7 }}{% raw %}<script>alert(1)</script>",
]  # fmt: skip

HARMLESS = {
    "html", "head", "body", "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre",
    "hr", "br", "div", "section", "strong", "em", "a", "code", "sup", "sub", "span", "b", "table", "caption", "thead", "tbody",
    "tr", "th", "td", "aside", "details", "summary", "figure", "figcaption",
}  # fmt: skip
ATTRIBUTES = {
    "href",
    "rel",
    "id",
    "class",
    "role",
    "tabindex",
    "scope",
    "open",
    "start",
    "aria-label",
    "aria-labelledby",
}


def tree(markdown: str) -> Any:
    return html5lib.parse(str(render(markdown).html), namespaceHTMLElements=False)


def found(markdown: str, tag: str) -> list[Any]:
    return list(tree(markdown).iter(tag))


def scheme(target: str) -> str:
    """The scheme as a browser reads it: control signs and spaces around it, tabs and line ends within it are dropped."""
    return urlsplit(re.sub(r"^[\x00-\x20]+|[\t\r\n]", "", target)).scheme.lower()


def words(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


# --- safety ---


@pytest.mark.parametrize("markdown", XSS)
def test_nothing_that_runs_comes_out(markdown: str) -> None:
    for element in tree(markdown).iter():
        assert isinstance(element.tag, str), "no comment comes out"
        assert element.tag in HARMLESS
        assert set(element.attrib) <= ATTRIBUTES
        if target := element.get("href"):
            assert scheme(target) in {"", "http", "https", "mailto", "tel"}


def test_there_are_at_least_sixty_attempts() -> None:
    assert len(set(XSS)) >= 60


@pytest.mark.parametrize(
    "markdown", ["<b>坏账</b>", "<br>", "</p>", "a < b 且 c > d", "<!-- 待补 -->", "&copy;"]
)
def test_raw_html_is_shown_as_it_was_typed(markdown: str) -> None:
    rendered = render(markdown)
    assert words(html5lib.parseFragment(str(rendered.html), namespaceHTMLElements=False)) in (markdown, "©")
    assert found(markdown, "b") == []


@pytest.mark.parametrize(
    "target",
    [
        "https://a.example/x",
        "http://a.example",
        "/articles/ageing",
        "#s1",
        "mailto:a@b.example",
        "tel:4000000000",
    ],
)
def test_ordinary_links_come_out(target: str) -> None:
    (link,) = found(f"[见此]({target})", "a")
    assert link.get("href") == target
    assert words(link) == "见此"


def test_links_to_other_sites_say_so_and_our_own_do_not() -> None:
    assert found("[x](https://a.example)", "a")[0].get("rel") == "noopener nofollow"
    assert found("[x](/articles/ageing)", "a")[0].get("rel") is None


# --- lines ---


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("先对账，\n再谈时间。", "先对账，再谈时间。"),
        ("先对账\n再谈时间。", "先对账再谈时间。"),
        ("“坏账”\n“呆账”", "“坏账”“呆账”"),
        ("**先对账**\n再谈时间。", "先对账再谈时间。"),
        ("先对账，\n**再谈时间**。", "先对账，再谈时间。"),
        ("先对账[^a]\n再谈时间。", "先对账[1]再谈时间。"),
        ("见[账龄表](/articles/ageing)\n再谈时间。", "见账龄表再谈时间。"),
        ("- 先对账，\n  再谈时间。", "先对账，再谈时间。"),
        ("> 先对账，\n> 再谈时间。", "先对账，再谈时间。"),
        ("look\nhere", "look here"),
        ("用 DSO\n看回款", "用 DSO 看回款"),
        ("共\n3户", "共 3户"),
    ],
)
def test_a_line_break_between_chinese_characters_vanishes(markdown: str, text: str) -> None:
    rendered = render(markdown)
    assert words(html5lib.parseFragment(str(rendered.html), namespaceHTMLElements=False)) == text
    assert rendered.text.replace("\n", " ") == text.replace("[1]", "")


def test_lines_of_a_sample_letter_stay_lines() -> None:
    (sample,) = found("样张：\n\n    致甲公司：\n    请于五日内付款。\n    乙公司", "pre")
    assert "".join(sample.itertext()).strip().splitlines() == ["致甲公司：", "请于五日内付款。", "乙公司"]


def test_a_hard_break_stays_a_break() -> None:
    assert len(found("第一行  \n第二行", "br")) == 1


# --- text ---


def test_the_text_is_what_a_reader_reads() -> None:
    markdown = "先**对账**[^a]，见[账龄表](/x)。\n\n## 分档\n\n- 一\n- 二\n\n| 档 | 额 |\n| --- | ---: |\n| 未到期 | 5 |\n\n> 引文。"
    assert render(markdown).text.splitlines() == [
        "先对账，见账龄表。",
        "分档",
        "一",
        "二",
        "档",
        "额",
        "未到期",
        "5",
        "引文。",
    ]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        (r"5\*3 与 a\_b", "5*3 与 a_b"),
        ("写信到<a@b.example>。", "写信到a@b.example。"),
        ("A&B、1 &lt; 2、&copy;", None),
        ("`a*b`", "a*b"),
    ],
)
def test_no_mark_of_the_converter_stays_in_the_text(markdown: str, text: str | None) -> None:
    rendered = render(markdown)
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", rendered.text + rendered.html)
    assert "klzzwxh" not in rendered.text
    if text is not None:
        assert rendered.text == text


def test_terms_and_their_meaning_are_apart_in_the_text() -> None:
    assert render("账龄\n:   从到期日起算的天数。").text.splitlines() == ["账龄", "从到期日起算的天数。"]


@pytest.mark.parametrize("markdown", ["", "\n\n", "   ", "\t"])
def test_nothing_becomes_nothing(markdown: str) -> None:
    rendered = render(markdown)
    assert (rendered.html, rendered.text, rendered.headings, rendered.cited) == (Markup(""), "", (), ())


def test_texts_rendered_at_once_do_not_mix() -> None:
    expected = {
        number: str(render(f"## 题{number}\n\n文{number}[^s{number}]\n\n* 项{number}").html)
        for number in range(24)
    }
    mixed: list[int] = []

    def check(number: int) -> None:
        text = f"## 题{number}\n\n文{number}[^s{number}]\n\n* 项{number}"
        mixed.extend(number for _ in range(5) if str(render(text).html) != expected[number])

    threads = [threading.Thread(target=check, args=(number,)) for number in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []


# --- formulas ---


def test_a_formula_is_drawn_with_its_fractions_and_said_for_those_who_listen() -> None:
    markdown = "```formula\n周转天数 ＝ {应收余额 / 赊销额} × 天数\n---\n余额取期末。\n```"
    (figure,) = found(markdown, "figure")
    (line,) = [each for each in figure.iter("div") if each.get("role") == "math"]
    assert line.get("aria-label") == "周转天数 ＝ （应收余额除以赊销额） × 天数"
    (fraction,) = [each for each in line if "formula__fraction" in (each.get("class") or "")]
    assert [words(part) for part in fraction] == ["应收余额", "赊销额"]
    assert [words(each) for each in figure.iter("figcaption")] == ["余额取期末。"]
    assert "周转天数" in render(markdown).text


def test_a_formula_may_have_lines_and_no_caption() -> None:
    (figure,) = found("```formula\na ＝ b\n\nc ＝ {d / e}\n```\n\n后文。", "figure")
    assert len([each for each in figure if each.tag == "div"]) == 2
    assert list(figure.iter("figcaption")) == []
    assert "后文。" in render("```formula\na\n```\n\n后文。").text


def test_a_formula_that_does_not_end_is_shown_as_text() -> None:
    markdown = "```formula\n{甲 / 乙}\n\n后文。"
    assert found(markdown, "figure") == []
    assert "后文。" in render(markdown).text
    assert "甲" in render(markdown).text


# --- citations ---


def test_citations_of_a_text_are_told_with_their_first_line() -> None:
    assert citations("一[^a]\n\n二[^b]三[^a]\n[^c-1.2]") == {"a": 0, "b": 2, "c-1.2": 3}
    assert citations("没有 [^ a] [a] [^] ^a") == {}


# --- sentences ---


@pytest.mark.parametrize(
    ("text", "most", "taken"),
    [
        ("", 100, ""),
        ("  \n ", 100, ""),
        ("一句。", 100, "一句。"),
        ("一句。二句。三句。", 6, "一句。二句。"),
        ("一句。二句。三句。", 7, "一句。二句。"),
        ("他说：“先对账。”然后走了。", 9, "他说：“先对账。”"),
        ("没有句号的一段话", 100, "没有句号的一段话"),
        ("没有句号的一段话", 5, "没有句号…"),
        ("很长的一句话，一直说到后面才结束。", 8, "很长的一句话…"),
        ("一句！二句？三句；四句。", 9, "一句！二句？三句；"),
        ("一\n句。\n二句。", 100, "一 句。 二句。"),
        ("3.5%的坏账。还有。", 8, "3.5%的坏账。"),
    ],
)
def test_the_first_sentences_end_at_a_sentence(text: str, most: int, taken: str) -> None:
    assert first_sentences(text, most) == taken
    assert len(first_sentences(text, most)) <= most


# --- marks and addresses ---


@pytest.mark.parametrize(
    ("text", "marked", "html"),
    [
        ("坏账怎么核销", ["坏账"], "<mark>坏账</mark>怎么核销"),
        ("坏账坏账", ["坏账"], "<mark>坏账</mark><mark>坏账</mark>"),
        ("坏账准备", ["坏账", "坏账准备"], "<mark>坏账准备</mark>"),
        ("FOB and fob", ["fob"], "<mark>FOB</mark> and <mark>fob</mark>"),
        ("a<b>&", ["b"], "a&lt;<mark>b</mark>&gt;&amp;"),
        ("a.c abc", ["a.c"], "<mark>a.c</mark> abc"),
        ("<script>", [], "&lt;script&gt;"),
        ("<script>", ["<script>"], "<mark>&lt;script&gt;</mark>"),
    ],
)
def test_words_are_marked_and_all_else_is_escaped(text: str, marked: list[str], html: str) -> None:
    assert str(highlighted(text, marked)) == html


@pytest.mark.parametrize("kind", [str, Markup])
def test_addresses_in_a_feed_are_whole(kind: type[str]) -> None:
    html = kind(
        '<p>见<a href="/articles/ageing">“表”</a>、<a href="#s1">上文</a>、<a href="https://a.example/">外</a></p>'
    )
    assert str(absolute(html, "https://x.example")) == (
        '<p>见<a href="https://x.example/articles/ageing">“表”</a>、<a href="#s1">上文</a>、'
        '<a href="https://a.example/">外</a></p>'
    )


def test_plain_text_of_an_element_without_anything_is_empty() -> None:
    assert plain_text(Element("p")) == ""
