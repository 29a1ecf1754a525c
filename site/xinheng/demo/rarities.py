"""The leads one meets rarely, each once: what a desk must show rightly all the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from xinheng.demo import words
from xinheng.demo.acts import Acts, Asked
from xinheng.demo.road import Road
from xinheng.demo.staff import HANG, MIN, YIFAN, Colleague
from xinheng.demo.stories import Stories
from xinheng.demo.visitors import Visitors, visiting_hour
from xinheng.leads.submission import Attribution, Touch
from xinheng.privacy.models import Kind

_LONGEST = 500


class Rarities:
    """Tells one road after the other. `slugs` are those of articles that are there."""

    def __init__(
        self,
        acts: Acts,
        draw: random.Random,
        now: datetime,
        visitors: Visitors,
        stories: Stories,
        slugs: Sequence[str],
    ) -> None:
        self._acts = acts
        self._draw = draw
        self._now = now
        self._visitors = visitors
        self._stories = stories
        self._slugs = slugs

    def all(self) -> Iterator[Road]:
        yield self._asked_three_times()
        yield self._checked_twice()
        yield self._reopened("lost", "solved")
        yield self._reopened("invalid", "no_business")
        yield from self._behind_a_switchboard()
        yield from self._numbers()
        yield from self._texts()
        yield self._unreadable()
        yield from self._restricted_and_back()
        yield self._well_read()
        yield self._tried_five_times()
        yield self._won_and_lost_again()
        yield from self._first_responses()
        yield from self._drafts()
        yield from self._own_data()
        yield from self._doubled()

    def _asked_three_times(self) -> Road:
        first = replace(self._asked("receivables"), name="")
        road = self._road(days=41)
        road.ask(first)
        self._talked_to(road, MIN)
        road.wait_until(self._now - timedelta(days=16))
        road.ask(replace(self._visitors.again(first), name=words.person(self._draw)))
        road.wait(5)
        road.talk(MIN, "第二次来，问得更细了：想看逾期那几家怎么分步处理。")
        road.move(MIN, "interested", note=self._draw.choice(words.INTERESTED))
        road.wait_until(self._now - timedelta(hours=2))
        road.ask(self._visitors.again(first))
        return road

    def _checked_twice(self) -> Road:
        """A health check with each of two enquiries: half a year's work that shows."""
        first = replace(self._asked("receivables"), level="high", name="林女士")
        road = self._road(days=95)
        road.ask(first)
        self._talked_to(road, MIN)
        road.wait_until(self._now - timedelta(hours=3))
        road.ask(replace(self._visitors.again(first), level="moderate"))
        return road

    def _reopened(self, status: str, reason: str) -> Road:
        asked = self._asked("overdue")
        road = self._road(days=70)
        road.ask(asked)
        self._talked_to(road, YIFAN)
        road.wait(60)
        road.move(YIFAN, status, reason)
        road.wait_until(self._now - timedelta(hours=7))
        road.ask(self._visitors.again(asked))
        return road

    def _behind_a_switchboard(self) -> Iterator[Road]:
        """Three people of one company, or one person three times: nobody can tell from the number."""
        number = "021-1260 0000"
        for days, extension, name in ((9, " 转 801", "陈女士"), (5, " 转 806", "老周"), (1, "", "")):
            road = self._road(days=days)
            road.ask(replace(self._asked("customer_credit"), phone=number + extension, name=name, level=None))
            if days > 1:
                self._talked_to(road, MIN)
                self._stories.plan(road, MIN)
            yield road

    def _numbers(self) -> Iterator[Road]:
        """400 numbers, numbers abroad, and a number among words."""
        visitors = self._visitors
        typed = [next(visitors.services), next(visitors.services)]
        typed += [next(visitors.foreign) for _ in range(5)]
        typed += [f"手机 {next(visitors.mobiles)}，白天打，找{words.person(self._draw)}", f"{next(visitors.mobiles)} / {next(visitors.landlines)}"]  # fmt: skip
        for place, phone in enumerate(typed):
            name = (
                self._draw.choice(words.FOREIGN_NAMES) if phone.startswith("+") else words.person(self._draw)
            )
            road = self._road(days=place * 5 + 0.3)
            road.ask(replace(self._asked(), phone=phone, name=name))
            if place % 2:
                self._talked_to(road, YIFAN)
                self._stories.plan(road, YIFAN)
            yield road

    def _texts(self) -> Iterator[Road]:
        """Texts as long, as odd and as careless as people write them."""
        whole = words.LONG_BASE + "".join(words.SITUATIONS["overdue"])
        number = next(self._visitors.mobiles)
        texts = (whole[: _LONGEST - 1] + "。", words.WITH_NUMBER.format(number=number), words.MARKUP, "？")
        for place, text in enumerate((*texts, *words.ADVERTISING, *words.TESTS)):
            road = self._road(days=place * 2 + 0.1)
            asked = self._asked("overdue" if place < len(texts) else "other")
            long_name = "中外合资企业里负责应收账款和出口单证的那位同事请叫我小顾就可以了谢谢您"
            road.ask(replace(asked, details=text, level=None, name=long_name if place == 3 else asked.name))
            if place == 0:
                self._talked_to(road, MIN)
                road.note(MIN, words.LONG_NOTE * 4)
                self._stories.plan(road, MIN, "today")
            elif place == len(texts):
                road.wait(3)
                road.move(HANG, "invalid", "advertising")
            yield road

    def _unreadable(self) -> Road:
        road = self._road(days=3)
        road.ask(replace(self._asked(), level="elevated"))
        road.at_last(lambda: self._acts.make_unreadable(road.case))
        return road

    def _restricted_and_back(self) -> Iterator[Road]:
        """Somebody had the use of their data stopped: the lead is shown to nobody. Who asks anew gets a new one."""
        asked = self._asked("receivables")
        restricted = self._road(days=50)
        restricted.ask(asked)
        self._talked_to(restricted, MIN)
        restricted.do(lambda at: self._acts.request(restricted.case, asked, "restrict", at))
        restricted.wait(20)
        restricted.do(lambda at: self._acts.answer(restricted.case, at, words.RESTRICTED, restrict=True))
        yield restricted
        back = self._road(days=2)
        back.ask(self._visitors.again(asked))
        yield back

    def _well_read(self) -> Road:
        """All that a visit can bring: search words, six articles, a health check with a high risk, a whole name."""
        read = tuple(self._draw.sample(self._slugs, min(6, len(self._slugs))))
        campaign = {
            "utm_source": "baidu",
            "utm_medium": "cpc",
            "utm_campaign": words.CAMPAIGNS[0],
            "utm_term": words.SEARCHES[0],
        }
        first = Touch("www.baidu.com", f"/articles/{read[0]}", campaign)
        came = Attribution(f"/articles/{read[-1]}", read[-1], first, Touch("", f"/articles/{read[-1]}"), read)
        road = self._road(days=0.08)
        asked = replace(self._asked("overdue"), level="high", name="林知行", attribution=came)
        road.ask(replace(asked, details=words.SITUATIONS["overdue"][0] + words.QUESTIONS[4]))
        return road

    def _tried_five_times(self) -> Road:
        road = self._road(days=24)
        road.ask(self._asked())
        road.wait(1)
        road.assign(YIFAN)
        road.call_in_vain(YIFAN, 5)
        return road

    def _won_and_lost_again(self) -> Road:
        """Won too early: taken back a step, and open still."""
        road = self._road(days=45)
        road.ask(self._asked("credit_policy"))
        self._talked_to(road, HANG)
        for status in ("interested", "proposal", "won", "proposal"):
            road.wait(50)
            road.move(HANG, status)
        self._stories.plan(road, HANG, "late")
        return road

    def _first_responses(self) -> Iterator[Road]:
        """Who must be called in a few minutes of work; who should have been, and has an owner, or a plan and no call."""
        within = {need: self._acts.minutes(need) for need in ("receivables", "overdue")}
        for need, since, owner in (
            ("receivables", within["receivables"] - 20, None),
            ("overdue", within["overdue"] + 25, MIN),
            ("overdue", within["overdue"] + 200, YIFAN),
        ):
            road = self._stories.begun(self._acts.calendar.subtract_working_minutes(self._now, since))
            road.ask(replace(self._asked(need), level=None if owner else "insufficient"))
            road.assign(owner)
            if owner is YIFAN:
                road.plan(YIFAN, self._stories.due("soon"), words.STEPS[0])
            yield road

    def _drafts(self) -> Iterator[Road]:
        """Notes begun and left."""
        for place, (who, text) in enumerate(zip((MIN, YIFAN, HANG), words.DRAFTS, strict=True)):
            road = self._road(days=4 + place * 6)
            road.ask(self._asked())
            self._talked_to(road, who)
            self._stories.plan(road, who, "today")
            road.wait_until(self._now - timedelta(minutes=40))
            self._leave_draft(road, who, text)
            yield road

    def _own_data(self) -> Iterator[Road]:
        """People ask about their own data: waiting, overdue, from who can't prove who they are, done."""
        for days, kind, text, proved, done in words.REQUESTS:
            asked = self._asked()
            road = self._road(days=days + 9)
            road.ask(replace(asked, level=None))
            self._talked_to(road, YIFAN)
            self._stories.plan(road, YIFAN, "soon")
            road.wait_until(self._now - timedelta(days=days))
            self._request(road, asked, kind, text, proved=proved)
            if done:
                road.wait(26)
                self._answer(road, done)
            yield road

    def _doubled(self) -> Iterator[Road]:
        """One company twice; and one person with two numbers, whose leads were made one."""
        for days, name, company in ((11, "何经理", words.COMPANIES[0]), (7, "小何", words.COMPANIES[1])):
            road = self._road(days=days)
            road.ask(replace(self._asked("customer_credit"), name=name))
            self._talked_to(road, MIN)
            self._name_company(road, company)
            self._stories.plan(road, MIN, "soon")
            yield road
        kept, other = self._road(days=12), self._road(days=7)
        for road, name in ((kept, "欧阳女士"), (other, "欧阳")):
            road.ask(replace(self._asked("overdue"), name=name))
            self._talked_to(road, MIN)
        self._stories.plan(kept, MIN, "today")
        other.wait(1)
        other.do(lambda at: self._acts.merge(kept.case, other.case, MIN, at))
        yield from (kept, other)

    def _name_company(self, road: Road, company: str) -> None:
        road.do(lambda at: self._acts.name_company(road.case, MIN, company, at))

    def _request(self, road: Road, asked: Asked, kind: Kind, text: str, *, proved: bool) -> None:
        road.do(lambda at: self._acts.request(road.case, asked, kind, at, proved=proved, words=text))

    def _answer(self, road: Road, text: str) -> None:
        road.do(lambda at: self._acts.answer(road.case, at, text))

    def _leave_draft(self, road: Road, who: Colleague, text: str) -> None:
        road.do(lambda at: self._acts.draft(road.case, who, text, at))

    def _talked_to(self, road: Road, owner: Colleague) -> None:
        road.wait(self._draw.uniform(0.3, 3))
        road.assign(owner)
        road.wait(self._draw.uniform(0.3, 3))
        road.talk(owner, self._draw.choice(words.CONNECTED["overdue"]))

    def _asked(self, need: str = "") -> Asked:
        """An enquiry by a mobile; a form may offer other needs than the shipped one."""
        asked = self._visitors.asked(need if need in self._visitors.needs else "")
        return replace(asked, phone=next(self._visitors.mobiles))

    def _road(self, days: float) -> Road:
        begins = self._now - timedelta(days=days)
        return self._stories.begun(visiting_hour(begins, self._draw) if days > 1 else begins)
