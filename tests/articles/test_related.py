"""Related articles: the same subject, never itself, the same answer on every machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xinheng.articles import related
from xinheng.articles.related import RelatedDocument, article_words, nearest_articles, related_articles

SUBJECTS = {
    "collection": [
        "客户逾期以后，催收的第一步是打电话确认到期日，第二步发催款函，第三步请律师函跟进。",
        "催收话术要分阶段：逾期三十天以内重在提醒，逾期九十天以上要谈违约金和律师函。",
        "催款函写什么？写明欠款金额、到期日、逾期天数和违约金，留好送达证据，便于催收。",
    ],
    "factoring": [
        "保理是把应收账款转让给银行换取融资，有追索权的保理由卖方承担买方不付款的风险。",
        "反向保理由核心企业发起，供应商凭确权的应收账款向银行融资，融资成本较低。",
        "企业做保理融资前要比较银行费率，看清追索权条款，还要通知买方应收账款已经转让。",
    ],
    "metrics": [
        "应收账款周转天数等于平均余额除以收入再乘天数，周转天数越短，现金流越好。",
        "看现金流要同时看周转天数和账龄结构，平均余额被大客户拉高时周转率会失真。",
        "账龄分析表按余额分段，配合周转率和周转天数，可以看出现金流在哪里变慢。",
    ],
}
DOCUMENTS = [
    RelatedDocument(slug=f"{subject}-{number}", title="", text=text, section=subject)
    for subject, texts in SUBJECTS.items()
    for number, text in enumerate(texts)
]


def blank(slug: str, section: str = "") -> RelatedDocument:
    return RelatedDocument(slug=slug, title="", text="", section=section)


def test_the_same_subject_comes_first() -> None:
    unlabelled = [RelatedDocument(one.slug, one.title, one.text) for one in DOCUMENTS]
    found = related_articles(unlabelled)
    first_two = {one.slug: {other.rsplit("-", 1)[0] for other in found[one.slug][:2]} for one in unlabelled}
    assert first_two == {one.slug: {one.section} for one in DOCUMENTS}


def test_an_article_is_never_related_to_itself() -> None:
    found = related_articles([*DOCUMENTS, blank("empty")])
    assert [slug for slug, others in found.items() if slug in others] == []


def test_no_article_is_named_twice() -> None:
    assert all(len(set(others)) == len(others) for others in related_articles(DOCUMENTS).values())


def test_only_articles_that_were_passed_in_are_named() -> None:
    published = DOCUMENTS[:-1]
    found = related_articles(published)
    slugs = {one.slug for one in published}
    assert set(found) == slugs
    assert set().union(*found.values()) <= slugs


@pytest.mark.parametrize(("articles", "places"), [(0, 0), (1, 0), (2, 1), (6, 5), (7, 6), (9, 6)])
def test_there_are_six_unless_fewer_exist(articles: int, places: int) -> None:
    found = related_articles(DOCUMENTS[:articles])
    assert [len(others) for others in found.values()] == [places] * articles


def test_the_number_of_places_can_be_chosen() -> None:
    assert {len(others) for others in related_articles(DOCUMENTS, limit=2).values()} == {2}


def test_the_order_of_the_articles_does_not_matter() -> None:
    expected = related_articles(DOCUMENTS)
    for cut in range(1, len(DOCUMENTS)):
        assert related_articles([*DOCUMENTS[cut:], *reversed(DOCUMENTS[:cut])]) == expected


def test_equal_scores_are_ordered_by_slug() -> None:
    twins = [RelatedDocument(slug, "", SUBJECTS["factoring"][0]) for slug in ("d", "b", "a", "c")]
    assert related_articles(twins)["b"] == ("a", "c", "d")


def test_an_article_without_words_gets_its_own_section_first() -> None:
    found = related_articles([*DOCUMENTS, blank("empty", section="metrics")])
    assert found["empty"][:4] == ("metrics-0", "metrics-1", "metrics-2", "collection-0")


def test_articles_without_any_words_do_not_crash() -> None:
    assert related_articles([blank("a"), blank("b")]) == {"a": ("b",), "b": ("a",)}


@pytest.mark.parametrize(("title", "tags"), [("催收", ()), ("", ("催收",))])
def test_the_title_and_the_tags_weigh_more_than_the_text(title: str, tags: tuple[str, ...]) -> None:
    others = [RelatedDocument("a-factoring", "", "保理"), RelatedDocument("b-collection", "", "催收")]
    plain = RelatedDocument("both", "", "保理与催收")
    marked = RelatedDocument("both", title, "保理与催收", tags)
    assert related_articles([plain, *others])["both"] == ("a-factoring", "b-collection")
    assert related_articles([marked, *others])["both"] == ("b-collection", "a-factoring")


def test_words_kept_from_before_give_the_same_answer() -> None:
    kept = [article_words(one) for one in DOCUMENTS]
    assert nearest_articles(kept) == nearest_articles(kept) == related_articles(DOCUMENTS)


def test_a_word_in_too_few_articles_of_a_large_library_takes_no_room() -> None:
    others = [
        RelatedDocument(f"other-{number:03}", "", SUBJECTS["metrics"][number % 3]) for number in range(400)
    ]
    shared = SUBJECTS["factoring"][0]
    pair = [RelatedDocument(f"pair-{number}", "", f"青蛙王子 {shared}") for number in range(2)]
    factoring = [RelatedDocument(f"same-{number}", "", shared) for number in range(6)]
    found = related_articles([*others, *pair, *factoring])
    assert found["same-5"] == ("pair-0", "pair-1", "same-0", "same-1", "same-2", "same-3")


def test_the_answer_is_the_same_in_every_process() -> None:
    script = (
        "from xinheng.articles.related import RelatedDocument, related_articles\n"
        f"documents = {[(one.slug, one.title, one.text) for one in DOCUMENTS]!r}\n"
        "print(related_articles([RelatedDocument(*one) for one in documents]))"
    )
    site = Path(related.__file__).parents[2]
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(site), "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(printed) == 1
