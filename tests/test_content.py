"""Every data file that ships is a test case: complete, of the length promised, true to itself and to the form."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

from xinheng.articles.article import FrontMatterFields
from xinheng.articles.index import compile_content
from xinheng.articles.reading import (
    CompiledArticle,
    compile_article,
    compile_page,
    read_authors,
    read_categories,
)
from xinheng.company import load_company
from xinheng.documents import read_front_matter
from xinheng.forms.loader import load_consultation
from xinheng.markup import first_sentences
from xinheng.privacy.request_form import FIELDS

AS_THE_OWNER_WROTE_THEM = {"dso-how-to-measure-and-lower", "customer-overdue-first-30-days"}
CONTENT = ROOT / "content"
ARTICLES = sorted((CONTENT / "articles").glob("*.md"))
PAGES = sorted((CONTENT / "pages").glob("*.md"))
TABLES = sorted(CONTENT.glob("*.toml"))
HAN = re.compile(r"[\u4e00-\u9fff]")

# Claims that the law on advertising forbids whoever makes them, and promises nobody can keep (rules ABS, GUA, FIN, CMP).
FORBIDDEN = {
    "an absolute term": r"国家级|最高级|最佳(?!实践|时间|时机|方法)|顶级|顶尖|极品|第一品牌|领导品牌",
    "the first of all": r"(?:行业|全国|全球|市场|全网|国内)(?:排名)?第一|NO\.?1\b|遥遥领先|独一无二|绝无仅有|仅此一家|首屈一指",
    "a promise of payment": r"(?<!能)(?<!不)(?:保证|确保|包|必)(?:回款|收回|追回|赔付|到账)|(?<!不承诺“)一定(?:能|会)?(?:收回|追回|回款)",
    "a hundred per cent": r"(?:100|１００)\s?[%％](?:回款|收回|追回|成功|赔付|安全)|百分之?百(?:回款|收回|追回|成功|安全)|零(?:坏账|风险|损失)",
    "the end of all risk": r"(?<!不能)(?<!无法)(?<!难以)(?:完全|彻底|全面)(?:消除|规避|杜绝)",
    "an investment's promise": r"保本|保息|保收益|稳赚|零风险|秒到账|秒批",
    "a comparison": r"比同行|优于其他|碾压|吊打|其他(?:公司|机构).{0,10}(?:不如|做不到)",
    "an authority's name": r"(?:监管|央行|银保监).{0,4}(?:认可|推荐|指定)|国家机关推荐|专家推荐",
    "a term of the trade that is wrong": r"帐|呆坏帐|周转率（DSO）",
    "text that a filter has mangled": r"首先道防线|LJ(?=[\u4e00-\u9fff])|orphan |�",
    "what a page needs no more": r"TODO|FIXME|待补|lorem",
}


@pytest.fixture(scope="module")
def compiled() -> dict[str, CompiledArticle]:
    categories, authors = read_categories(CONTENT), read_authors(CONTENT)
    found = (compile_article(file, categories, authors) for file in ARTICLES)
    return {item.article.slug: item for item in found if item}


def ids(file: Path) -> str:
    return file.stem


every_article = pytest.mark.parametrize("file", ARTICLES, ids=ids)
every_text = pytest.mark.parametrize(
    "file", [*ARTICLES, *PAGES, *TABLES, *sorted((ROOT / "forms").glob("*.toml"))], ids=ids
)


def test_there_are_files() -> None:
    assert len(ARTICLES) >= 8
    assert {file.stem for file in PAGES} >= {"about", "privacy", "ai-statement"}
    assert {file.name for file in TABLES} == {
        "site.toml",
        "categories.toml",
        "authors.toml",
        "processors.toml",
        "working_days.toml",
    }


def test_the_eight_first_articles_are_there() -> None:
    wanted = {
        "dso-how-to-measure-and-lower",
        "customer-overdue-first-30-days",
        "ageing-report",
        "overdue-collection-ladder",
        "repayment-plan",
        "shipping-hold",
        "customer-concentration-stress-test",
        "customer-review-abc",
    }
    assert wanted <= {file.stem for file in ARTICLES}


def test_all_of_it_compiles_together() -> None:
    found = compile_content(CONTENT)
    assert len(found.articles) == len(ARTICLES)
    assert len(found.pages) == len(PAGES)


# --- articles ---


@every_article
def test_an_article_is_complete(file: Path, compiled: dict[str, CompiledArticle]) -> None:
    article = compiled[file.stem].article
    assert len(article.title) <= 30
    if article.slug not in AS_THE_OWNER_WROTE_THEM:
        assert 3 <= len(article.key_points) <= 5
    assert len(article.questions) == 4
    assert article.headings[-1].text == "常见问题"
    assert len(article.headings) >= 4
    assert 1500 <= article.characters <= 2600
    assert 3 <= len(article.tags) <= 8
    assert article.sources
    assert read_front_matter(file).data["summary"], "an excerpt of its own"


@every_article
def test_an_excerpt_ends_at_a_sentence(file: Path, compiled: dict[str, CompiledArticle]) -> None:
    summary = compiled[file.stem].article.summary
    assert first_sentences(summary) == summary
    assert summary.endswith(("。", "？", "！"))


@every_article
def test_the_ai_label_tells_the_truth(file: Path, compiled: dict[str, CompiledArticle]) -> None:
    """Nobody has reviewed what ships, and no article may say that somebody has."""
    article = compiled[file.stem].article
    assert article.ai == "generated"
    assert (article.reviewed_by, article.reviewed_at) == ("", None)


@every_article
def test_an_article_has_a_table_links_to_others_and_a_list(
    file: Path, compiled: dict[str, CompiledArticle]
) -> None:
    item = compiled[file.stem]
    assert "<table>" in item.html
    assert re.search(r"<[uo]l", item.html)
    others = {slug for slug, _ in item.links} - {file.stem}
    assert len(others) >= 2
    assert others <= set(compiled)
    assert file.stem not in {slug for slug, _ in item.links}


@every_article
def test_a_question_ends_with_its_mark_and_has_a_full_answer(
    file: Path, compiled: dict[str, CompiledArticle]
) -> None:
    for question in compiled[file.stem].article.questions:
        assert question.question.endswith("？")
        assert len(HAN.findall(question.answer)) >= 40
        assert question.answer.endswith(("。", "！", "”", "）"))


@every_article
def test_a_table_has_as_many_cells_in_each_row(file: Path) -> None:
    rows: list[int] = []
    for line in [*read_front_matter(file).body.split("\n"), ""]:
        if line.startswith("|"):
            rows.append(line.count("|"))
        else:
            assert len(set(rows)) <= 1, line
            rows = []


def test_every_article_is_led_to_from_another(compiled: dict[str, CompiledArticle]) -> None:
    linked = {slug for item in compiled.values() for slug, _ in item.links if slug != item.article.slug}
    assert set(compiled) - linked == set()


def test_no_two_articles_share_a_title_a_summary_or_a_question(compiled: dict[str, CompiledArticle]) -> None:
    articles = [item.article for item in compiled.values()]
    for values in (
        [article.title for article in articles],
        [article.summary for article in articles],
        [question.question for article in articles for question in article.questions],
    ):
        assert len(values) == len(set(values)), sorted({each for each in values if values.count(each) > 1})


def test_every_category_and_every_author_is_used(compiled: dict[str, CompiledArticle]) -> None:
    articles = [item.article for item in compiled.values()]
    assert {article.category for article in articles} == set(read_categories(CONTENT))
    assert {article.author for article in articles} == set(read_authors(CONTENT))


# --- words ---


@every_text
def test_no_text_claims_what_it_may_not(file: Path) -> None:
    found = [
        f"{file.name}:{number}: {match.group()} ({kind})"
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1)
        for kind, pattern in FORBIDDEN.items()
        for match in re.finditer(pattern, line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("an absolute term", "顶级团队"),
        ("the first of all", "行业第一"),
        ("a promise of payment", "保证收回"),
        ("a promise of payment", "一定能收回"),
        ("a hundred per cent", "100%回款"),
        ("a hundred per cent", "零坏账"),
        ("the end of all risk", "彻底消除坏账风险"),
        ("a comparison", "其他公司做不到"),
    ],
)
def test_a_claim_would_be_found(kind: str, claim: str) -> None:
    assert re.search(FORBIDDEN[kind], claim)


@every_text
def test_marks_are_chinese_between_chinese_characters(file: Path) -> None:
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        found = re.search(r"[\u4e00-\u9fff][,;!?][\u4e00-\u9fff]", line)
        assert found is None, f"{file.name}:{number}: {found and found.group()}"


@every_text
def test_a_file_is_plain_utf_8(file: Path) -> None:
    held = file.read_bytes()
    assert not held.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in held
    assert held.endswith(b"\n")
    assert not re.search(r"[\u200b-\u200f\u202a-\u202e\ufeff]", held.decode())


# --- pages ---


@pytest.mark.parametrize("file", PAGES, ids=ids)
def test_a_page_compiles_and_its_facts_are_known(file: Path) -> None:
    company = load_company(CONTENT)
    for name in re.findall(r"\{([a-z_]+)\}", compile_page(file).page.html):
        assert hasattr(company, name) or name == "processors", name


def privacy_rows(title: str = "表：表单里的每一项") -> list[list[str]]:
    """The rows of a table of what a form asks, in content/pages/privacy.md."""
    body = read_front_matter(CONTENT / "pages" / "privacy.md").body
    table = body.partition(title)[2].strip().partition("\n\n")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.split("\n")
        if line.startswith("|")
    ]
    assert rows[0] == ["项目", "是否必填", "用途"]
    return rows[2:]


def test_the_privacy_rules_list_exactly_what_the_form_asks() -> None:
    declaration = load_consultation(ROOT / "forms", load_company(CONTENT)).declaration
    asked = [
        [field.label, "必填" if field.required else "选填", field.privacy] for field in declaration.fields
    ]
    listed = privacy_rows()
    assert [row for row in listed if row[1] in {"必填", "选填"}] == asked
    assert [row[0] for row in listed if row[1] == "自动"] == ["您从哪里来", "这次看过的文章"]
    assert [row[0] for row in listed if row[1] == "另外勾选"] == ["这次自查的答案和结果"]


def test_the_privacy_rules_list_exactly_what_the_request_form_asks() -> None:
    asked = [[field.label, "必填" if field.required else "选填", field.privacy] for field in FIELDS]
    assert privacy_rows("表：请求页里的每一项") == asked


def test_every_form_is_listed_in_the_privacy_rules() -> None:
    """A further file of forms/ that asks visitors something needs a table there, and a test here."""
    assert {file.name for file in (ROOT / "forms").glob("*.toml")} == {
        "consultation.toml",
        "priority.toml",
        "response.toml",
        "assignment.toml",
        "call_guide.toml",
        "health_check.toml",  # asks about a company, not about a person
    }


def test_the_privacy_rules_list_exactly_what_a_browser_keeps() -> None:
    """Our scripts are the only ones, and each names what it keeps by a constant that begins with `xinheng.`."""
    scripts = [file.read_text(encoding="utf-8") for file in (ROOT / "static" / "js").glob("*.js")]
    found: dict[str, set[str]] = {}
    for text in scripts:
        names = dict(re.findall(r'const (\w+) = "([^"]+)"', text))
        for store, name in re.findall(r"(local|session)Storage\.\w+Item\((\w+)", text):
            found.setdefault(names[name], set()).add({"local": "本地存储", "session": "会话存储"}[store])
        assert not re.search(
            r"document\.cookie|indexedDB|caches\.|Storage\[|Storage\.(?!getItem|setItem|removeItem)", text
        )
    body = read_front_matter(CONTENT / "pages" / "privacy.md").body
    table = body.partition("| 名称 | 存在哪里 |")[2].partition("\n\n")[0]
    listed = re.findall(r"(?m)^\| (xinheng\.\w+) \| (\S+) \|", table)
    assert {name: {place} for name, place in listed} == found
    assert re.findall(r"(?m)^\| (.+?) \| Cookie \|", table) == ["check 或 __Secure-check"]
    assert "Cookie 只有自查的这一个；看文章、提交咨询都没有。" in body


def test_the_privacy_rules_hold_what_the_law_asks_for() -> None:
    body = read_front_matter(CONTENT / "pages" / "privacy.md").body
    for needed in (
        "{legal_name}",
        "{address}",
        "{hotline}",
        "{email}",
        "{retention_days}",
        "查阅",
        "复制",
        "更正",
        "补充",
        "转移",
        "删除",
        "限制处理",
        "撤回同意",
        "投诉",
        "14周岁",
        "境外",
        "自2026年11月22日起适用",
    ):
        assert needed in body, needed


def test_the_notice_of_the_form_names_what_the_form_collects() -> None:
    form = load_consultation(ROOT / "forms", load_company(CONTENT))
    for named in (
        "需求",
        "姓名",
        "电话",
        "说明",
        "方便接电话的时间",
        "从哪里来",
        "看过哪些文章",
        "/privacy",
        "撤回同意",
    ):
        assert named in form.notice, named


# --- the READMEs ---


def models_keys() -> set[str]:
    keys: set[str] = set(FrontMatterFields.model_fields)
    data: dict[str, Any] = tomllib.loads((CONTENT / "site.toml").read_text(encoding="utf-8"))
    return keys | set(data)


@pytest.mark.parametrize("key", sorted(models_keys()))
def test_every_key_of_the_content_is_explained(key: str) -> None:
    assert f"`{key}`" in (CONTENT / "README.md").read_text(encoding="utf-8")
