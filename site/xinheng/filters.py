"""What templates say with data: dates, counts, addresses of static files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Flask, has_request_context, request, url_for
from flask_babel import format_decimal

from xinheng.settings import SHANGHAI


def day(moment: datetime) -> str:
    """2026年3月2日, in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def minute(moment: datetime) -> str:
    """2026年3月2日 10:05, in Shanghai."""
    return f"{day(moment)} {moment.astimezone(SHANGHAI):%H:%M}"


def machine_time(moment: datetime) -> str:
    """2026-03-02T10:05+08:00, for `datetime` attributes and structured data."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")


def baidu_time(moment: datetime) -> str:
    """2026-03-02T10:05:00 without a zone, as Baidu's time block wants it."""
    return moment.astimezone(SHANGHAI).replace(tzinfo=None).isoformat(timespec="seconds")


def count(number: int) -> str:
    """1,286."""
    return str(format_decimal(number))


def json_text(data: object) -> str:
    """JSON in the order of its keys, for an attribute; the template escapes it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def install_filters(app: Flask, static_version: Callable[[str], str]) -> None:
    """Register the filters, and `static_url`: a static file's address with the hash of its bytes."""

    @lru_cache(maxsize=512)
    def address(name: str, version: str, root: str) -> str:
        return url_for("static", filename=name, v=version)

    @lru_cache(maxsize=512)
    def present(name: str, root: str, second: int) -> str:
        return address(name, static_version(name), root)

    def static_url(name: str) -> str:
        """A page names ten files: each is looked at once a second, like all that is live when it is saved."""
        return present(name, request.script_root, int(time.monotonic()))

    @lru_cache(maxsize=1024)
    def built(endpoint: str, root: str, slug: str | None) -> str:
        return app.url_for(endpoint, slug=slug) if slug else app.url_for(endpoint)

    def address_of(endpoint: str, **values: Any) -> str:
        """`url_for`, which remembers the addresses that stand on every page; those with anything else in them are made."""
        if not has_request_context() or values.keys() - {"slug"}:
            return app.url_for(endpoint, **values)
        return built(endpoint, request.script_root, values.get("slug"))

    for shown in (day, minute, machine_time, baidu_time, count, json_text):
        app.jinja_env.filters[shown.__name__] = shown
    app.jinja_env.globals.update(static_url=static_url, url_for=address_of)
