"""The derived index: the same for the same bytes, and only what changed is read again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import write_article

from xinheng.articles import index
from xinheng.articles.index import build_index, compile_content, content_digest, newest_index
from xinheng.articles.library import Index
from xinheng.documents import BadDocument


@pytest.fixture
def content(data_root: Path) -> Path:
    return data_root / "content"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "library"


def rows(file: Path, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def everything(file: Path) -> list[list[tuple[str, ...]]]:
    tables = ("articles", "pages", "related", "tables_of_names")
    return [rows(file, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]  # noqa: S608


def mark(file: Path) -> None:
    """Change what an index holds, to see in a later one what was carried over and what was read again."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE articles SET html = html || '<!-- carried over -->'")


def carried_over(file: Path) -> set[str]:
    return {slug for (slug,) in rows(file, "SELECT slug FROM articles WHERE html LIKE '%carried over%'")}


def test_the_same_bytes_give_the_same_index_file(content: Path, folder: Path) -> None:
    file = build_index(content, folder)
    mark(file)
    (content / "articles" / "ageing.md").touch()
    assert build_index(content, folder) == file
    assert carried_over(file) == {"ageing", "first-call"}, "it was not made again"


def test_an_index_made_elsewhere_from_the_same_bytes_is_the_same(
    content: Path, folder: Path, tmp_path: Path
) -> None:
    one, other = build_index(content, folder), build_index(content, tmp_path / "other")
    assert one.name == other.name
    assert everything(one) == everything(other)


def test_only_a_changed_article_is_read_again(content: Path, folder: Path) -> None:
    before = build_index(content, folder)
    mark(before)
    write_article(content, "ageing", title="账龄表怎么看", summary="换了摘要。")
    after = build_index(content, folder)
    assert after != before
    assert carried_over(after) == {"first-call"}
    assert "换了摘要。" in rows(after, "SELECT article FROM articles WHERE slug = 'ageing'")[0][0]


def test_a_new_article_leaves_the_others_as_they_were(content: Path, folder: Path) -> None:
    mark(build_index(content, folder))
    write_article(content, "third")
    after = build_index(content, folder)
    assert carried_over(after) == {"ageing", "first-call"}
    assert {slug for (slug,) in rows(after, "SELECT slug FROM articles")} == {"ageing", "first-call", "third"}


def test_a_deleted_article_is_gone_from_everything(content: Path, folder: Path) -> None:
    build_index(content, folder)
    (content / "articles" / "ageing.md").unlink()
    file = build_index(content, folder)
    assert [slug for (slug,) in rows(file, "SELECT slug FROM articles")] == ["first-call"]
    assert rows(file, "SELECT * FROM related") == []


def test_a_renamed_article_has_its_new_address_only(content: Path, folder: Path) -> None:
    build_index(content, folder)
    (content / "articles" / "ageing.md").rename(content / "articles" / "ageing-table.md")
    file = build_index(content, folder)
    assert {slug for (slug,) in rows(file, "SELECT slug FROM articles")} == {"ageing-table", "first-call"}
    assert (
        '"slug":"ageing-table"'
        in rows(file, "SELECT article FROM articles WHERE slug = 'ageing-table'")[0][0]
    )


def test_two_articles_that_exchange_their_names_exchange_their_texts(content: Path, folder: Path) -> None:
    build_index(content, folder)
    one, other = content / "articles" / "ageing.md", content / "articles" / "first-call.md"
    texts = one.read_text(encoding="utf-8"), other.read_text(encoding="utf-8")
    one.write_text(texts[1], encoding="utf-8")
    other.write_text(texts[0], encoding="utf-8")
    file = build_index(content, folder)
    assert "逾期第一个电话" in rows(file, "SELECT article FROM articles WHERE slug = 'ageing'")[0][0]


def test_an_article_kept_from_before_is_checked_against_todays_categories(
    content: Path, folder: Path
) -> None:
    build_index(content, folder)
    file = content / "categories.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[collection]", "[dunning]"), encoding="utf-8")
    with pytest.raises(BadDocument, match=r"first-call\.md:\d+: category：没有栏目 collection"):
        build_index(content, folder)


def test_a_fault_in_an_article_kept_from_before_names_its_file_as_the_first_reading_does(
    content: Path, folder: Path
) -> None:
    file = write_article(content, "third", body="见[账龄表](/articles/ageing)。")
    build_index(content, folder)
    (content / "articles" / "ageing.md").unlink()
    with pytest.raises(BadDocument) as first:
        compile_content(content)
    with pytest.raises(BadDocument) as again:
        build_index(content, folder)
    assert again.value.faults == first.value.faults
    assert first.value.faults[0].file == file


