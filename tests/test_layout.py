"""The tree itself: what must not be there, what must not be ignored, what locks and the package hold."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.conftest import ROOT

PACKAGE = ROOT / "site" / "xinheng"
TEMPLATES = PACKAGE / "templates"
LOCKS = sorted(ROOT.glob("requirements*.lock"))
STATIC = [file for file in sorted((ROOT / "static").rglob("*")) if file.is_file()]


def names(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


def of_page(file: Path) -> bool:
    return file.suffix == ".html" and file.parent.name not in {"components", "layouts"}


PAGES = [file for file in sorted(TEMPLATES.rglob("*.html")) if of_page(file)]
CODE = [*sorted(PACKAGE.rglob("*.py")), ROOT / "wsgi.py"]


# --- the tree ---


def test_site_is_a_source_root_and_no_package() -> None:
    """`site` is a module of the standard library: an __init__.py there breaks the interpreter."""
    assert not (ROOT / "site" / "__init__.py").exists()
    assert [each.name for each in (ROOT / "site").iterdir() if each.name != "__pycache__"] == ["xinheng"]


@pytest.mark.parametrize(
    "path",
    ["site/xinheng/app.py", "site/x.mo", "translations/en/LC_MESSAGES/messages.mo", "static/css/base.css", "content/articles/new.md", "forms/new.toml", "requirements.lock", "requirements-dev.lock"],
)  # fmt: skip
def test_git_ignores_nothing_of_ours(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT, check=False)
    assert done.returncode == 1, path


@pytest.mark.parametrize(
    "path", ["var/leads.db", "var/keys/field.1.key", ".venv/bin/python", "site/xinheng/__pycache__/app.pyc"]
)
def test_git_ignores_data_keys_and_what_is_made(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT, check=False)
    assert done.returncode == 0, path


def test_no_data_and_no_key_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert "site/xinheng/app.py" in listed
    assert [
        path
        for path in listed
        if path.endswith((".db", ".key", ".pem", ".log", ".pyc")) or path.startswith("var/")
    ] == []


def test_the_wheel_holds_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["site/xinheng"]}
    assert project["tool"]["ruff"]["src"] == ["site"]
    assert project["project"]["scripts"] == {"xinheng": "xinheng.cli:main"}


# --- the locks ---


def test_there_are_locks() -> None:
    assert names(LOCKS) == ["requirements-dev.lock", "requirements.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda file: file.name)
def test_a_lock_names_no_host_and_pins_every_package_by_hash(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"https?:|index-url|find-links|extra-index|trusted-host|@ file", text)
    requirements = re.findall(r"^[a-z0-9][^\s\\]*", text, re.MULTILINE)
    assert len(requirements) > 20
    assert all("==" in each for each in requirements)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_what_runs_is_a_part_of_what_is_developed_with() -> None:
    run, develop = (
        set(re.findall(r"^[a-z0-9][^\s\\]*", file.read_text(encoding="utf-8"), re.MULTILINE))
        for file in sorted(LOCKS, key=lambda file: len(file.name))
    )
    assert run <= develop


def test_every_dependency_is_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = set(
        re.findall(
            r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    wanted = {re.split(r"[<>=\[; ]", each)[0].lower() for each in project["project"]["dependencies"]}
    assert wanted <= locked


# --- templates ---


def test_there_are_templates() -> None:
    assert len(PAGES) >= 12


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_page_extends_the_layout_or_another_page(file: Path) -> None:
    first = file.read_text(encoding="utf-8").split("\n")[0]
    match = re.fullmatch(r'\{% extends "([\w/]+\.html)" %\}', first)
    assert match, first
    assert (TEMPLATES / match[1]).exists()


@pytest.mark.parametrize(
    "file", sorted(TEMPLATES.rglob("*.*")), ids=lambda file: str(file.relative_to(TEMPLATES))
)
def test_a_template_escapes_and_has_nothing_inline(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert file.suffix in {".html", ".xml", ".txt"}
    assert "|safe" not in text.replace(" ", "")
    assert "autoescape" not in text
    assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:", text)
    assert not re.search(r"<style[\s>]|<script(?![^>]*(?:src=|ld\+json))", text)
    assert not re.search(r'(?:src|srcset)="(?:https?:)?//', text), "nothing from another host"


@pytest.mark.parametrize("file", STATIC, ids=lambda file: str(file.relative_to(ROOT / "static")))
def test_a_static_file_asks_nothing_of_another_host(file: Path) -> None:
    if file.suffix not in {".css", ".js", ".svg"}:
        return
    text = file.read_text(encoding="utf-8")
    assert not re.search(
        r"@import|url\(\s*['\"]?(?:https?:)?//|from\s+['\"]https?:|import\(\s*['\"]https?:", text
    )
    assert not re.search(r"\beval\(|new Function\(|innerHTML|document\.write|document\.cookie", text)


@pytest.mark.parametrize(
    "file", [file for file in STATIC if file.suffix == ".js"], ids=lambda file: file.name
)
def test_a_module_has_less_than_150_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < 150


# --- code ---


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_of_code_is_one_topic(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 310
    assert file.stem not in {"utils", "helpers", "common", "manager", "misc"}
    assert ast.get_docstring(ast.parse(text)), "says what it is for"


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_markup_is_made_where_html_is_cleaned_only(file: Path) -> None:
    """Elsewhere it only takes up again what markup.render made."""
    text = file.read_text(encoding="utf-8")
    for line in text.split("\n"):
        if re.search(r"(?<![\w.])Markup\((?!\"\"\)|\"<(?:mark|wbr)>|'<(?:a|bdi) )", line):
            assert (
                "made by markup.render" in line
                or "cleaned by the allow-list" in line
                or "as just checked" in line
            ), line
    assert "autoescape" not in text


def test_every_file_of_tests_is_named_after_what_it_tests() -> None:
    tests = ROOT / "tests"
    whole = {"test_advisories.py", "test_content.py", "test_layout.py", "test_translations.py"}
    for file in sorted(tests.rglob("test_*.py")):
        inside = file.relative_to(tests)
        if inside.parts[0] in {"browser", "faults", "figures"} or inside.name in whole:
            continue
        words = inside.stem.removeprefix("test_").split("_")
        folder = PACKAGE / inside.parent
        names = ["_".join(words[:end]) for end in range(1, len(words) + 1)]  # record_together tests record
        there = any((folder / f"{name}.py").exists() or (folder / name).is_dir() for name in names)
        assert there or inside.name == "test_privacy.py", inside
