"""A health check that can't be used is refused with file, key path and what was expected."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from tests.conftest import ROOT
from tests.health_check.conftest import Written

from xinheng.cli import main
from xinheng.documents import BadDocument
from xinheng.health_check.loader import HEALTH_CHECK, load_health_check

RF1 = 'all = { top1 = "gt50", oldest = "d91_180" }'
C1 = 'at_least = { top1 = "gt50" }'
LT05 = '{ key = "lt05", label = "有，不到赊销额的0.5%", points = 30, value = 0.003, stock = 0.9 }'
FLAGS = "[[red_flags]]"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # keys and types
        ('version = "1.0"', "", "version：缺少这一项"),
        ('version = "1.0"', 'version = "one"', "version：格式不对"),
        ('version = "1.0"', "version = 1.0", "version：应为文字"),
        ('language = "zh-CN"', 'language = "en"', "language：应为 zh-CN"),
        ('version = "1.0"', 'version = "1.0"\ncolour = "red"', "colour：没有这个键"),
        ("weight = 22", "weight = 22.5", "dimensions.0.weight：应为整数"),
        ("weight = 22", 'weight = "22"', "dimensions.0.weight：应为整数"),
        ("weight = 22", "weight = true", "dimensions.0.weight：应为整数"),
        ("weight = 22", "weight = 0", "dimensions.0.weight：不能小于 1"),
        ("control = true", 'control = "yes"', "dimensions.2.control：应为 true 或 false"),
        ("points = 15, value = 45", 'points = 15, value = "45"', "questions.0.options.1.value：应为数字"),
        ("points = 15, value = 45", "points = 15, value = nan", "questions.0.options.1.value：应为有限的数字"),
        ("points = 15, value = 45", "points = 15, value = -1", "questions.0.options.1.value：不能小于 0"),
        ("points = 100, value = 150", "points = 101, value = 150", "questions.0.options.4.points：不能大于 100"),
        ('key = "le30"', 'key = "Le30"', "questions.0.options.0.key：格式不对"),
        ('label = "30天以内"', 'label = ""', "questions.0.options.0.label：不能为空"),
        ('effort = "中"', 'effort = "不大"', "questions.0.reason.effort：应为 低、中、高"),
        ("[questions.reason]", "[questions.cause]", "questions.0.reason：缺少这一项"),
        ('unsure = { low = "d31_60", mid = "d61_90", high = "gt120" }', "", "questions.0.unsure：缺少这一项"),
        ("ageing = [1, 0, 0, 0, 0]", "ageing = [1, 0, 0, 0]", "questions.2.options.0.ageing"),
        ("low = 365\n", "", "parameters.days_basis.low：缺少这一项"),
        ('trust = "待核对"', 'trust = "猜的"', "parameters.funding_rate.trust：应为"),
        ("days_basis", "days", "parameters.days：没有这个键"),
        ('floor = "high"', 'floor = "highest"', "red_flags.0.floor：应为 low、moderate、elevated、high"),
        ("count = 3", "count = 0", "reason_codes.count：不能小于 1"),
        ("count = 3", "count = three", "TOML 写法有误"),
        # weights
        ("weight = 22", "weight = 21", "dimensions：各项 weight 加起来是 99，应为 100"),
        ("weight = 35", "weight = 34", "questions.3.weight：D1 各题（dso、overdue_share、oldest、bad_debt）的 weight 加起来是 99，应为 100"),
        ('dim = "D1"', 'dim = "D0"', "questions.0.dim：没有维度 D0，应为 D1、D2"),
        ('[[dimensions]]\nid = "D1"', '[[dimensions]]\nid = "D0"\nname = "空"\nweight = 1\n\n[[dimensions]]\nid = "D1"', "dimensions.0：D0 一道题也没有"),
        # what is written twice
        ('id = "D2"', 'id = "D1"', "dimensions.1.id：D1 写了两次"),
        ('id = "overdue_share"', 'id = "dso"', "questions.1.id：dso 写了两次"),
        ('allow_number = "credit_sales_wan"', 'allow_number = "dso"', "questions.0.id：dso 写了两次"),
        ('key = "d31_60"', 'key = "le30"', "questions.0.options.1.key：le30 写了两次"),
        ('key = "textile"', 'key = "building"', "profile.0.options.1.key：building 写了两次"),
        ('code = "R_OVERDUE"', 'code = "R_DSO"', "questions.1.reason.code：R_DSO 写了两次"),
        ('id = "RF2"', 'id = "RF1"', "red_flags.1.id：RF1 写了两次"),
        ('id = "C2"', 'id = "C1"', "consistency.1.id：C1 写了两次"),
        # options
        ("points = 15", "points = 41", "questions.0.options.2.points：从好到差，不能小于上一项的 41"),
        ('key = "le30"', 'key = "unsure"', "questions.0.options.0.key：unsure 留给“不清楚”"),
        ('unsure = { low = "d31_60"', 'unsure = { low = "d30"', "questions.0.unsure.low：没有选项 d30，应为 le30、d31_60"),
        ('unsure = { low = "d31_60", mid = "d61_90"', 'unsure = { low = "d91_120", mid = "d61_90"', "questions.0.unsure：low、mid、high 应从好到差"),
        ('unsure = { low = "d31_60", mid = "d61_90", high = "gt120" }', 'unsure = { low = "gt120", mid = "gt120", high = "gt120" }', "questions.0.unsure：low 和 high 的 points 应不同"),
        ('default = "other"', 'default = "none"', "profile.0.default：没有选项 none，应为 building、"),
        ('default = "other"', 'default = "other"\nallow_number = "industry_wan"', "profile.0.allow_number：只有 credit_sales 可以直接填金额"),
        # bands
        ("from = 0", "from = 1", "levels.0.from：应为 0：评分从 0 起，不能有空档"),
        ("from = 45", "from = 25", "levels.2.from：应大于上一档的 25"),
        ('id = "moderate"', 'id = "elevated"', "levels：应依次为 low、moderate、elevated、high，各写一次"),
        ("max_unsure_share = 1.0", "max_unsure_share = 0.9", "confidence.3.max_unsure_share：应为 1"),
        ("max_unsure_share = 0.3", "max_unsure_share = 0.1", "confidence.1.max_unsure_share：应大于上一档的 0.1"),
        ('id = "fair"', 'id = "weak"', "confidence：应依次为 good、fair、weak、insufficient"),
        ("low = 2000,", "low = 2500,", "profile.1.options.2.low：应为上一档的 high 2000，不能有空档"),
        ("low = 100, mid = 300, high = 500", "low = 100, mid = 600, high = 500", "profile.1.options.0：应有 0 < low ≤ mid ≤ high"),
        ("low = 100, mid = 100, high = 100", "low = 100, mid = 100, high = 200", "profile.1.options：要有 unsure 一项"),
        # branches and conditions that point nowhere
        ('only_if_not = { export_share = "none" }', 'only_if_not = { exports = "none" }', "dimensions.7.only_if_not.exports：没有题目 exports，应为 industry、credit_sales、export_share"),
        ('only_if_not = { export_share = "none" }', 'only_if_not = { dso = "le30" }', "dimensions.7.only_if_not.dso：没有题目 dso"),
        ('only_if_not = { export_share = "none" }', 'only_if_not = { export_share = "no" }', "dimensions.7.only_if_not.export_share：没有选项 no，应为 none、lt20、e20_50、gt50"),
        ('only_if_not = { export_share = "none" }', 'only_if_not = { export_share = "none" }\ncontrol = true', "dimensions.7.control：有 only_if_not 的维度不能算内控"),
        (RF1, 'all = { top2 = "gt50" }', "red_flags.0.all.top2：没有题目 top2，应为 dso、"),
        (RF1, 'all = { top1 = "gt60" }', "red_flags.0.all.top1：没有选项 gt60，应为 le10、"),
        (RF1, "", "red_flags.0：应写 all 或 runway_at_most"),
        (C1, 'at_least = { top1 = "gt60" }', "consistency.0.at_least.top1：没有选项 gt60"),
        (f'{C1}\nat_most = {{ top5 = "p30_50" }}', "", "consistency.0：应写 at_least 或 at_most"),
        ('listed_last = ["D9"]', 'listed_last = ["D10"]', "reason_codes.listed_last.0：没有维度 D10，应为 D1、"),
        # what the estimate needs
        ("points = 15, value = 45", "points = 15", "questions.0.options.1.value：缺少这一项，估算要用到它"),
        ("points = 15, value = 45", "points = 15, value = 24", "questions.0.options.1.value：从好到差，不能小于上一项的 25"),
        ("points = 20, value = 4.5", "points = 20, value = 9", "questions.15.options.1.value：从好到差，不能大于上一项的 8"),
        ("points = 25, value = 0.1", "points = 25, value = 1.1", "questions.1.options.1.value：应为 0 到 1 的份额"),
        ('label = "30%以内", points = 0', 'label = "30%以内", points = 0, value = 1', "questions.5.options.0.value：估算用不到，请删去"),
        (LT05, LT05.replace("stock = 0.9", "stock = 0.5"), "questions.3.options.1.stock：从好到差，不能小于上一项的 0.6"),
        ("ageing = [0.6, 0.4, 0, 0, 0]", "ageing = [0.6, 0.3, 0, 0, 0]", "questions.2.options.2.ageing：五段加起来是 0.9，应为 1"),
        ("ageing = [0.45, 0.3, 0.25, 0, 0]", "ageing = [0.7, 0.3, 0, 0, 0]", "questions.2.options.3.ageing：从好到差，账龄不能比上一项短"),
        ('label = "建筑、建材", factor = 1.3', 'label = "建筑、建材"', "profile.0.options.0.factor：缺少这一项，估算要用到它"),
        ('id = "export_share"', 'id = "exports"', "profile：缺少题目 export_share，估算要用到它"),
        ("low = 0.5\n", "low = 0.4\n", "parameters.history_credibility：low、base、high 应相同"),
        ("low = 0.053\nbase = 0.053\nhigh = 0.053", "low = 0\nbase = 0\nhigh = 0", "parameters.margin：应大于 0"),
        ("low = 0.053\nbase = 0.053\nhigh = 0.053", "low = 1\nbase = 1\nhigh = 1", "parameters.margin：应小于 1"),
        ("low = 0.95\nbase = 0.9\n", "low = 0.8\nbase = 0.9\n", "parameters.insured_percentage：应有 low ≥ base ≥ high"),
        ("low = 0.0025", "low = 0.006", "parameters.prior_loss_rate：应有 low ≤ base ≤ high"),
        ("low = 0.03\nbase = 0.04\nhigh = 0.06", "low = 3\nbase = 4\nhigh = 6", "parameters.funding_rate：应为 0 到 1 的比例"),
        ("low = 0.2\n", "low = 0.05\n", "parameters.bucket_loss_180p：每一栏都不能小于 bucket_loss_91_180"),
        ("low = 1.8\n", "low = 0.5\n", "parameters.dso_factor_max：每一栏都不能小于 dso_factor_min"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_what_was_expected(
    written: Written, old: str, new: str, says: str
) -> None:
    written.change(old, new)
    with pytest.raises(BadDocument) as raised:
        written.load()
    assert {fault.file for fault in raised.value.faults} == {written.file}
    assert f": {says}" in str(raised.value)
    assert all(fault.line or "." not in fault.key for fault in raised.value.faults)


def test_there_must_be_a_control(written: Written) -> None:
    text = written.file.read_text(encoding="utf-8")
    written.file.write_text(text.replace("control = true\n", ""), encoding="utf-8")
    with pytest.raises(BadDocument, match=r"dimensions：至少有一项 control = true"):
        written.load()


def test_a_question_that_the_estimate_needs_cannot_go(written: Written) -> None:
    text = written.file.read_text(encoding="utf-8")
    assert '"top1"' in text
    written.file.write_text(text.replace('id = "top1"', 'id = "first"'), encoding="utf-8")
    with pytest.raises(BadDocument, match=r"questions：缺少题目 top1，估算要用到它"):
        written.load()


def test_everything_that_is_wrong_is_named_at_once(written: Written) -> None:
    written.change("weight = 22", "weight = 21")
    written.change("from = 0", "from = 1")
    with pytest.raises(BadDocument) as raised:
        written.load()
    assert [fault.key for fault in raised.value.faults] == ["levels.0.from", "dimensions"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDocument, match=rf"{HEALTH_CHECK}: 缺少这个文件"):
        load_health_check(tmp_path, None)


# --- articles ---


def test_an_article_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadDocument) as raised:
        load_health_check(ROOT / "forms", ["ageing-report"])
    assert raised.value.faults[0].key == "questions.0.reason.article"
    assert "没有文章 dso-how-to-measure-and-lower，应为 content/articles/ 里的文件名" in str(raised.value)
    assert "ageing-report" not in str(raised.value)


def test_checking_a_site_names_an_article_that_is_gone(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("XINHENG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(data_root)
    written = Written(data_root / "forms")
    written.change('impact = "高"\n', 'impact = "高"\narticle = "first-call"\n')
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
    (data_root / "content" / "articles" / "first-call.md").unlink()
    result = CliRunner().invoke(main, ["check", "forms"])
    assert result.exit_code == 1
    assert re.search(
        r"health_check\.toml:\d+: questions\.0\.reason\.article：没有文章 first-call", result.stdout
    )


def test_a_site_has_its_check(app: Flask) -> None:
    assert app.extensions["xinheng.health_check"]().version == "1.0"


def test_an_article_may_be_left_out(written: Written) -> None:
    written.change('article = "dso-how-to-measure-and-lower"\n', "")
    assert written.load().scored["dso"].reason.article == ""