def test_bad_content_leaves_the_index_of_before(content: Path, folder: Path) -> None:
    before = build_index(content, folder)
    write_article(content, "ageing", category="nowhere")
    with pytest.raises(BadDocument):
        build_index(content, folder)
    assert newest_index(folder) == before
    assert len(everything(before)[0]) == 2


def test_drafts_are_in_no_index(content: Path, folder: Path) -> None:
    write_article(content, "draft", published="")
    assert {slug for (slug,) in rows(build_index(content, folder), "SELECT slug FROM articles")} == {
        "ageing",
        "first-call",
    }


def test_a_later_version_of_the_program_reads_everything_anew(
    content: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build_index(content, folder)
    mark(before)
    monkeypatch.setattr(index, "_FORMAT", "later")
    assert newest_index(folder) is None
    after = build_index(content, folder)
    assert after != before
    assert carried_over(after) == set()
    assert not before.exists()


def test_the_folder_does_not_grow(content: Path, folder: Path) -> None:
    for number in range(8):
        write_article(content, "ageing", title="账龄表怎么看", summary=f"第{number}次。")
        for file in folder.glob("*.db"):
            os.utime(file, (time.time() - 7200 + number, time.time() - 7200 + number))
        build_index(content, folder)
    assert len(list(folder.glob("*.db"))) == 3


def test_an_index_that_a_worker_may_still_be_about_to_open_stays(content: Path, folder: Path) -> None:
    first = build_index(content, folder)
    for number in range(5):
        write_article(content, "ageing", title="账龄表怎么看", summary=f"第{number}次。")
        latest = build_index(content, folder)
    assert first.exists()
    assert newest_index(folder) == latest
    assert {file.suffix for file in folder.iterdir()} == {".db", ".lock"}


def test_going_back_to_an_earlier_text_makes_its_index_the_newest_again(content: Path, folder: Path) -> None:
    file = content / "articles" / "ageing.md"
    text = file.read_text(encoding="utf-8")
    first = build_index(content, folder)
    file.write_text(text + "\n多一句。\n", encoding="utf-8")
    second = build_index(content, folder)
    file.write_text(text, encoding="utf-8")
    assert build_index(content, folder) == first != second
    assert newest_index(folder) == first


def test_a_reader_of_the_index_before_goes_on_reading_it(content: Path, folder: Path) -> None:
    held = Index(build_index(content, folder))
    assert held.rows("SELECT count(*) FROM articles") == [(2,)]
    for number in range(5):
        write_article(content, "ageing", title="账龄表怎么看", summary=f"第{number}次。")
        build_index(content, folder)
    assert held.rows("SELECT count(*) FROM articles") == [(2,)]


@pytest.mark.parametrize(
    "change",
    ["articles/third.md", "pages/terms.md", "categories.toml", "authors.toml", "articles/ageing.md"],
)
def test_every_file_of_the_content_counts(content: Path, change: str) -> None:
    before = content_digest(content)
    file = content / change
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(text + "\n", encoding="utf-8")
    assert content_digest(content) != before


def test_other_files_do_not_count(content: Path) -> None:
    before = content_digest(content)
    (content / "README.md").write_text("how to", encoding="utf-8")
    (content / "articles" / ".ageing.md.swp").write_text("x", encoding="utf-8")
    (content / "articles" / "ageing.md~").write_text("x", encoding="utf-8")
    (content / "articles" / "notes.txt").write_text("x", encoding="utf-8")
    assert content_digest(content) == before


def test_processes_that_start_at_once_make_one_index(content: Path, folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xinheng.articles.index import build_index;"
        "sys.stdin.readline(); print(build_index(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(content), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = {process.communicate("go\n")[0] for process in started}
    assert [process.returncode for process in started] == [0] * 3
    assert len(said) == 1
    assert len(list(folder.glob("*.db"))) == 1


def _texts(file: Path) -> Iterator[str]:
    for (text,) in rows(file, "SELECT text FROM articles ORDER BY slug"):
        yield text


def test_the_text_of_an_article_is_what_a_reader_reads(content: Path, folder: Path) -> None:
    write_article(
        content,
        "third",
        body="先**对账**，见[账龄表](/articles/ageing)。\n\n| 档 | 额 |\n| --- | ---: |\n| 未到期 | 5 |\n",
    )
    file = build_index(content, folder)
    (text,) = rows(file, "SELECT text FROM articles WHERE slug = 'third'")[0]
    assert text.splitlines() == ["先对账，见账龄表。", "档", "额", "未到期", "5"]
    assert all("<" not in text for text in _texts(file))
