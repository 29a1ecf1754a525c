"""收藏: keeping and dropping, each as often as one likes with the same result."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from tests.conftest import OWN_PAGE
from tests.databases import raw_bytes

from xinheng.articles.favourites import Favourite, Favourites
from xinheng.crypto import load_keys
from xinheng.db import Databases

ONE, OTHER = "0" * 32, "f" * 32
SLUG = "ageing-report"


@pytest.fixture
def kept(opened: Databases, tmp_path: Path) -> Favourites:
    return Favourites(opened.counters, load_keys(tmp_path / "keys"))


def test_keeping_twice_is_keeping_once(kept: Favourites) -> None:
    assert [kept.keep("ageing", ONE) for _ in range(3)] == [1, 1, 1]
    assert kept.keep("ageing", OTHER) == 2
    assert kept.keep("first-call", ONE) == 1


def test_dropping_twice_is_dropping_once(kept: Favourites) -> None:
    kept.keep("ageing", ONE)
    kept.keep("ageing", OTHER)
    assert [kept.drop("ageing", ONE) for _ in range(3)] == [1, 1, 1]
    assert kept.keep("ageing", ONE) == 2


def test_dropping_what_was_never_kept_changes_nothing(kept: Favourites) -> None:
    assert kept.drop("ageing", ONE) == kept.count("ageing") == 0


def test_the_device_itself_is_not_stored(kept: Favourites, opened: Databases, tmp_path: Path) -> None:
    kept.keep("ageing", OTHER)
    held = raw_bytes(opened, tmp_path / "var")
    assert b"ageing" in held
    assert OTHER.encode() not in held
    assert bytes.fromhex(OTHER) not in held


def test_devices_that_keep_and_drop_at_once_are_each_counted_once(kept: Favourites) -> None:
    def change(device: str) -> None:
        for _ in range(3):
            kept.keep("ageing", device)
            kept.keep("first-call", device)
            kept.drop("first-call", device)

    threads = [threading.Thread(target=change, args=(f"{number % 4:032x}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (kept.count("ageing"), kept.count("first-call")) == (4, 0)


@pytest.fixture
def app(shipped_app: Flask) -> Flask:
    with shipped_app.extensions["xinheng.databases"].counters.writing() as session:
        session.execute(delete(Favourite))
    return shipped_app


def change(client: FlaskClient, method: str, device: str = ONE, slug: str = SLUG) -> tuple[int, object]:
    response = client.open(
        f"/articles/{slug}/favourite", method=method, headers=OWN_PAGE | {"X-Device": device}
    )
    return response.status_code, response.get_json(silent=True)


def test_a_device_keeps_and_drops_an_article_over_the_web(client: FlaskClient) -> None:
    assert change(client, "PUT") == (200, {"favourites": 1})
    assert change(client, "PUT") == (200, {"favourites": 1})
    assert change(client, "PUT", OTHER) == (200, {"favourites": 2})
    assert change(client, "DELETE") == (200, {"favourites": 1})
    assert change(client, "DELETE") == (200, {"favourites": 1})


@pytest.mark.parametrize("device", ["", "0", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "０" * 16])
def test_what_is_no_device_is_refused(client: FlaskClient, device: str) -> None:
    header = device.encode("ascii", "replace").decode()
    assert change(client, "PUT", header)[0] == 400
    assert change(client, "DELETE", header)[0] == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_article_nobody_published_cannot_be_kept(client: FlaskClient, method: str) -> None:
    assert change(client, method, slug="no-such")[0] == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_keeping_by_a_link_or_a_form_is_refused(client: FlaskClient, method: str) -> None:
    assert change(client, method)[0] == 405


def test_the_list_shows_what_the_device_asks_for_in_its_order_each_once(client: FlaskClient) -> None:
    answer = client.post("/favourites", data={"slugs": f"repayment-plan,{SLUG},repayment-plan,no-such,"})
    text = answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store", "one device's list is nobody else's"
    assert 0 < text.index('href="/articles/repayment-plan"') < text.index(f'href="/articles/{SLUG}"')
    assert text.count('href="/articles/repayment-plan"') == 1
    assert "no-such" not in text
    assert "noindex" in text


@pytest.mark.parametrize("slugs", ["", "no-such", "x," * 400])
def test_an_empty_list_says_how_to_begin(client: FlaskClient, slugs: str) -> None:
    assert "还没有收藏" in client.post("/favourites", data={"slugs": slugs}).get_data(as_text=True)


def test_the_list_is_never_read_from_an_address(client: FlaskClient) -> None:
    """An address is logged and cached on its way."""
    assert client.get(f"/favourites?slugs={SLUG}").data == client.get("/favourites").data
