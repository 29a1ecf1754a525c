"""The editor's pages: what isn't published, what is wrong, how articles are read, and an article before its time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select
from tests.conftest import CHROME, OWN_PAGE, write_article
from tests.databases import put_reads
from tests.desk.conftest import TINY, DeskClient, Known, SignedIn, Staff
from werkzeug.test import TestResponse

from xinheng.app import create_app
from xinheng.articles.reads import ReadCount, ReadMark
from xinheng.desk.sign_in_services import PASSWORD_COST
from xinheng.settings import SHANGHAI, Settings

pytestmark = pytest.mark.databases(
    "sqlite"
)  # what these pages read of a database, test_reads.py tests on both


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """A site whose content may be changed."""
    app = create_app(settings)
    app.config[PASSWORD_COST] = TINY
    yield app
    app.extensions["xinheng.reads"].stop()
    app.extensions["xinheng.databases"].dispose()


@pytest.fixture
def content(settings: Settings) -> Path:
    return settings.content


@pytest.fixture
def editor(client: DeskClient, staff: Staff, signed_in: SignedIn) -> DeskClient:
    """The editor's browser."""
    return signed_in(client, staff("editor", name="许文"))


def words(answer: TestResponse) -> str:
    """What the page says, without its markup."""
    main = answer.text.partition("<body")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def rows(answer: TestResponse, heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = re.search(rf'aria-labelledby="{heading}">(.*?)</section>', answer.text, re.DOTALL)
    body = re.search(r"<tbody>(.*?)</tbody>", part[1], re.DOTALL) if part else None
    found = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL) if body else []
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in found
    ]


def later(**span: float) -> str:
    """A time to come, as front matter has it."""
    return f"{datetime.now(SHANGHAI) + timedelta(**span):%Y-%m-%d %H:%M}"


# --- who may ---


@pytest.mark.parametrize(
    ("role", "status"),
    [("editor", 200), ("sales", 403), ("sales_lead", 403), ("privacy", 403), ("admin", 403)],
)
@pytest.mark.parametrize("path", ["/desk/content", "/desk/content/ageing"])
def test_only_editors_see_content_at_the_desk(
    client: DeskClient, staff: Staff, signed_in: SignedIn, role: str, status: int, path: str
) -> None:
    assert signed_in(client, staff(role)).get(path).status_code == status


