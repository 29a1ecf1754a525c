"""The library as the site sees it: what is published now, and what goes live by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import write_article

from xinheng.articles.index import build_index
from xinheng.articles.library import Index, Library, LibraryHolder, open_library
from xinheng.documents import BadDocument
from xinheng.settings import SHANGHAI

AT = datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def content(data_root: Path) -> Path:
    return data_root / "content"


@pytest.fixture
def open_at(content: Path, tmp_path: Path) -> Callable[[datetime], Library]:
    return lambda now: open_library(Index(build_index(content, tmp_path / "library")), now)


@pytest.fixture
def holder(content: Path, tmp_path: Path, saved_files_are_seen: None) -> LibraryHolder:
    return LibraryHolder(content, tmp_path / "library", start_from_last_good=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets what the library takes for now."""

    def set_to(moment: datetime) -> None:
        class Replaced(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return moment.astimezone(UTC)

        monkeypatch.setattr("xinheng.articles.library.datetime", Replaced)

    return set_to


def slugs(library: Library) -> list[str]:
    return [article.slug for article in library.articles]


def test_the_newest_stands_first_and_equal_times_by_their_address(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    write_article(content, "b", published="2026-03-03 09:00")
    write_article(content, "a", published="2026-03-03 09:00")
    assert slugs(open_at(AT)) == ["a", "ageing", "b", "first-call"]


def test_a_draft_is_never_shown(content: Path, open_at: Callable[[datetime], Library]) -> None:
    write_article(content, "draft", published="")
    write_article(content, "draft-too", published="~")
    library = open_at(AT + timedelta(days=10_000))
    assert slugs(library) == ["ageing", "first-call"]
    assert "draft" not in library.by_slug


def test_a_scheduled_article_is_shown_from_its_minute_on(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    write_article(content, "later", published="2026-03-04 10:00")
    before, after = open_at(AT - timedelta(microseconds=1)), open_at(AT)
    assert slugs(before) == ["ageing", "first-call"]
    assert before.stale_at == AT
    assert slugs(after) == ["later", "ageing", "first-call"]
    assert after.stale_at is None


def test_the_first_of_several_scheduled_ones_is_waited_for(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    write_article(content, "later", published="2026-03-06 10:00")
    write_article(content, "sooner", published="2026-03-05 10:00")
    assert open_at(AT).stale_at == AT + timedelta(days=1)


def test_a_scheduled_article_is_in_no_list_no_alias_and_no_related_posts(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    body = "账龄表把应收账款按到期日分档，谁欠、欠多久，一张表看清。坏账多半是拖出来的。"
    write_article(content, "later", published="2026-03-05 10:00", body=body, category="industry")
    file = content / "articles" / "later.md"
    file.write_text(
        file.read_text(encoding="utf-8").replace("author:", "aliases: [soon]\nauthor:"), encoding="utf-8"
    )
    library = open_at(AT)
    assert "industry" not in library.counts()
    assert library.aliases == {}
    assert all(other.slug != "later" for article in library.articles for other in library.related(article))
    assert open_at(AT + timedelta(days=2)).aliases == {"soon": "later"}


def test_related_posts_are_never_the_article_itself(open_at: Callable[[datetime], Library]) -> None:
    library = open_at(AT)
    for article in library.articles:
        assert article not in library.related(article)


def test_empty_categories_are_left_out_and_the_others_stand_in_their_order(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    assert dict(open_at(AT).counts()) == {"receivables": 1, "collection": 1}
    assert list(open_at(AT).counts()) == ["receivables", "collection"]


def test_without_any_article_there_is_still_a_library(
    content: Path, open_at: Callable[[datetime], Library]
) -> None:
    for file in (content / "articles").glob("*.md"):
        file.unlink()
    library = open_at(AT)
    assert (list(library.articles), dict(library.counts())) == ([], {})
    assert library.updated.tzinfo is not None


# --- what goes live by itself ---


def test_a_saved_article_goes_live(content: Path, holder: LibraryHolder) -> None:
    before = holder.current()
    write_article(content, "ageing", title="账龄表怎么看", summary="换了摘要。")
    assert holder.current().by_slug["ageing"].summary == "换了摘要。"
    assert before.by_slug["ageing"].summary == "先对账，再谈时间。", (
        "what is being answered goes on with the old one"
    )


def test_a_new_a_renamed_and_a_deleted_article_go_live(content: Path, holder: LibraryHolder) -> None:
    holder.current()
    write_article(content, "third", published="2026-03-04 09:00")
    assert slugs(holder.current()) == ["third", "ageing", "first-call"]
    (content / "articles" / "third.md").rename(content / "articles" / "fourth.md")
    assert slugs(holder.current()) == ["fourth", "ageing", "first-call"]
    (content / "articles" / "fourth.md").unlink()
    assert slugs(holder.current()) == ["ageing", "first-call"]


def test_a_saved_page_and_a_saved_category_go_live(content: Path, holder: LibraryHolder) -> None:
    holder.current()
    page = content / "pages" / "about.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n新的一句。\n", encoding="utf-8")
    assert "新的一句。" in holder.current().pages["about"].html
    table = content / "categories.toml"
    table.write_text(
        table.read_text(encoding="utf-8").replace('short = "应收账款"', 'short = "应收款"'), encoding="utf-8"
    )
    assert holder.current().categories["receivables"].short == "应收款"


def test_without_a_change_nothing_is_read_again(holder: LibraryHolder) -> None:
    first = holder.current()
    assert all(holder.current() is first for _ in range(5))


def test_a_bad_save_keeps_the_last_good_and_says_what_is_wrong(
    content: Path, holder: LibraryHolder, caplog: pytest.LogCaptureFixture
) -> None:
    good = holder.current()
    write_article(content, "ageing", category="nowhere")
    with caplog.at_level(logging.ERROR):
        assert all(holder.current() is good for _ in range(4))
    assert len([row for row in caplog.records if row.levelno == logging.ERROR]) == 1, "said once a save"
    assert "ageing.md:3: category：没有栏目 nowhere" in caplog.text
    write_article(content, "ageing", title="账龄表怎么看", summary="改好了。")
    assert holder.current().by_slug["ageing"].summary == "改好了。"


def test_a_worker_that_missed_a_good_save_before_a_bad_one_shows_what_the_others_show(
    content: Path, holder: LibraryHolder, tmp_path: Path
) -> None:
    """Without visitors a worker doesn't look."""
    idle = LibraryHolder(content, tmp_path / "library", start_from_last_good=False)
    assert slugs(idle.current()) == slugs(holder.current())
    write_article(content, "ageing", title="账龄表怎么看", summary="更好了。")
    assert holder.current().by_slug["ageing"].summary == "更好了。"
    write_article(content, "ageing", category="nowhere")
    for each in (holder, idle, idle):
        assert each.current().by_slug["ageing"].summary == "更好了。"
    settled = idle.current()
    assert idle.current() is settled


def test_a_scheduled_article_goes_live_when_its_time_comes(
    content: Path, holder: LibraryHolder, clock: Callable[[datetime], None]
) -> None:
    clock(AT)
    write_article(content, "sooner", published="2026-03-05 10:00")
    write_article(content, "later", published="2026-03-06 10:00")
    assert slugs(holder.current()) == ["ageing", "first-call"]
    clock(AT + timedelta(hours=23, minutes=59))
    assert slugs(holder.current()) == ["ageing", "first-call"]
    clock(AT + timedelta(days=1))
    assert slugs(holder.current()) == ["sooner", "ageing", "first-call"]
    clock(AT + timedelta(days=2))
    assert slugs(holder.current()) == ["later", "sooner", "ageing", "first-call"]
    settled = holder.current()
    assert holder.current() is settled


def test_a_bad_save_does_not_keep_a_scheduled_article_back(
    content: Path, holder: LibraryHolder, clock: Callable[[datetime], None], tmp_path: Path
) -> None:
    """Nor does a start from the last good."""
    clock(AT)
    write_article(content, "sooner", published="2026-03-05 10:00")
    assert slugs(holder.current()) == ["ageing", "first-call"]
    write_article(content, "ageing", category="nowhere")
    holder.current()
    started = LibraryHolder(content, tmp_path / "library", start_from_last_good=True)
    assert slugs(started.current()) == ["ageing", "first-call"]
    clock(AT + timedelta(days=1))
    for each in (holder, started):
        assert slugs(each.current()) == ["sooner", "ageing", "first-call"]


# --- the start ---


def test_bad_content_stops_a_start_in_development(content: Path, tmp_path: Path) -> None:
    LibraryHolder(content, tmp_path / "library", start_from_last_good=False).current()
    write_article(content, "ageing", category="nowhere")
    with pytest.raises(BadDocument, match=r"ageing\.md"):
        LibraryHolder(content, tmp_path / "library", start_from_last_good=False).current()


def test_production_starts_from_the_last_good_and_takes_the_next_right_save(
    content: Path, tmp_path: Path, saved_files_are_seen: None, caplog: pytest.LogCaptureFixture
) -> None:
    LibraryHolder(content, tmp_path / "library", start_from_last_good=True).current()
    write_article(content, "ageing", category="nowhere")
    holder = LibraryHolder(content, tmp_path / "library", start_from_last_good=True)
    with caplog.at_level(logging.ERROR):
        assert holder.current().by_slug["ageing"].category == "receivables"
    assert "ageing.md:3: category" in caplog.text
    write_article(content, "ageing", title="账龄表怎么看", summary="改好了。")
    assert holder.current().by_slug["ageing"].summary == "改好了。"


def test_production_does_not_start_from_nothing(content: Path, tmp_path: Path) -> None:
    write_article(content, "ageing", category="nowhere")
    with pytest.raises(BadDocument):
        LibraryHolder(content, tmp_path / "library", start_from_last_good=True).current()
