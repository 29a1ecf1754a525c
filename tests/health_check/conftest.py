"""The check that ships, and a copy of its file to write mistakes into."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import ROOT

from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import HEALTH_CHECK, load_health_check


@dataclass
class Written:
    """A health check of the test's own."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / HEALTH_CHECK

    def load(self) -> HealthCheck:
        return load_health_check(self.folder, None)

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def check() -> HealthCheck:
    return load_health_check(ROOT / "forms", None)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    shutil.copy(ROOT / "forms" / HEALTH_CHECK, tmp_path)
    return Written(tmp_path)
