"""What to say on the phone: the guide marketers write, and the words one lead's page shows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from click.testing import CliRunner
from flask import Flask, render_template
from tests.conftest import ROOT

from xinheng.articles.index import compile_content
from xinheng.cli import main
from xinheng.company import load_company
from xinheng.desk.attached_checks import AttachedChecks
from xinheng.documents import BadDocument
from xinheng.forms.call_guide import (
    CALL_GUIDE,
    Call,
    CallGuide,
    Guide,
    Offer,
    Opening,
    ShownGuide,
    day_in_words,
    guide_for,
    load_call_guide,
    opening_questions,
)
from xinheng.forms.loader import load_consultation
from xinheng.forms.needs import offered_needs
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import load_health_check

NEEDS = ("receivables", "overdue", "other")
SLUGS = ("first-call", "ageing")
OVERDUE = """
[[guides]]
needs = ["overdue"]
say = "{visitor}，您好，我是{company}{caller}，{when}您问的是{need}。"
ask = ["哪几家？", "多少钱？"]
offer = [{ text = "时间表", article = "first-call" }, { text = "样张" }]
avoid = ["打给家属"]
"""
DEFAULT = """
[[guides]]
default = true
ask = ["什么事？", "急不急？"]
"""
OPENINGS = """
[[openings]]
question = "hold"
ask = "您选的是“{answer}”，上一次是谁定的？"
unsure = "上一次是谁定的？"
[[openings]]
question = "dso"
ask = "回款“{answer}”，是账期还是拖？"
unsure = "近来几笔各用了多久？"
"""
TEXT = f'say = "您好，我是{{company}}{{caller}}。"\navoid = ["一定收得回"]\n{OVERDUE}{DEFAULT}{OPENINGS}'
QUESTIONS = ("dso", "hold", "top1")
CALL = Call(
    caller="周敏",
    company="信衡",
    need="逾期账款跟进",
    asked_at=datetime(2026, 3, 11, 8, 42, tzinfo=UTC),
    now=datetime(2026, 3, 12, 1, 50, tzinfo=UTC),
    visitor="陈女士",
)


def write(folder: Path, text: str = TEXT) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / CALL_GUIDE
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def guide(tmp_path: Path) -> CallGuide:
    write(tmp_path)
    return load_call_guide(tmp_path, NEEDS, SLUGS, QUESTIONS)


@pytest.fixture(scope="module")
def shipped_needs() -> Mapping[str, str]:
    """The needs of the form that ships, with their labels."""
    form = load_consultation(ROOT / "forms", load_company(ROOT / "content")).declaration
    return {need: form.field("need").option_label(need) for need in offered_needs(form)}


@pytest.fixture(scope="module")
def shipped_check() -> HealthCheck:
    return load_health_check(ROOT / "forms", None)


@pytest.fixture(scope="module")
def shipped(shipped_needs: Mapping[str, str]) -> CallGuide:
    slugs = {each.article.slug for each in compile_content(ROOT / "content").articles}
    return load_call_guide(ROOT / "forms", shipped_needs, slugs)


# --- what is shown ---


def test_a_need_has_its_own_guide_and_the_common_words_to_leave_come_first(guide: CallGuide) -> None:
    shown = guide_for(guide, "overdue", CALL)
    assert shown.say == "陈女士，您好，我是信衡周敏，昨天您问的是逾期账款跟进。"
    assert shown.ask == ("哪几家？", "多少钱？")
    assert shown.offer == (Offer(text="时间表", article="first-call"), Offer(text="样张"))
    assert shown.avoid == ("一定收得回", "打给家属")


def test_the_weakest_answers_are_asked_about_in_the_visitors_own_words(guide: CallGuide) -> None:
    weak = [("top1", "一半以上"), ("dso", "120天以上"), ("hold", None)]
    assert opening_questions(guide, weak) == ["回款“120天以上”，是账期还是拖？", "上一次是谁定的？"]


def test_three_questions_are_enough_to_open_a_call(shipped: CallGuide) -> None:
    weak = [(opening.question, None) for opening in shipped.openings]
    assert opening_questions(shipped, weak) == [each.unsure for each in shipped.openings[:3]]


def test_braces_in_an_answer_stay_as_they_are(guide: CallGuide) -> None:
    assert opening_questions(guide, [("dso", "{answer}")]) == ["回款“{answer}”，是账期还是拖？"]


@pytest.mark.parametrize("need", ["other", "receivables", "withdrawn_last_year", ""])
def test_a_need_that_no_guide_names_gets_the_default(guide: CallGuide, need: str) -> None:
    shown = guide_for(guide, need, CALL)
    assert shown.say == "您好，我是信衡周敏。"
    assert shown.ask == ("什么事？", "急不急？")
    assert (shown.offer, shown.avoid) == ((), ("一定收得回",))


@pytest.mark.parametrize(
    ("say", "spoken"),
    [
        ("{visitor}您好，我是{company}的{caller}。", "您好，我是信衡的周敏。"),
        ("{visitor}，您好，我是{company}的{caller}。", "您好，我是信衡的周敏。"),
        ("{visitor}： {company}的{caller}给您回电。", "信衡的周敏给您回电。"),
        ("您好，我是{company}的{caller}。", "您好，我是信衡的周敏。"),
    ],
)
def test_a_name_that_was_not_shown_is_left_out_and_leaves_no_gap(
    tmp_path: Path, say: str, spoken: str
) -> None:
    write(tmp_path, TEXT.replace("您好，我是{company}{caller}。", say))
    guide = load_call_guide(tmp_path, NEEDS, SLUGS, QUESTIONS)
    assert guide_for(guide, "other", replace(CALL, visitor="")).say == spoken


def test_what_a_visitor_typed_is_never_taken_for_a_blank(guide: CallGuide) -> None:
    shown = guide_for(guide, "overdue", replace(CALL, visitor="{caller}", need="{company}"))
    assert shown.say == "{caller}，您好，我是信衡周敏，昨天您问的是{company}。"


def test_a_name_is_not_in_what_a_log_would_print(guide: CallGuide) -> None:
    assert "陈女士" not in repr(CALL)
    assert "陈女士" not in repr(guide_for(guide, "overdue", CALL))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("2026-03-12T09:49+08:00", "今天"),
        ("2026-03-12T00:00+08:00", "今天"),
        ("2026-03-12T10:30+08:00", "今天"),
        ("2026-03-13T00:10+08:00", "今天"),
        ("2026-03-11T23:59+08:00", "昨天"),
        ("2026-03-10T16:00+00:00", "昨天"),
        ("2026-03-10T15:59+00:00", "前天"),
        ("2026-03-09T23:59+08:00", "3月9日"),
        ("2026-01-01T00:00+08:00", "1月1日"),
        ("2025-12-31T23:59+08:00", "2025年12月31日"),
    ],
)
def test_the_day_is_said_as_one_says_it_in_shanghai(asked: str, words: str) -> None:
    now = datetime.fromisoformat("2026-03-12T09:50+08:00").astimezone(UTC)
    assert day_in_words(datetime.fromisoformat(asked), now) == words


# --- what ships ---


def test_what_ships_has_a_guide_for_every_need(shipped: CallGuide, shipped_needs: Mapping[str, str]) -> None:
    assert [need for need in shipped_needs if shipped.of(need).default] == ["other"]


@pytest.mark.parametrize("visitor", ["陈女士", ""])
def test_what_ships_can_be_said_aloud(
    shipped: CallGuide, shipped_needs: Mapping[str, str], visitor: str
) -> None:
    """Who calls comes first, nobody is addressed by a name that wasn't shown, nothing stays unfilled."""
    for need, label in shipped_needs.items():
        say = guide_for(shipped, need, replace(CALL, need=label, visitor=visitor)).say
        assert say.startswith(f"{visitor}您好，我是信衡的周敏。您昨天")
        assert say.endswith("现在接电话方便吗？")
        assert not re.search(r"[{}“”]|其他", say)