@pytest.mark.parametrize("path", ["/desk/content", "/desk/content/ageing"])
def test_who_is_not_signed_in_is_asked_to(client: DeskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert "/desk/sign-in" in answer.location


def test_an_editor_begins_at_the_content_and_is_led_nowhere_else(editor: DeskClient) -> None:
    assert editor.get("/desk/").location == "/desk/content"
    page = editor.get("/desk/content").text
    bar = page[page.index('<nav aria-label="工作台">') : page.index("</nav>")]
    assert re.findall(r'href="([^"]+)"', bar) == ["/desk/attention", "/desk/content", "/desk/reports"]
    assert 'aria-current="page"' in bar


# --- what isn't published ---


def test_with_nothing_to_do_the_page_says_so(editor: DeskClient) -> None:
    page = words(editor.get("/desk/content"))
    assert "没有草稿，也没有定时发布的文章。" in page
    assert "文章、页面、表单和规则都没有写错的地方。" in page
    assert "有误的文件" not in page


def test_drafts_and_scheduled_articles_are_listed_with_what_the_file_says(
    editor: DeskClient, content: Path
) -> None:
    write_article(content, "draft", title="还没写完", published="")
    write_article(content, "soon", title="明天发", category="collection", published=later(days=1))
    found = rows(editor.get("/desk/content"), "unpublished")
    assert [row[0] for row in found] == ["明天发", "还没写完"]
    soon, draft = found
    assert soon[1].startswith("明天 ")
    assert draft[1] == "草稿"
    assert soon[4] == "soon.md"
    assert draft[5].startswith("改动： 今天 ")
    assert soon[2] != draft[2]
    assert draft[3] == soon[3] != "lin"


def test_a_saved_draft_is_listed_at_once_and_goes_when_it_is_deleted(
    editor: DeskClient, content: Path
) -> None:
    assert rows(editor.get("/desk/content"), "unpublished") == []
    file = write_article(content, "draft", published="")
    assert len(rows(editor.get("/desk/content"), "unpublished")) == 1
    file.unlink()
    assert rows(editor.get("/desk/content"), "unpublished") == []


# --- what is wrong ---


def test_faults_are_named_with_file_line_and_what_is_expected(editor: DeskClient, content: Path) -> None:
    write_article(content, "ageing", category="nowhere")
    write_article(content, "draft", published="", body="正文。\n\n![图](x.png)\n")
    answer = editor.get("/desk/content")
    assert "2处有误" in words(answer)
    assert "别的文章的改动也不会上线" in words(answer)
    ageing, draft = rows(answer, "faults")
    assert ageing[:2] == ["content/articles/ageing.md", "第3行"]
    assert ageing[2].startswith("category ：没有栏目 nowhere；应为 ")
    assert draft == ["content/articles/draft.md", "第13行", "文章里不放图片；数据请用表格，公式请用 formula"]
    assert str(content) not in answer.text, "nothing of the machine"
    assert [row[0] for row in rows(answer, "unpublished")] == ["题目draft 有误"]
    assert "账龄表怎么看 有误" in [row[0] for row in rows(answer, "published")]


def test_a_fault_in_a_table_or_a_page_is_named_without_a_preview(editor: DeskClient, content: Path) -> None:
    (content / "pages" / "about.md").write_text("没有开头的资料\n", encoding="utf-8")
    write_article(content, "about", title="同名的草稿", published="")
    answer = editor.get("/desk/content")
    assert [row[0] for row in rows(answer, "faults")] == ["content/pages/about.md"]
    assert [row[0] for row in rows(answer, "unpublished")] == ["同名的草稿"], "it is the page that is wrong"
    part = answer.text.partition('aria-labelledby="faults"')[2].partition("</section>")[0]
    assert "href" not in part


def test_a_mended_file_is_no_longer_named(editor: DeskClient, content: Path) -> None:
    write_article(content, "ageing", category="nowhere")
    assert rows(editor.get("/desk/content"), "faults")
    write_article(content, "ageing")
    assert not rows(editor.get("/desk/content"), "faults")


def test_a_form_or_rule_that_is_saved_wrong_is_named_and_the_site_goes_on(
    editor: DeskClient, client: DeskClient, settings: Settings
) -> None:
    form, good = settings.forms / "consultation.toml", (settings.forms / "consultation.toml").read_bytes()
    form.write_text(form.read_text(encoding="utf-8") + "\n[[needs]]\n", encoding="utf-8")
    (settings.forms / "priority.toml").write_text("points = ", encoding="utf-8")
    answer = editor.get("/desk/content")
    named = [row[0] for row in rows(answer, "faults")]
    assert set(named) == {"forms/consultation.toml", "forms/priority.toml"}
    assert str(settings.forms) not in answer.text, "nothing of the machine"
    attention = editor.get("/desk/attention")
    assert f"{len(named)} 内容和表单里的错误" in words(attention)
    assert client.get("/consultation").status_code == 200
    form.write_bytes(good)
    assert {row[0] for row in rows(editor.get("/desk/content"), "faults")} == {"forms/priority.toml"}


# --- what is read ---


def test_the_latest_articles_stand_with_their_reads(editor: DeskClient, app: Flask) -> None:
    today = datetime.now(SHANGHAI).date()
    with app.extensions["xinheng.databases"].counters.writing() as session:
        for days_ago, reads in ((0, 3), (29, 4), (30, 1_000)):
            day = today - timedelta(days=days_ago)
            put_reads(session, "first-call", day, reads)
    found = rows(editor.get("/desk/content"), "published")
    assert [row[0] for row in found] == ["账龄表怎么看", "逾期第一个电话怎么打"]
    assert found[0][3:] == ["近30天浏览 0", "全部浏览 0"]
    assert found[1][3:] == ["近30天浏览 7", "全部浏览 1,007"]


@pytest.mark.usefixtures("saved_files_are_seen")
def test_twenty_of_them_are_shown(editor: DeskClient, content: Path) -> None:
    for number in range(21):
        write_article(content, f"article-{number}", published=f"2026-04-{number + 1:02} 09:00")
    editor.get("/desk/content")
    found = [row[0] for row in rows(editor.get("/desk/content"), "published")]
    assert found == [f"题目article-{number}" for number in range(20, 0, -1)]


# --- the preview ---


def test_a_draft_is_shown_as_readers_will_see_it(editor: DeskClient, content: Path) -> None:
    body = "先对账。\n\n## 怎么做\n\n| 档 | 金额 |\n| --- | --- |\n| 一 | 2 |\n"
    write_article(content, "draft", title="还没写完", published="", body=body, ai="generated")
    page = editor.get("/desk/content/draft")
    said = words(page)
    assert "预览，尚未发布" in said
    assert "没有写发布时间" in said
    assert "本文由人工智能（AI）生成，尚未经人工审核" in said
    assert 'class="table-box"' in page.text
    assert re.search(r'<h1><span class="by-words">还没.*</h1>', page.text)
    assert "<article>" in page.text
    for sheet in ("article", "text", "list"):
        assert f"/static/css/{sheet}.css" in page.text


def test_a_scheduled_article_says_when_it_will_be_published(editor: DeskClient, content: Path) -> None:
    write_article(content, "soon", published=later(days=1))
    said = words(editor.get("/desk/content/soon"))
    assert "预览，尚未发布 发布时间：明天 " in said


def test_a_published_article_says_so_and_leads_to_what_readers_see(editor: DeskClient) -> None:
    page = editor.get("/desk/content/ageing")
    assert "预览，已发布" in words(page)
    assert "线上还不是这里的样子" not in words(page)
    assert 'href="/articles/ageing"' in page.text


def test_what_readers_see_is_the_same_text(editor: DeskClient, app: Flask) -> None:
    def text_of(page: str) -> str:
        return page.partition('<div class="article-grid">')[2].partition('<p class="author-note">')[0]

    public = app.test_client().get("/articles/ageing", base_url=app.config["ORIGIN"]).text
    assert text_of(editor.get("/desk/content/ageing").text).split() == text_of(public).split() != []


def test_a_saved_file_is_seen_at_once_though_the_site_still_shows_the_last_good_one(
    editor: DeskClient, content: Path
) -> None:
    write_article(content, "broken", category="nowhere")
    write_article(
        content, "ageing", title="账龄表怎么看", body="新的第一句。\n", published="2026-03-03 09:00"
    )
    page = words(editor.get("/desk/content/ageing"))
    assert "新的第一句。" in page
    assert "预览，已发布" in page
    assert "线上还不是这里的样子" in page


@pytest.mark.parametrize("published", ["", "tomorrow"])
def test_what_was_taken_back_but_is_still_on_the_site_says_so(
    editor: DeskClient, content: Path, published: str
) -> None:
    write_article(content, "broken", category="nowhere")
    write_article(content, "ageing", published=later(days=1) if published else "")
    said = words(editor.get("/desk/content/ageing"))
    assert "预览，已发布" in said
    assert "线上还不是这里的样子" in said


def test_nothing_is_counted_kept_stored_or_told_to_search_engines(
    editor: DeskClient, app: Flask, content: Path
) -> None:
    write_article(content, "draft", published="")
    for slug in ("draft", "ageing"):
        page = editor.get(f"/desk/content/{slug}").text
        for trace in (
            "data-reads",
            "data-article",
            "data-favourite",
            "article.js",
            "ld+json",
            "og:",
            "canonical",
        ):
            assert trace not in page, trace
        assert "<form" not in page.partition("<main")[2]
        assert '<meta name="robots" content="noindex">' in page
    app.extensions["xinheng.reads"].flush()
    with app.extensions["xinheng.databases"].counters.reading() as session:
        assert session.scalars(select(ReadCount)).all() == []
        assert session.scalars(select(ReadMark)).all() == []


def test_a_draft_stays_hidden_from_readers(editor: DeskClient, app: Flask, content: Path) -> None:
    write_article(content, "draft", published="")
    assert editor.get("/desk/content/draft").status_code == 200
    reader = app.test_client()
    answer = reader.get("/articles/draft", base_url=app.config["ORIGIN"], headers={"User-Agent": CHROME})
    assert answer.status_code == 404


def test_links_to_what_is_not_published_lead_to_its_preview(editor: DeskClient, content: Path) -> None:
    write_article(content, "other", published="")
    write_article(content, "soon", published=later(days=1))
    body = "[草稿](/articles/other#part)、[定时](/articles/soon)、[已发布](/articles/first-call)。\n"
    write_article(content, "draft", published="", body=body)
    page = editor.get("/desk/content/draft").text
    text = page.partition('<div class="text">')[2]
    for address in ("/desk/content/other#part", "/desk/content/soon", "/articles/first-call"):
        assert f'href="{address}"' in text
        assert editor.get(address).status_code == 200


def test_a_wrong_file_is_answered_with_its_faults(editor: DeskClient, content: Path) -> None:
    write_article(content, "draft", title="还没写完", published="", category="nowhere")
    page = editor.get("/desk/content/draft")
    said = words(page)
    assert page.status_code == 200
    assert "有误，还不能预览" in said
    assert "content/articles/draft.md 第3行 category ：没有栏目 nowhere" in said
    assert "<article" not in page.text


def test_a_file_without_front_matter_is_answered_with_its_fault(editor: DeskClient, content: Path) -> None:
    (content / "articles" / "draft.md").write_text("只有正文。\n", encoding="utf-8")
    assert "文件应以 --- 开头" in words(editor.get("/desk/content/draft"))


def test_what_is_wrong_between_articles_stands_above_the_page(editor: DeskClient, content: Path) -> None:
    write_article(content, "subject", body="见[别处](/articles/not-yet)。\n")
    page = editor.get("/desk/content/subject")
    assert "还要改的地方" in words(page)
    assert "链接 /articles/not-yet 没有对应的文章" in words(page)
    assert "<article" in page.text


@pytest.mark.parametrize(
    "slug",
    ["unknown", "ageing.md", "AGEING", "..", "../pages/about", "..%2Fpages%2Fabout", "%2e%2e%2fpages%2fabout", "*", "", "ageing/"],
)  # fmt: skip
def test_what_is_no_article_is_not_found(editor: DeskClient, slug: str) -> None:
    answer = editor.get(f"/desk/content/{quote(slug, safe='/%')}")
    assert answer.status_code == 404, answer.location


def test_what_is_typed_into_an_article_stays_text(editor: DeskClient, content: Path) -> None:
    write_article(content, "draft", title="<b>题</b>", published="", body="<script>alert(1)</script>\n")
    page = editor.get("/desk/content/draft").text
    assert "<script>alert" not in page
    assert "<b>题</b>" not in page
    assert "<b>题</b>" not in editor.get("/desk/content").text


def test_the_pages_hold_no_personal_data_of_visitors(
    editor: DeskClient, app: Flask, consultation: Callable[..., dict[str, str]], staff: Staff
) -> None:
    sent = app.test_client().post(
        "/consultation",
        data=consultation(),
        base_url=app.config["ORIGIN"],
        headers=OWN_PAGE,
    )
    assert sent.status_code == 303
    known: Known = staff("sales", name="周敏")
    for path in ("/desk/content", "/desk/content/ageing"):
        page = editor.get(path).text
        for private in ("张三丰", "0013", "两家客户", known.name, known.email):
            assert private not in page, private
