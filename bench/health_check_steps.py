"""How quick an answer of the health check is: posted, stored, counted, and the next page made; beside the least there is.

    PYTHONPATH=site:. python bench/health_check_steps.py

The least is one view of a bare Flask application on the same database: it reads the row that a cookie names, writes it
and renders one small template, as anybody would write it. Both run in turns in the same process, through WSGI, without a
network; the time of the processor is judged, which leaves out what else the machine does. An answer takes two requests,
and must be at least half as quick. Ends with 1 where it isn't. DATABASE_URL chooses the database.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from flask import Flask, render_template, request
from flask.testing import FlaskClient
from jinja2 import DictLoader
from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xinheng.app import create_app
from xinheng.db import Database
from xinheng.settings import Settings


class BareBase(DeclarativeBase):
    """Tables of the bare application."""


class Bare(BareBase):
    """The one row that it reads and writes."""

    __tablename__ = "bare_rows"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(2000))


ROUNDS = 12
ANSWERS = 20  # in a row, from the fourth question on
HALF = 2.0
ORIGIN = "http://127.0.0.1:8000"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
OWN = {"Sec-Fetch-Site": "same-origin", "User-Agent": AGENT}
PROFILE = {"industry": "food", "credit_sales": "lt500", "export_share": "gt50"}
PAGE = """<!doctype html><html lang="zh-Hans"><title>{{ title }}</title><h1>{{ title }}</h1>
<ul>{% for item in items %}<li><label><input type="radio" name="a" value="{{ item }}">{{ item }}</label></li>{% endfor %}</ul></html>"""


def least(database: Database) -> Flask:
    """A bare application: one row read, one row written, one small template rendered."""
    bare = Flask("bare")
    Bare.__table__.create(database.engine)  # type: ignore[attr-defined]
    bare.jinja_loader = DictLoader({"page.html": PAGE})
    with database.writing() as session:
        session.add(Bare(id=1, state="x"))

    @bare.post("/")
    def view() -> str:
        with database.writing() as session:
            row = session.get_one(Bare, int(request.cookies["row"]))
            row.state = (row.state + request.form["answer"])[-800:] + str(time.time())
        return render_template("page.html", title="第5题", items=["一", "二", "三", "四", "五", "六"])

    return bare


def measured(check: FlaskClient, bare: FlaskClient) -> tuple[float, float]:
    """Milliseconds of an answer with its next page, and of a request of the bare application.

    They come in turns, one after the other, so that whatever else the machine does slows both alike; and as that
    only adds, the best of the rounds' medians counts.
    """
    rounds = []
    for _ in range(ROUNDS):
        ours, theirs = [], []
        check.post("/health-check/start", data={"anew": "yes"}, headers=OWN, base_url=ORIGIN)
        for question, given in PROFILE.items():
            step = answer(check, f"/health-check/questions/{question}", given)
        for _ in range(ANSWERS):
            began = time.thread_time()
            step = answer(check, step, "unsure")
            page = check.get(step, headers=OWN, base_url=ORIGIN)
            halfway = time.thread_time()
            least = bare.post("/", data={"answer": "x"}, headers=OWN, base_url=ORIGIN)
            theirs.append(time.thread_time() - halfway)
            ours.append(halfway - began)
            assert (page.status_code, least.status_code) == (200, 200)
        rounds.append((statistics.median(ours), statistics.median(theirs)))
    mine, other = zip(*rounds, strict=True)
    return min(mine) * 1000, min(other) * 1000


def answer(client: FlaskClient, address: str, given: str) -> str:
    """Post an answer; returns the address of the next page."""
    told = client.post(address, data={"answer": given, "go": "next"}, headers=OWN, base_url=ORIGIN)
    assert told.status_code == 303, told.text
    return told.headers["Location"]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "XINHENG_DATA": folder,
            "XINHENG_LIMITS": "off",
            "DATABASE_URL": os.environ.get("DATABASE_URL", ""),
        }
        settings = Settings.from_env(environment, Path.cwd())
        app = create_app(replace(settings, origin=ORIGIN))
        counters = app.extensions["xinheng.databases"].counters
        gc.collect()
        gc.freeze()  # as `xinheng serve` does
        check, bare = app.test_client(), least(counters).test_client()
        bare.set_cookie("row", "1", domain="127.0.0.1")
        ours, theirs = measured(check, bare)
        app.extensions["xinheng.databases"].dispose()
    print(f"an answer and the next page  {ours:6.2f} ms")
    print(f"the least there is           {theirs:6.2f} ms")
    print(f"{ours / theirs:.2f} times, at most {HALF:.0f} allowed")
    return int(ours > HALF * theirs)


if __name__ == "__main__":
    sys.exit(main())
