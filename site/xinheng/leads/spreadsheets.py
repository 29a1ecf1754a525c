"""Tables as files that Chinese Excel opens right, and in which nothing is a formula, whatever somebody typed as a name."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import xlsxwriter

from xinheng.settings import SHANGHAI

Cell = str | int | datetime | None
"""Instants have their zone, and are shown in Shanghai's."""

_FORMULA = "=+-@"
_QUOTES = "'\"‘’“”`"
MOST_ROWS = 1_048_576 - 4
"""How many rows a sheet of Excel holds, but for the two above and what is said below."""


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it for programs, `heading` for people; `width` in characters."""

    key: str
    heading: str
    width: int = 12


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are made while it is written. `head` stands above it; `tail` is asked for when all rows are
    written, and stands below them where it says anything."""

    head: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    tail: Callable[[], str]


Writer = Callable[[Table, Path], None]


def write_csv(table: Table, file: Path) -> None:
    """With the mark by which Excel knows UTF-8, lines as Windows ends them, and days as it reads them."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([_harmless(table.head)])
        writer.writerow([_harmless(column.heading) for column in table.columns])
        for row in table.rows:
            writer.writerow([_csv_text(cell) for cell in row])
        if tail := table.tail():
            writer.writerow([_harmless(tail)])


def write_xlsx(table: Table, file: Path) -> None:
    """Row by row, so that memory doesn't grow; texts are texts, days are days."""
    options = {
        "constant_memory": True,
        "tmpdir": str(file.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet = book.add_worksheet()
        bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for number, column in enumerate(table.columns):
            sheet.set_column(number, number, column.width)
        sheet.freeze_panes(2, 0)
        sheet.write_string(0, 0, _plain(table.head))
        for number, column in enumerate(table.columns):
            sheet.write_string(1, number, _plain(column.heading), bold)
        place = 1
        for place, row in enumerate(table.rows, start=2):
            for number, cell in enumerate(row):
                match cell:
                    case datetime():
                        sheet.write_datetime(place, number, _local(cell).replace(tzinfo=None), moment)
                    case int():
                        sheet.write_number(place, number, cell)
                    case str() if cell:
                        sheet.write_string(place, number, _plain(cell))
        sheet.autofilter(1, 0, max(place, 2), len(table.columns) - 1)
        if tail := table.tail():
            sheet.write_string(place + 1, 0, _plain(tail))


def write_json(table: Table, file: Path) -> None:
    """For programs: one object, a row a line."""
    keys = [column.key for column in table.columns]
    with file.open("w", encoding="utf-8") as stream:
        stream.write('{"about": ' + json.dumps(table.head, ensure_ascii=False) + ', "rows": [')
        for number, row in enumerate(table.rows):
            told = {key: _json_value(cell) for key, cell in zip(keys, row, strict=True)}
            stream.write((",\n" if number else "\n") + json.dumps(told, ensure_ascii=False))
        stream.write('\n], "left_out": ' + json.dumps(table.tail(), ensure_ascii=False) + "}\n")


WRITERS: Mapping[str, Writer] = MappingProxyType({"csv": write_csv, "xlsx": write_xlsx, "json": write_json})
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "csv": "text/csv; charset=utf-8",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "json": "application/json",
    }
)


def _csv_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return f"{_local(cell):%Y-%m-%d %H:%M}"
        case int():
            return str(cell)
    return _harmless(cell)


def _harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet could take it for a formula: behind spaces, quotes and
    signs that nobody sees too, and in full-width signs."""
    plain = _plain(text)
    first = next((sign for sign in plain if not _is_passed_over(sign)), "")
    return f"'{plain}" if first and unicodedata.normalize("NFKC", first)[0] in _FORMULA else plain


def _plain(text: str) -> str:
    """One line without control characters: a cell that begins with a tab or a line's end is no text to every program."""
    if text.isprintable():
        return text
    signs = (" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in text)
    return "".join(sign for sign in signs if unicodedata.category(sign) != "Cs")


def _is_passed_over(sign: str) -> bool:
    return sign.isspace() or sign in _QUOTES or unicodedata.category(sign) in {"Cf", "Zs", "Mn"}


def _json_value(cell: Cell) -> str | int | None:
    return _local(cell).isoformat(timespec="seconds") if isinstance(cell, datetime) else cell


def _local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)
