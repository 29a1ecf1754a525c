"""Taking leads away: the password again, a reason, and a file that opens as what it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import BytesIO

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update
from tests.browser.desk import PASSWORD, Desk, Person, desk_of
from tests.browser.running import RunningSite

from xinheng.staff.models import StaffSession

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Iterator[Desk]:
    with desk_of(site) as desk:
        yield desk


def let_time_pass(desk: Desk, person: Person) -> None:
    """As if the member had given the password six minutes ago."""
    with desk.store.writing() as session:
        for kept in session.query(StaffSession).filter_by(staff_id=person.id):
            proved = {"proved_at": time.time() - 6 * 60}
            session.execute(
                update(StaffSession)
                .where(StaffSession.id_hash == kept.id_hash)
                .values(data=dict(kept.data) | proved)
            )


def ordered(page: Page, reason: str) -> Worksheet:
    """Send the form of the export; the sheet that the browser got."""
    page.get_by_label("为什么导出").fill(reason)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="导出").click()
    assert downloading.value.suggested_filename.endswith(".xlsx")
    return openpyxl.load_workbook(BytesIO(downloading.value.path().read_bytes())).worksheets[0]


def test_a_salesperson_exports_what_the_list_shows_after_giving_the_password(
    desk: Desk, context_at: Contexts
) -> None:
    person = desk.add("周小青", "sales")
    desk.lead(person, name="欧阳女士", phone="139 0015 8123")
    page = desk.open(context_at(1280), person, "/desk/leads?status=open")
    let_time_pass(desk, person)
    page.get_by_role("link", name="导出这些线索").click()
    expect(page.locator("h1")).to_have_text("再填一次密码")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="继续").click()
    expect(page.locator("h1")).to_have_text("导出线索")
    expect(page.locator(".export-facts")).to_contain_text("负责人 我的，状态 进行中")

    page.get_by_role("button", name="导出").click()  # the browser itself asks for the reason
    assert page.locator("#reason").evaluate("field => field.validity.valueMissing")
    sheet = ordered(page, "周会汇报本周线索")
    assert str(sheet["A1"].value).startswith("周小青于")
    assert [cell.value for cell in sheet[3]][1:3] == ["欧**", "139****8123"]
    assert desk.recorded("export") == 1
    expect(page.get_by_label("不打码", exact=False)).to_have_count(0)


def test_a_sales_lead_exports_whole_numbers(desk: Desk, context_at: Contexts) -> None:
    person = desk.add("李小航", "sales_lead")
    desk.lead(name="=HYPERLINK(A1)", phone="139 0015 8124")
    page = desk.open(context_at(360), person, "/desk/leads/export")
    page.get_by_label("不打码", exact=False).check()
    sheet = ordered(page, "交给外呼公司前的核对")
    rows = {row[2].value: row[1] for row in sheet.iter_rows(min_row=3)}
    assert (rows["139 0015 8124"].value, rows["139 0015 8124"].data_type) == ("=HYPERLINK(A1)", "s")
