"""The order of a rendered text: numbers of sources, captions, number columns, folded questions, callouts."""

from __future__ import annotations

from typing import Any

import html5lib
import pytest

from xinheng.markup import render


def tree(markdown: str) -> Any:
    return html5lib.parse(str(render(markdown).html), namespaceHTMLElements=False)


def words(element: Any) -> str:
    return "".join("".join(element.itertext()).split())


# --- citations ---


def test_sources_are_numbered_in_the_order_they_are_read() -> None:
    markdown = "一[^c]，二[^a]，三[^c]。\n\n## 题[^b]\n\n| 甲[^d] |\n| --- |\n| 乙[^a] |"
    rendered = render(markdown)
    assert rendered.cited == ("c", "a", "b", "d")
    assert [words(mark) for mark in tree(markdown).iter("sup")] == ["[1]", "[2]", "[1]", "[3]", "[4]", "[2]"]


def test_a_mark_leads_to_its_source_and_only_the_first_is_led_back_to() -> None:
    links = [mark[0] for mark in tree("一[^a]，二[^a]。").iter("sup")]
    assert [link.get("href") for link in links] == ["#source-1", "#source-1"]
    assert [link.get("id") for link in links] == ["cite-1", None]
    assert {link.get("aria-label") for link in links} == {"资料来源1"}


def test_a_citation_in_a_caption_a_list_and_an_answer_is_numbered_too() -> None:
    markdown = (
        "表：周转[^cap]\n\n| 甲 |\n| --- |\n| 乙 |\n\n- 项[^item]\n\n## 常见问题\n\n### 问？\n\n答。[^answer]"
    )
    assert render(markdown).cited == ("cap", "item", "answer")
    assert len(list(tree(markdown).iter("sup"))) == 3


def test_a_mark_in_code_is_code() -> None:
    assert render("写作`[^id]`。").cited == ()


def test_citation_marks_are_no_part_of_headings_and_questions() -> None:
    rendered = render("## 分档[^a]\n\n文。\n\n## 常见问题\n\n### 多久？[^b]\n\n每周。[^c]")
    assert [heading.text for heading in rendered.headings] == ["分档", "常见问题"]
    assert [(each.question, each.answer) for each in rendered.questions] == [("多久？", "每周。")]


# --- headings ---


def test_second_level_headings_get_anchors_and_the_questions_a_known_one() -> None:
    markdown = "## 一\n\n### 小题\n\n## 二\n\n## 常见问题\n\n### 问？\n\n答。"
    assert [(each.anchor, each.text) for each in render(markdown).headings] == [
        ("s1", "一"),
        ("s2", "二"),
        ("faq", "常见问题"),
    ]
    assert [each.get("id") for each in tree(markdown).iter("h2")] == ["s1", "s2", "faq"]


# --- tables ---

TABLE = "表：账龄（单位万元）\n\n| 档 | 户数 | 金额 |\n| --- | :---: | ---: |\n| 未到期 | 3 | 520 |\n| 合计 | 3 | 520 |\n"


def test_the_paragraph_above_a_table_is_its_caption() -> None:
    (caption,) = tree(TABLE).iter("caption")
    assert words(caption) == "账龄（单位万元）"
    (box,) = [each for each in tree(TABLE).iter("div") if each.get("class") == "table-box"]
    assert box.get("aria-labelledby") == caption.get("id")
    assert (box.get("role"), box.get("tabindex")) == ("region", "0")
    assert list(tree(TABLE).iter("p")) == []


def test_a_table_without_a_caption_still_has_a_name() -> None:
    (box,) = [each for each in tree(TABLE.split("\n\n")[1]).iter("div") if each.get("class") == "table-box"]
    assert box.get("aria-label") == "表1"


def test_an_ordinary_paragraph_above_a_table_stays_a_paragraph() -> None:
    assert [words(each) for each in tree(TABLE.replace("表：", "看表")).iter("p")] == ["看表账龄（单位万元）"]


def test_every_caption_has_an_id_of_its_own() -> None:
    captions = [each.get("id") for each in tree(f"{TABLE}\n\n{TABLE}").iter("caption")]
    assert len(set(captions)) == 2


def test_number_columns_are_marked_without_a_style() -> None:
    marked = [words(each) for each in tree(TABLE).iter() if each.get("class") == "number"]
    assert marked == ["金额", "520", "520"]
    assert not any(each.get("style") or each.get("align") for each in tree(TABLE).iter())


