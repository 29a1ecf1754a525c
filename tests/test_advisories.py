"""What `make audit` says: only what a source has examined counts as examined."""

from __future__ import annotations

from typing import Any

import pytest
from tests.advisories import told

Package = dict[str, Any]
CLEAN: Package = {"name": "flask", "version": "3.1.3", "vulns": []}
UNKNOWN: Package = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited"}
FAULTY: Package = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "aliases": ["CVE-2014-1402"], "fix_versions": ["2.7.2"]}],
}


def reports(*packages: Package) -> list[dict[str, Any]]:
    return [{"dependencies": list(packages), "fixes": []}]


def test_what_was_examined_and_is_clean_passes() -> None:
    assert told("a.lock", reports(CLEAN)) == ("a.lock: 1 of 1 packages examined, 0 advisories", 0)


def test_an_advisory_is_named_with_the_version_that_mends_it() -> None:
    text, code = told("a.lock", reports(CLEAN, FAULTY))
    assert code == 1
    assert "jinja2 2.4.1: PYSEC-2014-8 CVE-2014-1402, fixed in 2.7.2" in text


@pytest.mark.parametrize("found", [[], [{}], [{}, {}], reports(UNKNOWN, UNKNOWN)])
def test_a_source_that_cannot_be_reached_has_examined_nothing(found: list[dict[str, Any]]) -> None:
    text, code = told("a.lock", found)
    assert code == 2
    assert "NOT AUDITED" in text


def test_what_the_source_does_not_know_is_named() -> None:
    text, code = told("a.lock", reports(CLEAN, UNKNOWN))
    assert code == 2
    assert "NOT AUDITED, for the source doesn't know them: jinja2" in text
    assert "1 of 2 packages examined" in text


def test_the_source_that_knows_most_is_believed() -> None:
    assert told("a.lock", [*reports(UNKNOWN), *reports(FAULTY)])[1] == 1
