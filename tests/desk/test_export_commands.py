"""`xinheng export`: a file for its owner only, recorded, and never over another."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, select
from tests.conftest import ROOT
from tests.leads.colleagues import hire, plain_lead, put_leads

from xinheng.audit.models import AuditHead, AuditRow
from xinheng.crypto import Keys, load_keys
from xinheng.db import Databases
from xinheng.desk.export_commands import export_command


@pytest.fixture(autouse=True)
def site_here(tmp_path: Path, opened: Databases, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """The command is called in the site's folder; its database has been made by a start."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("XINHENG_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    return load_keys(tmp_path / "var" / "keys")


def call(file: Path, *arguments: str, reason: str = "年度合规检查", form: str = "csv") -> Result:
    return CliRunner().invoke(export_command, ["--format", form, "--reason", reason, *arguments, str(file)])


def put(opened: Databases, keys: Keys, count: int = 1, **changed: object) -> None:
    rows = []
    for _ in range(count):
        row = plain_lead(**changed)
        for column, text in (("name", "欧阳震华"), ("phone", "+8613974625813"), ("extension", "")):
            row[column] = keys.seal(text, f"leads:{column}:{row['id']}")
        rows.append(row)
    put_leads(opened.leads, rows)


def test_it_writes_all_leads_masked(opened: Databases, site_here: Keys, tmp_path: Path) -> None:
    wu = hire(opened.leads, "吴凯")
    put(opened, site_here, 2, owner_id=wu.id)
    put(opened, site_here, 1, restricted=True)
    file = tmp_path / "leads.csv"
    done = call(file)
    assert (done.exit_code, "2条线索" in done.output) == (0, True), done.output
    text = file.read_text("utf-8-sig")
    assert "命令行于" in text
    assert text.count("欧**,139****5813,新线索,,吴凯") == 2
    assert file.stat().st_mode & 0o777 == 0o600
    with opened.leads.reading() as session:
        (row,) = session.scalars(select(AuditRow).where(AuditRow.action == "export"))
    assert (row.actor, row.detail) == (
        "command",
        {"count": 2, "filters": [], "format": "csv", "masked": True},
    )


def test_it_writes_whole_numbers_where_that_is_asked_for(
    opened: Databases, site_here: Keys, tmp_path: Path
) -> None:
    put(opened, site_here)
    assert call(tmp_path / "leads.json", "--full", form="json").exit_code == 0
    (row,) = json.loads((tmp_path / "leads.json").read_text("utf-8"))["rows"]
    assert (row["name"], row["phone"]) == ("欧阳震华", "139 7462 5813")
    assert call(tmp_path / "leads.xlsx", "--full", form="xlsx").exit_code == 0
    sheet = openpyxl.load_workbook(tmp_path / "leads.xlsx").worksheets[0]
    assert sheet["C3"].value == "139 7462 5813"


@pytest.mark.parametrize("reason", ["", "短", "给 138 0013 8000 回电", "因" * 101])
def test_wrong_use_ends_with_2(opened: Databases, tmp_path: Path, reason: str) -> None:
    assert call(tmp_path / "leads.csv", reason=reason).exit_code == 2
    assert not (tmp_path / "leads.csv").exists()


def test_a_file_that_is_there_stays(opened: Databases, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("mine")
    assert call(tmp_path / "leads.csv").exit_code == 2
    assert (tmp_path / "leads.csv").read_text() == "mine"
    assert call(tmp_path / "no" / "leads.csv").exit_code == 2


def test_what_cannot_be_recorded_is_not_written(opened: Databases, site_here: Keys, tmp_path: Path) -> None:
    put(opened, site_here)
    with opened.leads.writing() as session:
        session.execute(delete(AuditHead))
    done = call(tmp_path / "leads.csv")
    assert (done.exit_code, "没有导出" in done.output) == (1, True)
    assert not (tmp_path / "leads.csv").exists()
