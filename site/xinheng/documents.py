"""Data files that people write: Markdown with YAML front matter, and TOML. A fault names file, place and remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from xinheng.toml_lines import Keys, toml_lines

Model = TypeVar("Model", bound=BaseModel)

_EMPTY = {"", "~", "null"}
_MESSAGES = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这个键，请对照说明检查拼写",
    "string_type": "应为文字",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "int_from_float": "应为整数",
    "bool_parsing": "应为 true 或 false",
    "date_type": "应写成 2026-03-02",
    "date_from_datetime_parsing": "应写成 2026-03-02",
    "datetime_type": "应写成 2026-03-02 10:05（北京时间）",
    "datetime_parsing": "应写成 2026-03-02 10:05（北京时间）",
    "bool_type": "应为 true 或 false",
    "list_type": "应为列表",
    "tuple_type": "应为列表",
    "dict_type": "应为一组键和值",
    "model_type": "应为一组键和值",
    "string_too_short": "至少要写 {min_length} 个字",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "string_too_long": "最多 {max_length} 个字",
    "literal_error": "应为 {expected}",
    "string_pattern_mismatch": "格式不对，应符合 {pattern}",
    "finite_number": "应为有限的数字",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file: where (line from 1, or 0 where only the key path is known) and what was expected."""

    file: Path
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}：{self.message}" if self.key else f"{place}: {self.message}"


class BadDocument(ValueError):
    """A data file, or several, that can't be used; `faults` has all that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A Markdown file in two parts. `lines` gives each key path's line; `body_line` is the body's first line."""

    file: Path
    data: dict[str, Any]
    lines: Mapping[Keys, int]
    body: str
    body_line: int


