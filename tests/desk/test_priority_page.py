"""Why a lead stands where it does: on the lists, on its page, and the rules as they stand."""

from __future__ import annotations

import re

from flask import Flask
from tests.desk.conftest import NOON, DeskClient
from tests.desk.leads_at_hand import DAY, ask, words_on

from xinheng.forms.priority import PriorityRules


def reckoning(page: str, lead_id: str) -> str:
    """What the tooltip of a lead says."""
    found = re.search(rf'role="tooltip" id="why-{lead_id}">(.*?)</div>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_lists_and_page_say_each_reason_with_its_points_and_what_age_takes_off(
    desk: DeskClient, app: Flask
) -> None:
    lead_id = ask(app, at=NOON - 2 * DAY)
    said = "为什么排在前面 有逾期账款要跟进 +30 约了接电话的时间 +5 留了称呼 +5 选填的也填了 +5 离最近一次咨询 −6 合计 39"
    for path in ("/desk/", "/desk/leads", f"/desk/leads/{lead_id}"):
        assert reckoning(desk.get(path).text, lead_id) == said


def test_the_reckoning_is_what_the_line_is_described_by(desk: DeskClient, app: Flask) -> None:
    lead_id = ask(app)
    assert (
        f'<button class="why__line" type="button" aria-describedby="why-{lead_id}">'
        in desk.get("/desk/").text
    )


def test_a_lead_that_no_rule_speaks_of_says_its_need_and_its_age(desk: DeskClient, app: Flask) -> None:
    lead_id = ask(app, at=NOON - DAY, need="other", name="", details="急", call_time="")
    page = desk.get("/desk/leads").text
    assert reckoning(page, lead_id) == "为什么排在前面 离最近一次咨询 −3 合计 −3"


def test_the_list_that_should_be_called_first_is_in_the_order_of_the_totals(
    desk: DeskClient, app: Flask
) -> None:
    for number, (days, need) in enumerate(((9, "overdue"), (0, "other"), (4, "receivables"), (2, "overdue"))):
        ask(app, phone=f"1380013800{number}", at=NOON - days * DAY, need=need)
    page = desk.get("/desk/leads?sort=priority").text
    totals = [int(each.replace("−", "-")) for each in re.findall(r'合计 <span class="figure">([−\d]+)', page)]
    assert totals == sorted(totals, reverse=True)
    assert len(totals) == 4


def test_the_rules_are_shown_as_they_stand(desk: DeskClient, app: Flask) -> None:
    rules: PriorityRules = app.extensions["xinheng.priority"]()
    said = words_on(desk.get("/desk/priority"))
    assert "每过一天减3分" in said
    for rule in rules.rules:
        assert f"{rule.words}" in said
    assert "留言至少40字" in said
    assert "渠道：合作伙伴" in said
    points = [
        int(each) for each in re.findall(r'<td class="figure">(\d+)</td>', desk.get("/desk/priority").text)
    ]
    assert points == sorted((rule.points for rule in rules.rules), reverse=True)
