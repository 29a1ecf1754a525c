"""The consultation form as a visitor meets it: nothing typed is ever lost, nothing personal is shown again."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.conftest import ORIGIN, OWN_PAGE
from tests.databases import a_writer_elsewhere
from tests.leads.conftest import a_spool_that_is_gone
from werkzeug.test import TestResponse

from xinheng.app import create_app
from xinheng.crypto import Keys
from xinheng.db import Databases
from xinheng.form_versions import FormVersion
from xinheng.leads import record
from xinheng.leads.drainer import drain
from xinheng.leads.models import Consent, Enquiry, Lead
from xinheng.notices.outbox import Notice
from xinheng.settings import Settings

Fields = Callable[..., dict[str, str]]
ARTICLE = "ageing-report"


def stored(databases: Databases, table: Any = Enquiry) -> list[Any]:
    with databases.leads.reading() as session:
        return list(session.scalars(select(table)))


def post(client: FlaskClient, fields: dict[str, str], **headers: str) -> TestResponse:
    return client.post("/consultation", data=fields, headers=OWN_PAGE | headers)


def document(response: TestResponse) -> Any:
    return html5lib.parse(response.get_data(as_text=True), namespaceHTMLElements=False)


def shown_fields(response: TestResponse) -> dict[str, str]:
    """What the form of a page would send: its values, options chosen and boxes ticked."""
    found: dict[str, str] = {}
    form = next(each for each in document(response).iter("form") if each.get("method") == "post")
    for control in form.iter():
        name = control.get("name")
        if not name:
            continue
        if control.tag == "textarea":
            found[name] = (control.text or "").removeprefix("\n")
        elif control.tag == "select":
            found[name] = next(
                (each.get("value") for each in control.iter("option") if each.get("selected") is not None), ""
            )
        elif control.get("type") != "checkbox" or control.get("checked") is not None:
            found[name] = control.get("value", "")
    return found


def no_store(response: TestResponse) -> None:
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"


# --- the empty form ---


def test_the_form_is_empty_unticked_and_without_an_id(client: FlaskClient, consultation: Fields) -> None:
    response = client.get("/consultation")
    assert response.status_code == 200
    assert shown_fields(response) == {
        "submission_id": "",
        "consent_version": consultation()["consent_version"],
        "touch": "",
        **dict.fromkeys(("stamp", "proof", "subject", "homepage"), ""),
        "need": "",
        "name": "",
        "phone": "",
        "details": "",
        "call_time": "",
    }


def test_the_form_tells_who_collects_what_and_for_how_long_before_the_button(client: FlaskClient) -> None:
    text = client.get("/consultation").get_data(as_text=True)
    before = text.partition("提交，等顾问回电")[0]
    for told in (
        "信衡信用管理有限公司",
        "只用于给您回电咨询",
        "180天",
        "400-000-0000",
        'href="/privacy"',
        "14周岁",
    ):
        assert told in before


def test_the_form_in_an_article_is_the_one_that_stands_alone(client: FlaskClient) -> None:
    assert shown_fields(client.get(f"/articles/{ARTICLE}")) == shown_fields(client.get("/consultation"))


# --- one that is right ---


def test_a_valid_form_is_stored_and_answered_with_a_thank_you_page(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    response = post(client, consultation())
    (enquiry,) = stored(databases)
    assert response.status_code == 303
    assert response.headers["Location"] == f"/consultation/{enquiry.reference}"
    no_store(response)
    thanks = client.get(response.headers["Location"])
    assert thanks.status_code == 200
    assert enquiry.reference in thanks.get_data(as_text=True)
    no_store(thanks)


def test_the_thank_you_page_holds_nothing_personal_and_answers_again(
    client: FlaskClient, consultation: Fields
) -> None:
    address = post(client, consultation()).headers["Location"]
    pages = [client.get(address).get_data(as_text=True) for _ in range(2)]
    assert pages[0] == pages[1]
    for secret in ("张三丰", "13800138000", "138 0013 8000", "8000", "八十万", "逾期四个多月", "逾期账款"):
        assert secret not in pages[0]
    for said in ("一个工作日内回电", "400-000-0000", "noindex"):
        assert said in pages[0]


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda reference: reference.removeprefix("XH-"),
        lambda reference: reference.replace("-", ""),
        lambda reference: reference.replace("-", " "),
        lambda reference: f" {reference} ",
        lambda reference: "XH-" + reference[3:].replace("0", "O").replace("1", "I"),
        lambda reference: "xh-" + reference[3:].lower().replace("0", "o").replace("1", "l"),
    ],
)
def test_a_reference_is_found_in_the_spellings_people_use(
    client: FlaskClient, consultation: Fields, spell: Callable[[str], str]
) -> None:
    sent = (post(client, consultation(submission_id=f"{number:032x}")) for number in range(100))
    references = (each.headers["Location"].rpartition("/")[2] for each in sent)
    reference = next(each for each in references if {"0", "1"} <= set(each))
    found = client.get(f"/consultation/{spell(reference)}")
    assert found.status_code == 200
    assert reference in found.get_data(as_text=True)


@pytest.mark.parametrize(
    "reference",
    [
        "XH-00000-00000",
        "XH-7K2M9-QPD4",
        "nothing",
        "XH-7K2M9-QPD4R-X",
        "%00",
        "张三丰",
        "' OR 1=1 --",
        "UUUUUUUUUU",
    ],
)
def test_a_reference_nobody_has_is_not_found(client: FlaskClient, reference: str) -> None:
    response = client.get(f"/consultation/{reference}")
    assert response.status_code == 404
    no_store(response)


def test_a_double_click_a_reload_and_back_are_one_enquiry(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    answers = [post(client, consultation()) for _ in range(4)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(stored(databases)) == len(stored(databases, Notice)) == 1


def test_one_id_with_other_words_is_a_second_enquiry_and_no_error(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    first = post(client, consultation())
    second = post(client, consultation(details="还有一家也拖着。"))
    assert second.status_code == 303
    assert first.headers["Location"] != second.headers["Location"]
    assert len(stored(databases)) == 2


def test_two_visitors_of_one_cached_page_with_script_off_are_two_enquiries(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    post(client, consultation(submission_id="", phone="13800138000"))
    post(client, consultation(submission_id="", phone="13900139000"))
    assert len(stored(databases)) == len(stored(databases, Lead)) == 2


def test_only_need_phone_details_and_consent_are_needed(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    fields = {
        key: value
        for key, value in consultation().items()
        if key in {"need", "phone", "details", "consent", "consent_version"}
    }
    assert post(client, fields).status_code == 303
    assert [consent.purpose for consent in stored(databases, Consent)] == ["callback"]


def test_both_boxes_ticked_are_two_consents(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    post(client, consultation(marketing="yes"))
    assert {consent.purpose for consent in stored(databases, Consent)} == {"callback", "marketing"}


def test_fields_that_the_form_does_not_have_change_nothing(
    client: FlaskClient, consultation: Fields, databases: Databases, keys: Keys
) -> None:
    extra = {
        "status": "won",
        "restricted": "1",
        "retain_until": "2099-01-01",
        "owner": "me",
        "id": "1",
        "reference": "XH-AAAAA-AAAAA",
        "payload_hash": "0",
        "created_at": "2000-01-01",
        "purposes": "marketing",
        "csrf_token": "x",
    }
    assert post(client, consultation(**extra)).status_code == 303
    (enquiry,), (lead,) = stored(databases), stored(databases, Lead)
    assert (lead.status, lead.restricted, enquiry.open(keys, "extra")) == ("new", False, "{}")
    assert enquiry.reference == keys.reference(enquiry.submission_id)
    assert lead.retain_until - lead.last_enquiry_at == timedelta(days=180)


def test_where_the_visitor_came_from_is_kept(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    touch = {
        "page": f"/articles/{ARTICLE}",
        "first": {"host": "www.baidu.com", "path": "/", "utm": {"utm_source": "x"}},
        "read": [ARTICLE, "no-such"],
    }
    post(client, consultation(touch=json.dumps(touch)))
    (enquiry,) = stored(databases)
    assert (enquiry.article, enquiry.articles_read) == (ARTICLE, [ARTICLE])
    assert enquiry.first_touch["host"] == "www.baidu.com"


def test_with_script_off_the_article_is_known_by_the_referrer_even_after_a_mistake(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    page = f"{ORIGIN}/articles/{ARTICLE}?from=timeline"
    wrong = post(client, consultation(submission_id="", phone=""), Referer=page)
    again = shown_fields(wrong) | {"phone": "13800138000", "consent": "yes"}
    assert post(client, again, Referer=f"{ORIGIN}/consultation").status_code == 303
    assert [enquiry.article for enquiry in stored(databases)] == [ARTICLE]


@pytest.mark.parametrize("referrer", ["http://[bad", "http://[::1", "not an address", "\x01"])
def test_a_referrer_that_is_no_address_loses_no_enquiry(
    client: FlaskClient, consultation: Fields, databases: Databases, referrer: str
) -> None:
    assert post(client, consultation(), Referer=referrer).status_code == 303
    assert len(stored(databases)) == 1


# --- one with mistakes ---


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("need", "", "请选择一项需求"),
        ("need", "gone", "“您的需求”的选项有更新，请重新选择一项"),
        ("name", "名" * 41, "最多40字，请删去1字"),
        ("phone", "", "请填写能接通的电话"),
        ("phone", "　", "请填写能接通的电话"),
        ("phone", "1380013800", "手机号少一位"),
        ("phone", "没有", "请填写能接通的电话"),
        ("phone", "11010519491231002X", "不要填身份证号"),
        ("details", "", "请写一两句"),
        ("details", " \r\n　", "请写一两句"),
        ("details", "字" * 503, "最多500字，请删去3字"),
        ("details", "我的身份证是11010519491231002X", "这里像是有身份证号，请删去"),
        ("details", "打到 4111 1111 1111 1111 就行", "这里像是有银行卡号，请删去"),
        ("call_time", "midnight", "“方便接电话的时间”的选项有更新"),
        ("consent", "", "请勾选同意，我们才能给您回电"),
        ("consent", "false", "请勾选同意，我们才能给您回电"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_above_and_stores_nothing(
    client: FlaskClient, consultation: Fields, databases: Databases, field: str, typed: str, message: str
) -> None:
    response = post(client, consultation(**{field: typed}))
    assert response.status_code == 422
    no_store(response)
    page = document(response)
    beside = next(each for each in page.iter("p") if each.get("id") == f"{field}-error")
    assert message in "".join(beside.itertext())
    assert beside.get("hidden") is None
    summary = next(each for each in page.iter("div") if each.get("class") == "error-summary")
    link = next(each for each in summary.iter("a") if each.get("href") == f"#{field}")
    assert message in "".join(link.itertext())
    assert summary.get("role") == "alert"
    control = next(each for each in page.iter() if each.get("id") == field)
    assert control.get("aria-invalid") == "true"
    assert f"{field}-error" in control.get("aria-describedby", "").split()
    assert (page.findtext(".//title") or "").startswith("错误：")
    assert stored(databases) == stored(databases, Lead) == stored(databases, Notice) == []


def test_every_link_of_the_summary_leads_to_a_field_in_the_order_of_the_page(
    client: FlaskClient, consultation: Fields
) -> None:
    page = document(post(client, {"consent_version": consultation()["consent_version"]}))
    summary = next(each for each in page.iter("div") if each.get("class") == "error-summary")
    targets = [link.get("href", "").removeprefix("#") for link in summary.iter("a")]
    assert targets == ["need", "phone", "details", "consent"]
    ids = [each.get("id") for each in page.iter() if each.get("id")]
    assert [name for name in ids if name in targets] == targets
    assert "还差四处" in "".join(summary.itertext())


def test_all_that_was_typed_is_still_there_after_a_mistake(client: FlaskClient, consultation: Fields) -> None:
    typed = consultation(
        name="陈<女士>&“”",
        phone="021-8765",
        details="第一行\r\n第二行 </textarea><script>alert(1)</script>",
        marketing="yes",
        touch='{"page":"/articles/ageing"}',
    )
    shown = shown_fields(post(client, typed))
    assert shown == typed | {"details": typed["details"].replace("\r\n", "\n")}


def test_a_box_that_was_not_ticked_stays_so(client: FlaskClient, consultation: Fields) -> None:
    shown = shown_fields(post(client, consultation(consent="")))
    assert "consent" not in shown
    assert "marketing" not in shown


def test_a_mended_form_keeps_its_id_and_is_one_enquiry(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    wrong = post(client, consultation(phone="1380013800"))
    assert post(client, shown_fields(wrong) | {"phone": "13800138000"}).status_code == 303
    assert post(client, shown_fields(wrong) | {"phone": "138 0013 8000"}).status_code == 303
    assert len(stored(databases)) == 1


@pytest.mark.parametrize("version", ["", "0" * 16, "<script>"])
def test_a_page_made_from_words_we_cannot_prove_asks_for_the_tick_again_and_keeps_the_rest(
    client: FlaskClient, consultation: Fields, databases: Databases, version: str
) -> None:
    response = post(client, consultation(consent_version=version, marketing="yes"))
    assert response.status_code == 422
    shown = shown_fields(response)
    assert shown == {key: value for key, value in consultation().items() if key != "consent"}
    assert "上面的说明有更新" in response.get_data(as_text=True)
    assert stored(databases) == []
    assert post(client, shown | {"consent": "yes"}).status_code == 303


def test_an_empty_body_is_a_form_with_errors(client: FlaskClient) -> None:
    assert client.post("/consultation", headers=OWN_PAGE).status_code == 422


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense"]
)
def test_a_body_of_another_kind_is_a_form_with_errors(client: FlaskClient, kind: str) -> None:
    response = client.post(
        "/consultation", data=b'{"need": "overdue"}', headers=OWN_PAGE | {"Content-Type": kind}
    )
    assert response.status_code in {400, 422}


def test_a_form_of_more_than_64_kib_is_refused_with_a_page(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    response = post(client, consultation(details="一" * 30_000))
    assert response.status_code == 413
    no_store(response)
    assert "400-000-0000" in response.get_data(as_text=True)
    assert stored(databases) == []


def test_a_form_of_a_hundred_fields_is_refused(client: FlaskClient, consultation: Fields) -> None:
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="f{number}"\r\n\r\n1\r\n' for number in range(100)
    )
    response = client.post(
        "/consultation",
        data=(parts + "--x--\r\n").encode(),
        headers=OWN_PAGE | {"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert response.status_code == 413


# --- where it comes from ---


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Referer": "https://evil.example/consultation"},
    ],
)
def test_a_form_from_elsewhere_is_refused_and_stores_nothing(
    client: FlaskClient, consultation: Fields, databases: Databases, headers: dict[str, str]
) -> None:
    response = client.post("/consultation", data=consultation(), headers=headers)
    assert response.status_code == 403
    no_store(response)
    assert "400-000-0000" in response.get_data(as_text=True)
    assert stored(databases) == []


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_where_nothing_says_where_it_comes_from_the_visitor_confirms_and_it_is_stored_once(
    client: FlaskClient, consultation: Fields, databases: Databases, headers: dict[str, str]
) -> None:
    asked = client.post("/consultation", data=consultation(), headers=headers)
    assert asked.status_code == 403
    no_store(asked)
    assert "还没有提交，请再点一次" in asked.get_data(as_text=True)
    assert stored(databases) == []
    shown = shown_fields(asked)
    assert consultation().items() <= shown.items()
    confirmed = [client.post("/consultation", data=shown, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in confirmed] == [303, 303]
    assert len(stored(databases)) == 1


def test_a_token_of_another_browser_asks_again(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    asked = client.post("/consultation", data=consultation(), headers={"User-Agent": "one"})
    other = client.post("/consultation", data=shown_fields(asked), headers={"User-Agent": "other"})
    assert other.status_code == 403
    assert consultation().items() <= shown_fields(other).items()
    assert stored(databases) == []


def test_an_old_token_asks_again_with_a_new_one_and_loses_nothing(
    client: FlaskClient, consultation: Fields, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_800_000_000.0
    clock = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("itsdangerous.timed.time", clock)
    asked = client.post("/consultation", data=consultation(), headers={})
    now += 601
    again = client.post("/consultation", data=shown_fields(asked), headers={})
    assert again.status_code == 403
    assert client.post("/consultation", data=shown_fields(again), headers={}).status_code == 303
    assert len(stored(databases)) == 1


def test_mistakes_after_confirming_are_shown_like_any_others(
    client: FlaskClient, consultation: Fields
) -> None:
    asked = client.post("/consultation", data=consultation(phone=""), headers={})
    assert "请再点一次" in asked.get_data(as_text=True)
    wrong = client.post("/consultation", data=shown_fields(asked), headers={})
    assert wrong.status_code == 422
    assert "请填写能接通的电话" in wrong.get_data(as_text=True)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "127.0.0.1@evil.example", ""]
)
def test_another_host_is_refused(
    client: FlaskClient, consultation: Fields, databases: Databases, host: str
) -> None:
    for response in (
        client.get("/consultation", headers={"Host": host}),
        client.post("/consultation", data=consultation(), headers=OWN_PAGE | {"Host": host}),
    ):
        assert response.status_code == 400
        assert "evil" not in response.get_data(as_text=True)
    assert stored(databases) == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused_with_what_is_allowed(client: FlaskClient, method: str) -> None:
    response = client.open("/consultation", method=method, headers=OWN_PAGE)
    assert response.status_code == 405
    assert {"GET", "HEAD", "POST", "OPTIONS"} == set(response.headers["Allow"].split(", "))


# --- when it cannot be stored ---


@pytest.mark.parametrize("submission_id", ["0123456789abcdef0123456789abcdef", ""])
def test_what_cannot_be_stored_stays_on_the_page_and_later_succeeds_as_one(
    client: FlaskClient,
    consultation: Fields,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    submission_id: str,
) -> None:
    monkeypatch.setattr(record, "WAIT", 0.05)
    typed = consultation(submission_id=submission_id, marketing="yes")
    with a_writer_elsewhere(databases.leads, "leads", "enquiries"), a_spool_that_is_gone(client.application):
        response = post(client, typed)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "60"
    no_store(response)
    text = response.get_data(as_text=True)
    assert "没能存好" in text
    assert "400-000-0000" in text
    assert "XH-" not in text
    assert shown_fields(response).items() >= {key: typed[key] for key in typed if key != "touch"}.items()
    assert stored(databases) == []
    done = [post(client, shown_fields(response)) for _ in range(2)]
    assert [answer.status_code for answer in done] == [303, 303]
    assert len(stored(databases)) == 1


@pytest.mark.parametrize("submission_id", ["0123456789abcdef0123456789abcdef", ""])
def test_what_the_database_refuses_is_thanked_for_from_the_spool(
    client: FlaskClient,
    consultation: Fields,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    submission_id: str,
) -> None:
    monkeypatch.setattr(record, "WAIT", 0.05)
    typed = consultation(submission_id=submission_id)
    with a_writer_elsewhere(databases.leads, "leads", "enquiries"):
        answers = [post(client, typed) for _ in range(2)]
        thanks = client.get(answers[0].headers["Location"])
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert thanks.status_code == 200
    no_store(thanks)
    assert thanks.headers["Referrer-Policy"] == "no-referrer"
    assert stored(databases) == []
    reception = client.application.extensions["xinheng.consultation"].reception
    assert drain(reception.desk, reception.spool)
    (enquiry,) = stored(databases)
    assert answers[0].headers["Location"].endswith(enquiry.reference)
    assert client.get(answers[0].headers["Location"]).text == thanks.text


def test_the_thank_you_page_and_the_form_answer_while_another_writes(
    client: FlaskClient, consultation: Fields, databases: Databases
) -> None:
    address = post(client, consultation()).headers["Location"]
    with a_writer_elsewhere(databases.leads, "leads", "enquiries"):
        assert client.get(address).status_code == 200
        assert client.get("/consultation").status_code == 200


# --- data that changes while the site runs ---


@pytest.fixture
def own_site(settings: Settings, saved_files_are_seen: None) -> Any:
    """A site of its own, whose files a test may change."""
    made = create_app(settings)
    yield made
    made.extensions["xinheng.reads"].stop()
    made.extensions["xinheng.databases"].dispose()


def visit(site: Flask) -> FlaskClient:
    return site.test_client()


def fill(site: Flask, **changed: str) -> dict[str, str]:
    version = site.extensions["xinheng.consultation"].published().version
    return {
        "need": "overdue",
        "phone": "13800138000",
        "details": "逾期四个多月。",
        "consent": "yes",
        "consent_version": version,
    } | changed


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_form_opened_before_its_words_changed_is_taken_and_kept_as_the_older_one(
    own_site: Flask, settings: Settings
) -> None:
    before = fill(own_site)
    change(settings.forms / "consultation.toml", "只用于给您回电咨询", "只用于回电")
    client = visit(own_site)
    assert "只用于回电" in client.get("/consultation", base_url=ORIGIN).get_data(as_text=True)
    answer = client.post("/consultation", data=before, headers=OWN_PAGE, base_url=ORIGIN)
    assert answer.status_code == 303
    with own_site.extensions["xinheng.databases"].leads.reading() as session:
        assert session.scalars(select(Enquiry.form_version)).one() == before["consent_version"]
        published = session.scalars(select(FormVersion.form)).all()
        assert sum('"declaration"' in form for form in published) == 2  # the third is the health check


def test_an_option_that_was_taken_out_keeps_the_rest_and_asks_again(
    own_site: Flask, settings: Settings
) -> None:
    before = fill(own_site)
    change(settings.forms / "consultation.toml", 'key = "overdue"', 'key = "late"')
    client = visit(own_site)
    answer = client.post("/consultation", data=before, headers=OWN_PAGE, base_url=ORIGIN)
    assert answer.status_code == 422
    assert "选项有更新，请重新选择一项" in answer.get_data(as_text=True)
    assert shown_fields(answer)["details"] == before["details"]


def test_a_form_file_saved_wrong_never_takes_the_form_down(own_site: Flask, settings: Settings) -> None:
    (settings.forms / "consultation.toml").write_text("title = ", encoding="utf-8")
    client = visit(own_site)
    assert client.get("/consultation", base_url=ORIGIN).status_code == 200
    answer = client.post("/consultation", data=fill(own_site), headers=OWN_PAGE, base_url=ORIGIN)
    assert answer.status_code == 303


def test_the_days_that_the_notice_promises_are_the_days_that_are_kept(
    own_site: Flask, settings: Settings
) -> None:
    change(settings.content / "site.toml", "retention_days = 180", "retention_days = 60")
    client = visit(own_site)
    assert "保存60天" in client.get("/consultation", base_url=ORIGIN).get_data(as_text=True)
    client.post("/consultation", data=fill(own_site), headers=OWN_PAGE, base_url=ORIGIN)
    with own_site.extensions["xinheng.databases"].leads.reading() as session:
        lead = session.scalars(select(Lead)).one()
    assert lead.retain_until - lead.last_enquiry_at == timedelta(days=60)


def test_a_field_that_an_editor_added_is_asked_kept_and_sealed(own_site: Flask, settings: Settings) -> None:
    change(
        settings.forms / "consultation.toml",
        '[[consents]]\nname = "consent"',
        '[[fields]]\nname = "company"\nkind = "text"\nlabel = "公司"\nprivacy = "回电前了解"\n\n'
        '[[consents]]\nname = "consent"',
    )
    client = visit(own_site)
    assert 'name="company"' in client.get("/consultation", base_url=ORIGIN).get_data(as_text=True)
    fields = fill(own_site, company="示例厂")
    assert client.post("/consultation", data=fields, headers=OWN_PAGE, base_url=ORIGIN).status_code == 303
    with own_site.extensions["xinheng.databases"].leads.reading() as session:
        enquiry, lead = session.scalars(select(Enquiry)).one(), session.scalars(select(Lead)).one()
    assert enquiry.open(own_site.extensions["xinheng.keys"], "extra") == '{"company": "示例厂"}'
    assert lead.open(own_site.extensions["xinheng.keys"], "company") == "示例厂"
    assert "示例厂".encode() not in enquiry.extra


def test_html_in_the_notice_is_shown_as_text(own_site: Flask, settings: Settings) -> None:
    change(
        settings.forms / "consultation.toml",
        "未满14周岁请勿提交。",
        "未满14周岁请勿提交。<img src=x onerror=alert(1)>",
    )
    text = visit(own_site).get("/consultation", base_url=ORIGIN).get_data(as_text=True)
    assert "<img src=x" not in text
    assert "onerror" in html.unescape(text)


def test_production_over_https_asks_for_https_everywhere(settings: Settings) -> None:
    change(settings.content / "site.toml", "sample = true", "sample = false")
    site = create_app(replace(settings, environment="production", origin="https://www.xinheng.example"))
    try:
        client = site.test_client()
        answer = client.get("/consultation", base_url="https://www.xinheng.example")
        assert answer.status_code == 200
        assert "includeSubDomains" in answer.headers["Strict-Transport-Security"]
        assert "upgrade-insecure-requests" in answer.headers["Content-Security-Policy"]
        assert client.get("/consultation", base_url="http://127.0.0.1").status_code == 400
        fields = fill(site)
        for origin, status in (("https://www.xinheng.example", 303), ("http://www.xinheng.example", 403)):
            done = client.post(
                "/consultation",
                data=fields,
                headers={"Origin": origin},
                base_url="https://www.xinheng.example",
            )
            assert done.status_code == status
    finally:
        site.extensions["xinheng.databases"].dispose()


def test_references_have_no_order_that_tells_how_many_there_are(
    client: FlaskClient, consultation: Fields
) -> None:
    found = [
        post(client, consultation(submission_id=f"{number:032x}")).headers["Location"].rpartition("/")[2]
        for number in range(8)
    ]
    assert len(set(found)) == 8
    assert found != sorted(found)
    assert all(re.fullmatch(r"XH-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", each) for each in found)
