"""Invented visitors: what they ask, whence they came, what they had read."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from xinheng.demo import numbers, words
from xinheng.demo.acts import Asked
from xinheng.demo.readers import popularity
from xinheng.forms.definition import FormDeclaration
from xinheng.forms.needs import offered_needs
from xinheng.forms.priority import Level
from xinheng.leads.submission import Attribution, Touch
from xinheng.settings import SHANGHAI

_LEVELS: tuple[Level, ...] = ("low", "moderate", "elevated", "high", "insufficient")
_LEVELS_SHARES = (20, 30, 26, 16, 8)
_WEIGHTS = {"receivables": 34, "overdue": 28, "customer_credit": 20, "credit_policy": 12, "other": 6}


class Visitors:
    """Draws enquiries that differ in all that a form and a visit can differ in."""

    def __init__(
        self, draw: random.Random, declaration: FormDeclaration, slugs: Sequence[str], own_host: str
    ) -> None:
        self._draw = draw
        self._slugs = slugs
        self._own_host = own_host
        self.needs = offered_needs(declaration)
        self._call_times = ("", *_options(declaration, "call_time"))
        self.mobiles, self.landlines = numbers.mobiles(draw), numbers.landlines(draw)
        self.services, self.foreign = numbers.services(draw), numbers.foreign(draw)

    def asked(self, need: str = "") -> Asked:
        """A first enquiry."""
        draw = self._draw
        need = need or draw.choices(self.needs, [_WEIGHTS.get(each, 6) for each in self.needs])[0]
        return Asked(
            need=need,
            name=words.person(draw) if draw.random() < 0.75 else "",
            phone=next(self.mobiles if draw.random() < 0.86 else self.landlines),
            details=words.details(draw, need if need in words.SITUATIONS else "other"),
            call_time=draw.choice(self._call_times),
            marketing=draw.random() < 0.3,
            level=self._level(),
            attribution=self.attribution(),
        )

    def _level(self) -> Level | None:
        """Of the health check, which every third does before asking."""
        if self._draw.random() > 0.35:
            return None
        return self._draw.choices(_LEVELS, _LEVELS_SHARES)[0]

    def again(self, asked: Asked) -> Asked:
        """The same person another time: other words, a little later another need, no health check."""
        need = asked.need if self._draw.random() < 0.6 else self._draw.choice(self.needs)
        details = words.details(self._draw, need if need in words.SITUATIONS else "other")
        return replace(asked, need=need, details=details, level=None, attribution=self.attribution())

    def attribution(self) -> Attribution:
        """A visit of one to six pages from a search, a chat, a link or nowhere."""
        draw = self._draw
        read = self._articles(draw.choice((0, 1, 1, 2, 2, 3, 4, 6)))
        landed = f"/articles/{read[0]}" if read else draw.choice(("/", "/consultation", "/about"))
        at_article = bool(read) and draw.random() < 0.7
        page = f"/articles/{read[-1]}" if at_article else draw.choice(("/consultation", "/"))
        first = self._touch(landed)
        last = first if draw.random() < 0.7 else Touch("", page)
        return Attribution(page, read[-1] if at_article else "", first, last, read)

    def _articles(self, number: int) -> tuple[str, ...]:
        """So many at most, none twice; what is read more is likelier to be among them."""
        popular = dict(zip(self._slugs, popularity(self._slugs), strict=True))
        drawn = sorted(self._slugs, key=lambda slug: self._draw.random() ** (1 / popular[slug]))[-number:]
        return tuple(self._draw.sample(drawn, len(drawn))) if number else ()

    def _touch(self, path: str) -> Touch:
        draw = self._draw
        host = draw.choices(
            ("www.baidu.com", "m.baidu.com", "cn.bing.com", "mp.weixin.qq.com", "www.zhihu.com", "", "news.example", self._own_host),
            (24, 22, 8, 14, 4, 20, 6, 2),
        )[0]  # fmt: skip
        if "baidu" not in host or draw.random() < 0.5:
            return Touch(host, path)
        campaign = {"utm_source": "baidu", "utm_medium": "cpc", "utm_campaign": draw.choice(words.CAMPAIGNS)}
        return Touch(host, path, campaign | {"utm_term": draw.choice(words.SEARCHES)})


def visiting_hour(moment: datetime, draw: random.Random) -> datetime:
    """That day at an hour at which people write: mostly in the day, some in the evening, few at night."""
    hour = draw.choices((draw.uniform(9, 18), draw.uniform(18, 23.5), draw.uniform(0, 9)), (72, 22, 6))[0]
    day = moment.astimezone(SHANGHAI).date()
    return datetime.combine(day, time(), SHANGHAI) + timedelta(hours=hour)


def _options(declaration: FormDeclaration, name: str) -> Iterator[str]:
    for declared in declaration.fields:
        if declared.name == name:
            yield from (option.key for option in declared.options)
