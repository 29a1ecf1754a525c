"""How a limit is written, and what is said about one that can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinheng.limits import Limit, Limits, parse_limits
from xinheng.settings import SettingError, Settings

PRODUCTION = {"XINHENG_ENV": "production", "XINHENG_ORIGIN": "https://www.xinheng.example"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("content", "forms", "static", "translations"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_what_is_not_named_keeps_its_default() -> None:
    found = parse_limits("  all=500/2h phone=3/90s request=20/1h ")
    assert found == Limits(all=Limit(500, 7200), phone=Limit(3, 90), request=Limit(20, 3600))
    assert parse_limits("") == Limits()


@pytest.mark.parametrize(
    "part",
    ["all", "all=0/1h", "all=5", "all=5/1w", "all=5/40d", "ip=5/1h", "all=-1/1h", "all=5/1h,", "ALL=5/1h"],
)
def test_a_part_that_cannot_be_read_is_named(root: Path, part: str) -> None:
    with pytest.raises(SettingError, match=r"XINHENG_LIMITS.*address=10/10m") as told:
        Settings.from_env({"XINHENG_LIMITS": f"phone=3/1d {part}"}, root)
    assert repr(part) in str(told.value)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="all=6/1h"):
        parse_limits("all=5/1h all=6/1h")


def test_off_is_for_development_only(root: Path) -> None:
    assert Settings.from_env({"XINHENG_LIMITS": "off"}, root).limits is None
    assert Settings.from_env(PRODUCTION, root).limits == Limits()
    with pytest.raises(SettingError, match="XINHENG_LIMITS=off：正式环境"):
        Settings.from_env(PRODUCTION | {"XINHENG_LIMITS": "off"}, root)