def test_no_question_or_offer_that_ships_promises_or_sells(shipped: CallGuide) -> None:
    """compliance.md GUA, FIN, A-01: what may not be promised, and what needs a licence."""
    said = [shipped.say]
    for guide in shipped.guides:
        said += [guide.say or "", *guide.ask, *(offer.text for offer in guide.offer)]
    said += [text for opening in shipped.openings for text in (opening.ask, opening.unsure)]
    forbidden = re.compile(
        r"一定|保证(?!人|期间)|确保|肯定|必[定然将]|成功率|百分|零风险|无风险|彻底|最[好快高低佳]|第一|胜诉|律师费"
        r"|评级|征信|保险|投保|承保|保费|保额|报价|理赔|免费|优惠|[!！]"
    )
    assert [line for line in said if forbidden.search(line)] == []


def test_what_ships_asks_about_every_scored_question(shipped: CallGuide, shipped_check: HealthCheck) -> None:
    assert [opening.question for opening in shipped.openings] == [*shipped_check.scored]


def test_what_ships_asks_openly_whatever_was_answered(shipped: CallGuide, shipped_check: HealthCheck) -> None:
    """Each is one sentence's worth of context and a question that yes or no doesn't answer."""
    asked = []
    for opening in shipped.openings:
        options = shipped_check.scored[opening.question].options
        asked += [opening_questions(shipped, [(opening.question, each.label)])[0] for each in options]
        asked += opening_questions(shipped, [(opening.question, None)])
    assert len(asked) == 21 + sum(len(each.options) for each in shipped_check.questions)
    for question in asked:
        assert question.endswith("？")
        assert "{" not in question
        assert not re.search(r"[吗吧]？", question), question
        assert re.search(r"哪|谁|什么|怎么|多[少久]|几|没有|还是|因为", question), question


