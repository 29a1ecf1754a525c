"""Does a form come from our own pages? And the token of the page that asks where nothing tells."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import ORIGIN

from xinheng.origin_check import CONFIRM_FOR, Confirmation, Verdict, judge

OWN, FOREIGN, UNKNOWN = Verdict.OWN, Verdict.FOREIGN, Verdict.UNKNOWN
SITE = "https://www.xinheng.example"
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        # the browser says it itself
        ({"Sec-Fetch-Site": "same-origin"}, OWN),
        ({"Sec-Fetch-Site": "none"}, OWN),
        ({"Sec-Fetch-Site": "same-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "cross-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "Same-Origin"}, FOREIGN),
        ({"Sec-Fetch-Site": "nonsense"}, FOREIGN),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, OWN),
        ({"Sec-Fetch-Site": "cross-site", "Origin": SITE, "Referer": f"{SITE}/"}, FOREIGN),
        # an older one says where the page came from
        ({"Origin": SITE}, OWN),
        ({"Origin": "https://xinheng.example"}, FOREIGN),
        ({"Origin": "https://evil.www.xinheng.example"}, FOREIGN),
        ({"Origin": "https://www.xinheng.example.evil.example"}, FOREIGN),
        ({"Origin": "https://www.xinheng.example:8443"}, FOREIGN),
        ({"Origin": "http://www.xinheng.example"}, FOREIGN),
        ({"Origin": "https://evil.example", "Referer": f"{SITE}/consultation"}, FOREIGN),
        ({"Origin": "file://"}, FOREIGN),
        # one older still sends a referrer
        ({"Referer": f"{SITE}/articles/ageing-report?from=timeline#x"}, OWN),
        ({"Referer": f"{SITE}"}, OWN),
        ({"Referer": "https://evil.example/https://www.xinheng.example/"}, FOREIGN),
        ({"Referer": "http://www.xinheng.example/"}, FOREIGN),
        ({"Referer": "https://www.xinheng.example@evil.example/"}, FOREIGN),
        ({"Referer": "about:blank"}, FOREIGN),
        ({"Origin": "null", "Referer": f"{SITE}/consultation"}, OWN),
        ({"Origin": "null", "Referer": "https://evil.example/"}, FOREIGN),
        # nothing tells
        ({}, UNKNOWN),
        ({"Origin": "null"}, UNKNOWN),
        ({"Origin": "", "Referer": "", "Sec-Fetch-Site": ""}, UNKNOWN),
    ],
)
def test_a_request_is_judged_by_what_its_browser_says(headers: dict[str, str], verdict: Verdict) -> None:
    assert judge(headers, (SITE,)) is verdict


@pytest.mark.parametrize("referrer", ["https://[bad", "https://[::1", "//["])
def test_a_referrer_that_is_no_address_is_foreign_or_unknown_but_no_error(referrer: str) -> None:
    assert judge({"Referer": referrer}, (SITE,)) is not OWN


def test_one_of_several_origins_is_enough() -> None:
    assert judge({"Origin": "http://localhost:8000"}, (ORIGIN, "http://localhost:8000")) is OWN


# --- the confirm token ---


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("itsdangerous.timed.time", SimpleNamespace(time=made.time))
    return made


def test_a_token_passes_for_the_browser_and_network_it_was_made_for(clock: Clock) -> None:
    confirmation = Confirmation(KEY)
    assert confirmation.passes(confirmation.token("client"), "client")
    assert Confirmation(KEY).passes(confirmation.token("client"), "client"), "in another worker too"


@pytest.mark.parametrize("other", ["", "Client", "client2", "clien", "client.x"])
def test_a_token_is_refused_for_another(clock: Clock, other: str) -> None:
    confirmation = Confirmation(KEY)
    assert not confirmation.passes(confirmation.token("client"), other)


def test_a_token_of_another_key_is_refused(clock: Clock) -> None:
    assert not Confirmation(KEY).passes(Confirmation(bytes(range(32, 64))).token("client"), "client")


@pytest.mark.parametrize(
    ("after", "passes"), [(0, True), (599, True), (600, True), (601, False), (86400, False), (-60, False)]
)
def test_a_token_is_good_for_ten_minutes(clock: Clock, after: int, passes: bool) -> None:
    confirmation = Confirmation(KEY)
    token = confirmation.token("client")
    clock.now += after
    assert confirmation.passes(token, "client") is passes
    assert CONFIRM_FOR == 600


def test_a_token_that_was_changed_is_refused(clock: Clock) -> None:
    confirmation = Confirmation(KEY)
    token = confirmation.token("client")
    for place, sign in enumerate(token[:-1]):  # the last sign has bits that mean nothing
        other = "A" if sign != "A" else "B"
        assert not confirmation.passes(token[:place] + other + token[place + 1 :], "client")


@pytest.mark.parametrize("token", ["", ".", "..", "x", "令牌", "a.b", "client", "\x00", "A" * 10_000])
def test_nonsense_is_refused(token: str) -> None:
    assert not Confirmation(KEY).passes(token, "client")


def test_a_token_holds_nothing_of_whom_it_is_for(clock: Clock) -> None:
    assert "10.0.0.1" not in Confirmation(KEY).token("10.0.0.1 Mozilla")


# --- the guard ---


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    return shipped_app


CHANGING = [
    ("POST", "/articles/ageing-report/reads"),
    ("PUT", "/articles/ageing-report/favourite"),
    ("DELETE", "/articles/ageing-report/favourite"),
    ("POST", "/favourites"),
    ("POST", "/privacy/request"),
    ("POST", "/health-check/start"),
    ("POST", "/health-check/questions/dso"),
    ("POST", "/health-check/finish"),
    ("POST", "/health-check/resume/0123456789012345678901"),
]


ANSWERED = {
    "/privacy/request": 422,
    "/health-check/start": 303,
    "/health-check/questions/dso": 404,
    "/health-check/finish": 404,
    "/health-check/resume/0123456789012345678901": 410,
}
"""What our own pages are answered with, where that isn't 200."""


@pytest.mark.parametrize(("method", "address"), CHANGING)
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_nothing_but_the_consultation_may_come_without_an_origin(
    client: FlaskClient, method: str, address: str, headers: dict[str, str]
) -> None:
    assert client.open(address, method=method, headers=headers | {"X-Device": "0" * 32}).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": ORIGIN}, {"Origin": "http://localhost:8000"}, {"Referer": f"{ORIGIN}/articles/"}]
)
@pytest.mark.parametrize(("method", "address"), CHANGING)
def test_our_own_pages_may(client: FlaskClient, method: str, address: str, headers: dict[str, str]) -> None:
    answer = client.open(address, method=method, headers=headers | {"X-Device": "0" * 32})
    assert answer.status_code == ANSWERED.get(address, 200)


def test_every_route_that_changes_something_is_guarded(client: FlaskClient, app: Flask) -> None:
    routes = [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})
    ]
    public = [rule for _, rule in routes if not rule.rule.startswith("/desk/")]
    assert len(public) == 10, "a new route that changes something belongs in this test"
    assert len(routes) - len(public) > 20, "those of the desk are listed in tests/desk/test_routes.py"
    for method, rule in routes:
        address = re.sub(
            r"<row:\w+>", "0" * 32, re.sub(r"<slug>|<question_id>|<token>", "ageing-report", rule.rule)
        )
        response = client.open(address, method=method, headers={"Origin": "https://evil.example"})
        assert response.status_code == 403, f"{method} {address}"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_free_for_everyone(client: FlaskClient, method: str) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    response = client.open("/articles/ageing-report", method=method, headers=headers)
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers
