"""On which line of a TOML file each key stands: the standard library's parser forgets it, and a fault must name it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

Keys = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>\"{3}(?:\\[\s\S]|[^\\])*?\"{3,5}|'{3}[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<bare>[A-Za-z0-9_-]+)
    |(?P<mark>[\[\]{}=.])
    |(?P<end>\n)""",
    re.VERBOSE,
)


def toml_lines(text: str) -> Mapping[Keys, int]:
    """The line, from 1, of each key path of a text that could be parsed. A table of an array stands where its
    header does, or its brace; what stands inside one has no line of its own."""
    lines: dict[Keys, int] = {}
    items: dict[Keys, int] = {}  # the latest of each array of tables
    table: Keys = ()
    for line, header, names in _statements(text):
        path = table if not header else ()
        for place, name in enumerate(names):
            path = (*path, name)
            if header == "[[" and place == len(names) - 1:
                items[path] = items.get(path, -1) + 1
            if header and path in items:
                lines.setdefault(path, line)
                path = (*path, items[path])
            lines.setdefault(path, line)
        if header:
            table = path
    return lines


def _statements(text: str) -> Iterator[tuple[int, str, Sequence[str | int]]]:
    """The line, `[`, `[[` or nothing, and the names of each header, each key, and each table in an array."""
    line, start, header, names = 1, 1, "", list[str | int]()
    value, opened, item = False, "", 0
    for token in _TOKEN.finditer(text):
        kind, said = token.lastgroup, token[0]
        if kind == "end" and not opened:
            if header:
                yield start, header, names
            start, header, names, value, item = line + 1, "", [], False, 0
        elif value and kind == "mark":
            if said == "{" and opened == "[":
                yield line, "", [*names, item]
                item += 1
            opened = opened + said if said in "[{" else opened[:-1] if said in "]}" else opened
        elif not value and said == "=":
            yield start, "", names
            value = True
        elif not value and said == "[":
            header += said
        elif not value and kind in ("bare", "string"):
            names.append(said if kind == "bare" else tomllib.loads(f"x = {said}")["x"])
        line += said.count("\n")
    if header:
        yield start, header, names