@pytest.mark.parametrize("subject", ["一定收得回", "官司", "律师", "评级、征信、保险产品"])
def test_what_may_not_be_promised_stands_beside_every_call(
    shipped: CallGuide, shipped_needs: Mapping[str, str], subject: str
) -> None:
    for need in shipped_needs:
        assert subject in "；".join(guide_for(shipped, need, CALL).avoid)


# --- on the lead's page ---


def shown_on_the_page(app: Flask, guide: ShownGuide, read: Sequence[str], answers: Sequence[Any] = ()) -> Any:
    """The rendered section, parsed strictly."""
    with app.test_request_context("/desk/"):
        html = render_template(
            "components/call_guide.html",
            guide=guide,
            checks=AttachedChecks({}, ""),
            library=app.extensions["xinheng.library"].current(),
            file=SimpleNamespace(latest=SimpleNamespace(articles_read=read, answers=answers)),
        )
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(html)


def column(page: Any, heading: str) -> list[str]:
    """The lines below a heading."""
    for block in page.iter("div"):
        if block.findtext("h3") == heading:
            return ["".join(item.itertext()) for item in block.iter("li")]
    return []


def test_the_page_shows_what_to_say_ask_give_and_leave(app: Flask, guide: CallGuide) -> None:
    page = shown_on_the_page(
        app, guide_for(guide, "overdue", CALL), ["ageing"], [("单位", "甲<公司>"), ("城市", "")]
    )
    assert page.findtext(".//p") == "“陈女士，您好，我是信衡周敏，昨天您问的是逾期账款跟进。”"
    assert column(page, "先问") == ["哪几家？", "多少钱？"]
    assert column(page, "对方关心") == ["单位：甲<公司>", "读过《账龄表怎么看》"]
    assert column(page, "可以给的") == ["时间表", "样张"]
    assert column(page, "不要说") == ["一定收得回", "打给家属"]
    assert [link.get("href") for link in page.iter("a")] == ["/articles/first-call"]


def test_the_page_leaves_out_what_nothing_is_known_of(app: Flask, guide: CallGuide) -> None:
    page = shown_on_the_page(app, guide_for(guide, "other", CALL), ["an-article-that-is-gone"])
    assert [heading.text for heading in page.iter("h3")] == ["先问", "不要说"]


def test_an_article_that_is_not_published_is_named_without_a_link(app: Flask, guide: CallGuide) -> None:
    gone = replace(guide_for(guide, "other", CALL), offer=(Offer(text="时间表", article="next-month"),))
    page = shown_on_the_page(app, gone, [])
    assert column(page, "可以给的") == ["时间表"]
    assert list(page.iter("a")) == []


def test_many_articles_read_are_summed_up(shipped_app: Flask, shipped: CallGuide) -> None:
    slugs = [article.slug for article in shipped_app.extensions["xinheng.library"].current().articles[:6]]
    page = shown_on_the_page(shipped_app, guide_for(shipped, "overdue", CALL), slugs)
    assert len(column(page, "对方关心")) == 5
    assert column(page, "对方关心")[-1] == "还读过2篇"
    assert len(list(page.iter("a"))) == 3