def test_the_first_cell_heads_its_row_and_column_heads_their_columns() -> None:
    heads = [(words(each), each.get("scope")) for each in tree(TABLE).iter("th")]
    assert heads == [("档", "col"), ("户数", "col"), ("金额", "col"), ("未到期", "row"), ("合计", "row")]


@pytest.mark.parametrize(
    ("name", "is_sum"), [("合计", True), ("总计", True), ("小计", True), ("合计数", False), ("未到期", False)]
)
def test_the_row_of_sums_is_marked(name: str, is_sum: bool) -> None:
    rows = [
        each
        for each in tree(f"| 档 | 额 |\n| --- | ---: |\n| {name} | 5 |").iter("tr")
        if each.get("class") == "sum"
    ]
    assert bool(rows) is is_sum


def test_a_row_without_a_first_cell_has_no_head() -> None:
    assert [each.get("scope") for each in tree("| a | b |\n| --- | --- |\n|  | 5 |").iter("th")] == [
        "col",
        "col",
    ]


def test_a_table_in_a_callout_and_in_an_answer_is_boxed_too() -> None:
    inside = "\n".join(f"    {line}" for line in TABLE.splitlines())
    assert (
        len(
            [
                each
                for each in tree(f'!!! note "注"\n{inside}').iter("div")
                if each.get("class") == "table-box"
            ]
        )
        == 1
    )
    markdown = f"## 常见问题\n\n### 问？\n\n{TABLE}"
    (details,) = tree(markdown).iter("details")
    assert len(list(details.iter("table"))) == 1


# --- questions ---

FAQ = "开头。\n\n## 常见问题\n\n### 多久做一次？\n\n每周。\n\n固定一天。\n\n### 从哪天算？\n\n到期日。\n\n- 不是开票日\n"


def test_questions_are_folded_and_the_first_is_open() -> None:
    details = list(tree(FAQ).iter("details"))
    assert [words(next(each.iter("summary"))) for each in details] == ["多久做一次？", "从哪天算？"]
    assert [each.get("open") is not None for each in details] == [True, False]
    assert words(details[0]) == "多久做一次？每周。固定一天。"
    assert [(each.question, each.answer) for each in render(FAQ).questions] == [
        ("多久做一次？", "每周。\n固定一天。"),
        ("从哪天算？", "到期日。\n不是开票日"),
    ]


def test_what_follows_the_questions_is_outside_of_them() -> None:
    markdown = FAQ + "\n## 最后\n\n尾声。\n"
    assert "尾声。" not in "".join(words(each) for each in tree(markdown).iter("details"))
    assert [words(each) for each in tree(markdown).iter("h2")] == ["常见问题", "最后"]
    assert words(tree(markdown)).endswith("最后尾声。")


def test_a_word_before_the_first_question_is_not_lost() -> None:
    markdown = "## 常见问题\n\n先说一句。\n\n### 问？\n\n答。"
    assert "先说一句。" in words(tree(markdown))
    assert words(tree(markdown)).index("先说一句。") < words(tree(markdown)).index("问？")


def test_a_section_of_questions_without_any_keeps_its_text() -> None:
    assert "以后补上。" in words(tree("## 常见问题\n\n以后补上。"))


def test_marks_inside_a_question_are_kept() -> None:
    (summary,) = tree("## 常见问题\n\n### 什么是**坏账**？\n\n收不回的账。").iter("summary")
    assert [words(each) for each in summary.iter("strong")] == ["坏账"]
    assert words(summary) == "什么是坏账？"


def test_third_level_headings_elsewhere_stay_headings() -> None:
    assert [words(each) for each in tree("## 一\n\n### 小题\n\n文。").iter("h3")] == ["小题"]


# --- callouts ---


def test_an_admonition_is_a_callout_with_its_title() -> None:
    (callout,) = [
        each
        for each in tree('!!! warning "留意"\n    展期不等于没逾期。').iter("div")
        if each.get("class") == "callout"
    ]
    assert [(words(each), each.get("class")) for each in callout] == [
        ("留意", "callout__title"),
        ("展期不等于没逾期。", None),
    ]


def test_an_aside_is_a_note_in_the_margin() -> None:
    (aside,) = tree('!!! aside "旁注"\n    口径不同。').iter("aside")
    assert words(aside) == "旁注口径不同。"
    assert aside.get("class") == "aside"