@dataclass(slots=True)
class _Reading:
    file: Path
    first_line: int
    lines: dict[Keys, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_text(file: Path) -> str:
    """The text of a UTF-8 file without a byte-order mark, lines ended by a line feed."""
    try:
        return file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise BadDocument([Fault(file, line, "", "不是 UTF-8 编码，请另存为 UTF-8")]) from fault


def read_front_matter(file: Path) -> FrontMatter:
    """Split and parse a Markdown file. All plain values stay strings: `no`, `1:30` and dates mean what they say."""
    text = read_text(file)
    lines = text.split("\n")
    if lines[0].strip() != "---":
        raise BadDocument(
            [Fault(file, 1, "", "文件应以 --- 开头，下面写标题、栏目、发布时间等，再以 --- 结束")]
        )
    try:
        end = next(number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == "---")
    except StopIteration:
        raise BadDocument([Fault(file, 1, "", "开头的 --- 之后缺少结束的 ---")]) from None
    reading = _Reading(file, first_line=2)
    data = _parse("\n".join(lines[1:end]) + "\n", reading)
    if reading.faults:
        raise BadDocument(reading.faults)
    return FrontMatter(file, data, reading.lines, "\n".join(lines[end + 1 :]), end + 2)


def read_toml(file: Path) -> dict[str, Any]:
    """Parse a TOML file. Raises BadDocument with the place of a syntax error."""
    try:
        return tomllib.loads(read_text(file))
    except FileNotFoundError:
        raise BadDocument([Fault(file, 0, "", "缺少这个文件")]) from None
    except tomllib.TOMLDecodeError as fault:
        raise BadDocument([_syntax_fault(file, str(fault))]) from fault


def toml_fault(file: Path, key: str, message: str) -> Fault:
    """A fault of a file that could be parsed, with the line of the key, or of the nearest part of its path."""
    keys = tuple(int(each) if each.isdecimal() else each for each in key.split("."))
    return Fault(file, _line(keys, _lines_of(file)), key, message)


def _lines_of(file: Path) -> Mapping[Keys, int]:
    return toml_lines(read_text(file)) if file.suffix == ".toml" and file.exists() else {}


def _syntax_fault(file: Path, said: str) -> Fault:
    """The parser says where in words: `(at line 3, column 5)` or `(at end of document)`."""
    reason, _, place = said.partition(" (at ")
    numbers = [int(each) for each in re.findall(r"\d+", place)]
    line = numbers[0] if numbers else read_text(file).rstrip("\n").count("\n") + 1
    column = f"第{numbers[1]}个字附近" if len(numbers) > 1 else "写到这里就断了"
    return Fault(file, line, "", f"TOML 写法有误，{column}（{reason}）；文字要加英文的引号，一行一项")


def validated(
    model: type[Model], data: Mapping[str, Any], file: Path, lines: Mapping[Keys, int] | None = None
) -> Model:
    """Build the model from parsed data. Raises BadDocument with every fault, in Chinese, with key path and line."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        known = _lines_of(file) if lines is None else lines
        faults = [
            Fault(file, _line(tuple(found["loc"]), known), _path(found["loc"]), _message(found))
            for found in _told_once(error.errors())
        ]
        raise BadDocument(faults) from error


def _told_once(errors: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Without the lists called too short only because an item of theirs, named itself, is wrong."""
    places = [tuple(found["loc"]) for found in errors]
    return [
        found
        for found, place in zip(errors, places, strict=True)
        if found["type"] != "too_short"
        or not any(other[: len(place)] == place and len(other) > len(place) for other in places)
    ]


def _parse(text: str, reading: _Reading) -> dict[str, Any]:
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.reader.ReaderError as error:  # its position counts bytes, or nothing
        place = text.find(chr(error.character)) if isinstance(error.character, int) else 0
        line = text[: max(place, 0)].count("\n") + reading.first_line
        reading.faults.append(Fault(reading.file, line, "", "YAML 里有看不见的控制字符，请删掉重新输入"))
        return {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + reading.first_line if error.problem_mark else reading.first_line
        reading.faults.append(
            Fault(reading.file, line, "", f"YAML 写法有误（{error.problem}）；含冒号的文字请加引号")
        )
        return {}
    if not isinstance(node, yaml.MappingNode) or _refers_to_itself(node):
        reading.faults.append(Fault(reading.file, reading.first_line, "", "应为“键: 值”，一行一项"))
        return {}
    value = _value(node, (), reading)
    return value if isinstance(value, dict) else {}


def _refers_to_itself(node: yaml.Node, above: frozenset[int] = frozenset()) -> bool:
    """Whether an anchor stands inside what it names: such a text has no end."""
    if id(node) in above:
        return True
    if not isinstance(node, yaml.CollectionNode):
        return False
    children = [each for pair in node.value for each in (pair if isinstance(pair, tuple) else (pair,))]
    return any(_refers_to_itself(child, above | {id(node)}) for child in children)


def _value(node: yaml.Node, path: Keys, reading: _Reading) -> Any:
    reading.lines[path] = node.start_mark.line + reading.first_line
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, reading)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, number), reading) for number, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and node.style not in {"'", '"', "|", ">"} and node.value in _EMPTY:
        return None
    return node.value


def _mapping(node: yaml.MappingNode, path: Keys, reading: _Reading) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in found:
            line = key_node.start_mark.line + reading.first_line
            reading.faults.append(Fault(reading.file, line, _path((*path, key)), "写了两次，请留一个"))
        found[key] = _value(value_node, (*path, key), reading)
        reading.lines[(*path, key)] = key_node.start_mark.line + reading.first_line
    return found


def _line(keys: Keys, lines: Mapping[Keys, int]) -> int:
    """The line of a key path, or of the nearest part of it that stands in the file."""
    for length in range(len(keys), -1, -1):
        if keys[:length] in lines:
            return lines[keys[:length]]
    return 0


def _path(keys: Sequence[str | int]) -> str:
    return ".".join(str(key) for key in keys)


def _message(found: Mapping[str, Any]) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    if kind == "string_too_short" and context["min_length"] == 1:
        return "不能为空"
    if kind in _MESSAGES:
        return (
            _MESSAGES[kind].format(**context).replace("' or '", "、").replace("', '", "、").replace("'", "")
        )
    return f"{found['msg']}"
