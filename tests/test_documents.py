"""Files that people write: read leniently, refused with the place and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from xinheng.documents import BadDocument, Fault, read_front_matter, read_text, read_toml, validated


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "subject.md"


def faults(file: Path, content: str) -> tuple[Fault, ...]:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        read_front_matter(file)
    return raised.value.faults


# --- text ---


@pytest.mark.parametrize(
    "held",
    [
        b"\xe8\xb4\xa6\nb",
        b"\xef\xbb\xbf\xe8\xb4\xa6\nb",
        b"\xe8\xb4\xa6\r\nb",
        b"\xef\xbb\xbf\xe8\xb4\xa6\r\nb",
    ],
)
def test_a_byte_order_mark_and_line_ends_of_windows_are_nothing(file: Path, held: bytes) -> None:
    file.write_bytes(held)
    assert read_text(file) == "账\nb"


@pytest.mark.parametrize(("text", "encoding"), [("账龄", "gb18030"), ("帳齡", "big5"), ("账龄", "utf-16")])
def test_another_encoding_is_refused_with_its_line(file: Path, text: str, encoding: str) -> None:
    file.write_bytes(b"---\ntitle: x\n" + text.encode(encoding))
    with pytest.raises(BadDocument) as raised:
        read_text(file)
    assert raised.value.faults == (Fault(file, 3, "", "不是 UTF-8 编码，请另存为 UTF-8"),)


# --- front matter ---


def test_a_file_is_split_in_front_matter_and_body_with_their_lines(file: Path) -> None:
    file.write_text(
        "---\ntitle: 题\ntags:\n  - a\n  - b\nsource: {id: x,\n  date: 2026-03-02}\n---\n正文\n---\n还是正文\n",
        encoding="utf-8",
    )
    document = read_front_matter(file)
    assert document.data == {"title": "题", "tags": ["a", "b"], "source": {"id": "x", "date": "2026-03-02"}}
    assert (document.body, document.body_line) == ("正文\n---\n还是正文\n", 9)
    assert document.lines[("title",)] == 2
    assert document.lines[("tags", 1)] == 5
    assert document.lines[("source", "date")] == 7


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("2026-03-02", "2026-03-02"),
        ("0x10", "0x10"),
        ("", None),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ("''", ""),
        ('"a: b"', "a: b"),
        ("|\n  一\n  二", "一\n二\n"),
        (">-\n  一\n  二", "一 二"),
    ],
)
def test_a_plain_value_means_what_it_says(file: Path, written: str, read_as: str | None) -> None:
    file.write_text(f"---\nkey: {written}\n---\n", encoding="utf-8")
    assert read_front_matter(file).data == {"key": read_as}


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("", 1, "文件应以 --- 开头"),
        ("正文\n---\n", 1, "文件应以 --- 开头"),
        ("\n---\ntitle: x\n---\n", 1, "文件应以 --- 开头"),
        ("---\ntitle: x\n", 1, "缺少结束的 ---"),
        ("---\n---\n", 2, "应为“键: 值”"),
        ("---\n- a\n---\n", 2, "应为“键: 值”"),
        ("---\njust words\n---\n", 2, "应为“键: 值”"),
        ("---\na: 1\nb: c: d\n---\n", 3, "含冒号的文字请加引号"),
        ("---\na: 'x\n---\n", 3, "YAML 写法有误"),
        ("---\na: 1\n\tb: 2\n---\n", 3, "YAML 写法有误"),
        ("---\na: 1\nb: 2\na: 3\n---\n", 4, "a：写了两次"),
        ("---\na: {b: 1, b: 2}\n---\n", 2, "a.b：写了两次"),
        ("---\na: *nowhere\n---\n", 2, "YAML 写法有误"),
        ("---\na: x\x07y\n---\n", 2, ""),
        ("---\na: &x [1, *x]\n---\n", 2, ""),
    ],
)
def test_what_cannot_be_read_names_its_line(file: Path, content: str, line: int, says: str) -> None:
    (found, *_) = faults(file, content)
    assert (found.file, found.line) == (file, line)
    assert says in str(found)


# --- TOML ---


def test_toml_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[a]\r\nb = 1\r\n")
    assert read_toml(file) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("content", "line", "place"),
    [
        ("a = \nb = 1", 1, "第5个字附近"),
        ("a = 1\nb = x\n", 2, "第5个字附近"),
        ("[a]\n[a]\n", 2, "第3个字附近"),
        ("b = 1\na = ", 2, "写到这里就断了"),
    ],
)
def test_toml_that_cannot_be_read_names_its_place(file: Path, content: str, line: int, place: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadDocument, match="TOML 写法有误") as raised:
        read_toml(file)
    (fault,) = raised.value.faults
    assert (fault.line, place in fault.message) == (line, True)


def test_a_mistake_in_toml_names_the_line_of_its_key(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('title = "a"\n\n[[inner]]\nname = "a"\n[[inner]]\nkind = "three"\n', encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        validated(Outer, read_toml(file), file)
    assert [(each.line, each.key) for each in raised.value.faults] == [
        (5, "inner.1.name"),
        (6, "inner.1.kind"),
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDocument, match=r"nowhere\.toml: 缺少这个文件"):
        read_toml(tmp_path / "nowhere.toml")


# --- faults ---


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=3, pattern=r"^[a-z]*$")
    kind: Literal["one", "two"] = "one"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    number: int = Field(default=1, ge=1, le=9)
    share: float = 0.5
    flag: bool = False
    inner: tuple[Inner, ...] = Field(default=(), max_length=2)
    more: list[str] = Field(default=[], min_length=0)


@pytest.mark.parametrize(
    ("data", "key", "message"),
    [
        ({}, "title", "缺少这一项"),
        ({"title": 1}, "title", "应为文字"),
        ({"title": "a", "titel": "b"}, "titel", "没有这个键，请对照说明检查拼写"),
        ({"title": "a", "number": "x"}, "number", "应为整数"),
        ({"title": "a", "number": [1]}, "number", "应为整数"),
        ({"title": "a", "number": 1.5}, "number", "应为整数"),
        ({"title": "a", "number": 0}, "number", "不能小于 1"),
        ({"title": "a", "number": 10}, "number", "不能大于 9"),
        ({"title": "a", "share": "x"}, "share", "应为数字"),
        ({"title": "a", "share": []}, "share", "应为数字"),
        ({"title": "a", "flag": "maybe"}, "flag", "应为 true 或 false"),
        ({"title": "a", "flag": []}, "flag", "应为 true 或 false"),
        ({"title": "a", "inner": "x"}, "inner", "应为列表"),
        ({"title": "a", "more": "x"}, "more", "应为列表"),
        ({"title": "a", "inner": ["x"]}, "inner.0", "应为一组键和值"),
        ({"title": "a", "inner": [{}]}, "inner.0.name", "缺少这一项"),
        ({"title": "a", "inner": [{"name": ""}]}, "inner.0.name", "不能为空"),
        ({"title": "a", "inner": [{"name": "abcd"}]}, "inner.0.name", "最多 3 个字"),
        ({"title": "a", "inner": [{"name": "A"}]}, "inner.0.name", "格式不对，应符合 ^[a-z]*$"),
        ({"title": "a", "inner": [{"name": "a", "kind": "x"}]}, "inner.0.kind", "应为 one、two"),
        ({"title": "a", "inner": [{"name": "a"}] * 3}, "inner", "最多 2 项"),
    ],
)
def test_a_fault_names_key_and_remedy_in_chinese(data: dict[str, object], key: str, message: str) -> None:
    file = Path("forms/x.toml")
    with pytest.raises(BadDocument) as raised:
        validated(Outer, data, file)
    assert raised.value.faults == (Fault(file, 0, key, message),)
    assert str(raised.value) == f"forms/x.toml: {key}：{message}"


def test_every_fault_is_told_with_the_nearest_line() -> None:
    lines = {(): 2, ("inner",): 4, ("inner", 0): 5}
    with pytest.raises(BadDocument) as raised:
        validated(Outer, {"inner": [{"name": ""}]}, Path("a.md"), lines)
    assert [(fault.key, fault.line) for fault in raised.value.faults] == [("title", 2), ("inner.0.name", 5)]
    assert str(raised.value).splitlines() == ["a.md:2: title：缺少这一项", "a.md:5: inner.0.name：不能为空"]