# --- the README ---


MODELS = (CallGuide, Guide, Offer, Opening)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_explained_in_the_readme(model: type[CallGuide | Guide | Offer | Opening]) -> None:
    readme = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"`{CALL_GUIDE}`\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z_]+)` \|.{8,}\|$", section, re.MULTILINE)
    assert set(model.model_fields) <= set(explained)
    assert len(explained) == sum(len(each.model_fields) for each in MODELS)


# --- what is refused ---


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('needs = ["overdue"]', 'needs = ["overdue", "gone"]', "guides.0.needs.1：consultation.toml 没有需求 gone，应为 receivables、overdue、other"),
        ('needs = ["overdue"]', 'needs = "overdue"', "guides.0.needs：应为列表"),
        ('needs = ["overdue"]', "", "guides.0：needs 和 default = true 写一样"),
        ("default = true", 'default = true\nneeds = ["other"]', "guides.1：needs 和 default = true 写一样"),
        ("default = true", 'needs = ["other"]', "guides 里要有且只有一份 default = true"),
        ('needs = ["overdue"]', "default = true", "guides 里要有且只有一份 default = true"),
        (DEFAULT, OVERDUE + DEFAULT, "一项需求只能写在一份 guides 里：overdue"),
        ('"first-call"', '"first-cal"', "guides.0.offer.0.article：没有文章 first-cal，应为 content/articles/ 里的文件名"),
        ('text = "样张"', 'words = "样张"', "guides.0.offer.1.words：没有这个键"),
        ('text = "样张"', 'text = ""', "guides.0.offer.1.text：不能为空"),
        ('["哪几家？", "多少钱？"]', '["哪几家？"]', "guides.0.ask：至少要有 2 项"),
        ('["哪几家？", "多少钱？"]', '["一", "二", "三", "四", "五"]', "guides.0.ask：最多 4 项"),
        ('"多少钱？"', f'"{"问" * 41}"', "guides.0.ask.1：最多 40 个字"),
        ('"多少钱？"', '" "', "guides.0.ask.1：不能为空"),
        ('ask = ["什么事？", "急不急？"]', "", "guides.1.ask：缺少这一项"),
        ('avoid = ["一定收得回"]', "", "avoid：缺少这一项"),
        ('avoid = ["一定收得回"]', "avoid = []", "avoid：至少要有 1 项"),
        ("[[guides]]", "[[guide]]", "guide：没有这个键"),
        ("。", "。{phone}", "say：没有 {phone}，只能用 {visitor}、{caller}、{company}、{when}、{need}"),
        ("。", "。{", "say：花括号要成对"),
        ("。", "。{ need }", "say：花括号要成对"),
        ("我是{company}{caller}", "我是{caller}", "say：要有 {caller} 和 {company}"),
        ("我是{company}{caller}", "我是{company}", "say：要有 {caller} 和 {company}"),
        ("您好，我是{company}", "您好{visitor}，我是{company}", "say：{visitor} 只能写在最前面"),
        ('say = "{visitor}，您好', 'say = "{visitor}{visitor}，您好', "guides.0.say：{visitor} 只能写在最前面"),
        ('say = "{visitor}，您好', 'say = ""#', "guides.0.say：不能为空"),
        ("。", "话" * 120, "say：最多 120 个字"),
        ("default = true", "default = ja", "TOML 写法有误"),
        ('question = "hold"', 'question = "held"', "openings.0.question：health_check.toml 没有计分的题 held，应为 dso、hold、top1"),
        ('question = "hold"', 'question = "dso"', "一道题只能写一份 openings：dso"),
        ('question = "hold"', 'questions = "hold"', "openings.0.questions：没有这个键"),
        ("您选的是“{answer}”", "您选过了", "openings.0.ask：要有而且只有一处 {answer}"),
        ("您选的是“{answer}”", "您选的是“{answer}”{answer}", "openings.0.ask：要有而且只有一处 {answer}"),
        ("您选的是“{answer}”", "您选的是“{answer}”{visitor}", "openings.0.ask：要有而且只有一处 {answer}"),
        ("您选的是“{answer}”", "您选的是“{answer}”}", "openings.0.ask：要有而且只有一处 {answer}"),
        ("您选的是", "问" * 60, "openings.0.ask：最多 60 个字"),
        ('unsure = "上一次是谁定的？"', 'unsure = "“{answer}”？"', "openings.0.unsure：对方答的是“不清楚”"),
        ('unsure = "上一次是谁定的？"', "", "openings.0.unsure：缺少这一项"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in TEXT
    write(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(BadDocument) as raised:
        load_call_guide(tmp_path, NEEDS, SLUGS, QUESTIONS)
    assert f": {says}" in str(raised.value)


def test_all_unknown_needs_and_articles_are_named_at_once(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(BadDocument) as raised:
        load_call_guide(tmp_path, ["receivables"], ["ageing"])
    assert [fault.key for fault in raised.value.faults] == ["guides.0.needs.0", "guides.0.offer.0.article"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDocument, match=f"{CALL_GUIDE}: 缺少这个文件"):
        load_call_guide(tmp_path, NEEDS, SLUGS, QUESTIONS)


def test_what_is_not_known_is_not_held_against_the_guide(tmp_path: Path) -> None:
    write(tmp_path)
    assert load_call_guide(tmp_path, None, None).of("overdue").needs == ("overdue",)


# --- xinheng check ---


@pytest.fixture
def check(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small site, as `xinheng check` is run in it, with a guide that fits it."""
    for name in [name for name in os.environ if name.startswith("XINHENG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(data_root)
    write(data_root / "forms")
    return data_root


def checked(*arguments: str) -> Sequence[str]:
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.exit_code == (1 if "有误" in result.stderr else 0)
    return result.stdout.splitlines()


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_guide_that_fits_its_site_is_right(check: Path) -> None:
    assert checked() == ["内容和表单都没有问题"]


def test_checking_what_ships_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    first, *hints = checked()
    assert first == "内容和表单都没有问题"
    assert all("年的放假安排" in hint for hint in hints), "nothing but a year that isn't announced yet"


def test_a_need_taken_off_the_form_is_found_in_each_file_that_names_it(check: Path) -> None:
    replace_in(check / "forms" / "consultation.toml", 'key = "overdue"', 'key = "late"')
    found = checked("forms")
    assert [re.sub(r":\d+:", ":", line.partition("：")[0]) for line in found] == [
        f"{check}/forms/priority.toml: rules.2.when.need.0",
        f"{check}/forms/response.toml: rules.1.when.need.0",
        f"{check}/forms/call_guide.toml: guides.0.needs.0",
    ]
    for line in found:
        file, number = line.split(":")[:2]
        assert "overdue" in Path(file).read_text(encoding="utf-8").split("\n")[int(number) - 1]


def test_an_article_that_is_gone_is_found_in_the_guide_that_gives_it(check: Path) -> None:
    (check / "content" / "articles" / "first-call.md").unlink()
    [found] = checked()
    file, number, said = found.split(":", 2)
    assert file == f"{check}/forms/call_guide.toml"
    assert said.startswith(" guides.0.offer.0.article：没有文章 first-call")
    assert "first-call" in Path(file).read_text(encoding="utf-8").split("\n")[int(number) - 1]


def test_a_question_taken_out_of_the_health_check_is_found_in_the_guide_that_asks_about_it(
    check: Path,
) -> None:
    replace_in(check / "forms" / "health_check.toml", 'id = "hold"', 'id = "keep"')
    found = [line for line in checked("forms") if "call_guide.toml" in line]
    assert len(found) == 1
    assert "openings.0.question：health_check.toml 没有计分的题 hold，应为 dso、" in found[0]


def test_a_wrong_health_check_is_not_held_against_the_guide(check: Path) -> None:
    replace_in(check / "forms" / "health_check.toml", 'version = "1.0"', 'version = "one"')
    assert {line.partition(":")[0] for line in checked()} == {f"{check}/forms/health_check.toml"}


def test_a_wrong_form_or_article_is_not_held_against_the_guide(check: Path) -> None:
    replace_in(check / "forms" / "consultation.toml", "most = 500", "most = 5000")
    replace_in(check / "content" / "articles" / "first-call.md", "category: collection", "category: none")
    assert {line.partition(":")[0] for line in checked()} == {
        f"{check}/forms/consultation.toml",
        f"{check}/content/articles/first-call.md",
    }
