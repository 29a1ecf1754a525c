"""The company's own facts, read from content/site.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.conftest import ROOT

from xinheng.company import Company, load_company
from xinheng.documents import BadDocument


def test_the_company_that_ships_is_invented_and_says_so() -> None:
    company = load_company(ROOT / "content")
    assert company.sample
    assert "示例" in company.legal_name
    assert company.licence == "credit_mgmt_only"
    assert company.hotline.replace("-", "").strip("0") == "4", "nobody's number"
    assert company.email.endswith(".example")


def test_the_figures_of_the_home_page_have_their_source() -> None:
    home = load_company(ROOT / "content").home
    assert home.then.days < home.now.days
    assert "国家统计局" in home.source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "信衡"', "", "name：缺少这一项"),
        ('name = "信衡"', 'name = ""', "name：不能为空"),
        ('name = "信衡"', 'name = "信衡"\nslogan = "x"', "slogan：没有这个键"),
        ("retention_days = 180", "retention_days = 7", "retention_days：不能小于 30"),
        ("retention_days = 180", "retention_days = 5000", "retention_days：不能大于 1095"),
        ("retention_days = 180", 'retention_days = "半年"', "retention_days：应为整数"),
        ('hotline = "400-000-0000"', 'hotline = "打给我"', "hotline：格式不对"),
        ('email = "fankui@xinheng.example"', 'email = "fankui"', "email：格式不对"),
        ('licence = "credit_mgmt_only"', 'licence = "bank"', "licence：应为 credit_mgmt_only、"),
        ("days = 69.2", "days = 690", "home.now.days：不能大于 119"),
        ('when = "平时"', "", "services.3.when：缺少这一项"),
        ("[home]", "[[home]]", "home：应为一组键和值"),
        ("[home]", "[home", "TOML 写法有误"),
    ],
)
def test_a_mistake_names_file_and_key(data_root: Path, old: str, new: str, says: str) -> None:
    file = data_root / "content" / "site.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadDocument) as raised:
        load_company(data_root / "content")
    assert {fault.file for fault in raised.value.faults} == {file}
    assert says in str(raised.value)


def test_facts_cannot_be_changed_in_passing() -> None:
    company: Company = load_company(ROOT / "content")
    with pytest.raises(ValidationError):
        company.name = "other"  # type: ignore[misc]
