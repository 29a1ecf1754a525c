"""Every answer carries the security headers: pages, errors, static files, redirects, machine addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from tests.conftest import CheckingClient, check_headers

from xinheng.app import create_app
from xinheng.headers import SecurityHeaders, security_headers
from xinheng.settings import Settings


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    return shipped_app


def test_every_route_that_can_be_read_answers_with_all_headers(client: FlaskClient, app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())]
    assert len(rules) > 12
    for rule in rules:
        values = {
            "slug": "ageing-report",
            "reference": "XH-00000-00000",
            "filename": "css/base.css",
            "lead_id": "0" * 32,
            "request_id": "0" * 32,
            "member_id": "0" * 32,
            "other_id": "0" * 32,
            "secret": "0" * 43,
            "number": "SQ-00000-00000",
            "token": "0" * 22,
            "question_id": "dso",
        }
        with app.test_request_context(base_url="http://127.0.0.1:8000"):
            address = app.url_for(
                rule.endpoint, **{name: values[name] for name in rule.arguments if name in values}
            )
        assert isinstance(client, CheckingClient)
        expected = {200, 302, 410} if rule.rule.startswith("/desk/") else {200, 404, 410}
        assert client.get(address, buffered=True).status_code in expected, address


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/articles/no-such", 404),
        ("GET", "/articles", 308),
        ("GET", "/static/css/base.css", 200),
        ("GET", "/static/css/base.css?v=1", 200),
        ("GET", "/static/js/site.js", 200),
        ("GET", "/static/img/mark.svg", 200),
        ("GET", "/static/no-such.css", 404),
        ("GET", "/static/../wsgi.py", 404),
        ("GET", "/static/%2e%2e/wsgi.py", 404),
        ("GET", "/favicon.ico", 200),
        ("GET", "/feed.xml", 200),
        ("GET", "/sitemap.xml", 200),
        ("GET", "/robots.txt", 200),
        ("GET", "/healthz", 200),
        ("HEAD", "/", 200),
        ("OPTIONS", "/", 200),
        ("POST", "/", 405),
        ("TRACE", "/", 405),
        ("GET", "/%00", 404),
        ("GET", "/search?q=%ff%fe", 200),
        ("GET", "/articles/read-counts?slugs=" + "a," * 3000, 200),
    ],
)
def test_odd_answers_carry_them_too(client: FlaskClient, method: str, address: str, status: int) -> None:
    response = client.open(address, method=method, headers={"Sec-Fetch-Site": "same-origin"}, buffered=True)
    assert response.status_code == status
    check_headers(response)


def test_an_error_of_our_own_is_a_page_with_all_headers_and_no_detail(settings: Settings) -> None:
    site = create_app(settings)
    site.test_client_class = CheckingClient

    @site.get("/broken/here")
    def broken() -> str:
        raise RuntimeError("a secret")

    try:
        response = site.test_client().get("/broken/here")
        assert response.status_code == 500
        text = response.get_data(as_text=True)
        assert "我们这边出错了" in text
        assert "400-000-0000" in text
        assert "secret" not in text
        assert "RuntimeError" not in text
        assert response.headers["Cache-Control"] == "no-store"
    finally:
        site.extensions["xinheng.databases"].dispose()


def test_no_policy_allows_inline_code_or_another_host(settings: Settings) -> None:
    policy = dict(security_headers(settings))["Content-Security-Policy"]
    rules = {name: values for name, *values in (rule.split() for rule in policy.split(";"))}
    assert rules.pop("default-src") == ["'none'"]
    assert rules.pop("frame-ancestors") == rules.pop("base-uri") == ["'none'"]
    assert {value for values in rules.values() for value in values} == {"'self'"}


def test_no_referrer_is_never_the_policy(settings: Settings) -> None:
    """Browsers would send `Origin: null` with our own forms."""
    assert dict(security_headers(settings))["Referrer-Policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    ("origin", "forced"), [("http://127.0.0.1:8000", False), ("https://www.xinheng.example", True)]
)
def test_https_is_forced_only_where_the_origin_is_https(
    settings: Settings, origin: str, forced: bool
) -> None:
    headers = dict(security_headers(replace(settings, origin=origin)))
    assert ("Strict-Transport-Security" in headers) is forced
    assert ("upgrade-insecure-requests" in headers["Content-Security-Policy"]) is forced


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("", "max-age=31536000; includeSubDomains"),
        ("host", "max-age=31536000"),
        ("subdomains", "max-age=31536000; includeSubDomains"),
        ("preload", "max-age=63072000; includeSubDomains; preload"),
    ],
)
def test_what_browsers_keep_to_https_is_chosen(settings: Settings, chosen: str, said: str) -> None:
    environ = {"XINHENG_ORIGIN": "https://www.xinheng.example", "XINHENG_HSTS": chosen}
    headers = dict(security_headers(Settings.from_env(environ, settings.root)))
    assert headers["Strict-Transport-Security"] == said


def test_a_header_that_an_answer_sets_itself_is_not_sent_twice(settings: Settings) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("referrer-policy", "no-referrer")])
        return [b""]

    sent: list[tuple[str, str]] = []
    SecurityHeaders(application, settings)({}, lambda status, headers, *rest: sent.extend(headers))
    names = [name.lower() for name, _ in sent]
    assert len(names) == len(set(names))
    assert ("referrer-policy", "no-referrer") in sent


def test_static_files_are_kept_a_year_only_under_the_address_of_their_content(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "?v=" in address

    def kept(asked: str) -> str:
        return client.get(asked, buffered=True).headers.get("Cache-Control", "")

    assert kept(address) == "public, max-age=31536000, immutable"
    assert "immutable" not in kept(address.partition("?")[0])
    assert "immutable" not in kept("/static/no-such.css?v=1")


def test_what_a_proxy_says_counts_only_for_the_hops_that_are_trusted(settings: Settings) -> None:
    for proxies, address in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        site = create_app(replace(settings, proxies=proxies))

        @site.get("/who/am-i")
        def who() -> str:
            return f"{request.remote_addr} {request.host}"

        try:
            answer = site.test_client().get(
                "/who/am-i",
                headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Host": "evil.example"},
                base_url="http://127.0.0.1:8000",
            )
            assert answer.get_data(as_text=True) == f"{address} 127.0.0.1:8000"
        finally:
            site.extensions["xinheng.databases"].dispose()
