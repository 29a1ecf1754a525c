"""Every kind of page and how a visitor, or a member of staff, comes to it; the way through the form to a reference."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from playwright.sync_api import Page, expect
from tests.browser.desk import PASSWORD, Desk, Person, give_code, set_up, sign_in
from tests.browser.running import FORM, NOT_A_PHONE, RunningSite
from tests.browser.visitor import fill, submit
from tests.conftest import ROOT

from xinheng.health_check.loader import load_health_check
from xinheng.leads.models import Lead

REFERENCE = re.compile(r"XH-[0-9A-Z]{5}-[0-9A-Z]{5}")
ARTICLE = "/articles/dso-how-to-measure-and-lower"


def arrived(page: Page) -> str:
    """The reference on the thank-you page, which must be the page that is open."""
    expect(page).to_have_url(re.compile(r"/consultation/XH-"))
    expect(page.locator("h1")).to_have_text("已收到您的咨询")
    shown = page.locator(".thanks__reference b").inner_text()
    assert REFERENCE.fullmatch(shown)
    assert page.url.endswith(shown)
    return shown


def send(page: Page, site: RunningSite, **changed: str) -> str:
    """Fill in the form of the open page, submit it, and return the reference."""
    words = FORM | changed
    site.typed.update(words[name] for name in ("name", "phone", "details"))
    fill(page, words)
    take_time(page)
    submit(page).click()
    return arrived(page)


def take_time(page: Page) -> None:
    """Be as slow as a person: who has a stamp and is done within three seconds is taken for a robot."""
    if page.locator("[name=submission_id]").input_value():
        page.wait_for_timeout(3_100)


def at(path: str) -> Callable[[Page, str], None]:
    def visit(page: Page, origin: str) -> None:
        page.goto(origin + path)

    return visit


def form_with_errors_of_the_server(page: Page, origin: str) -> None:
    page.goto(origin + "/consultation")
    fill(page, FORM | {"phone": NOT_A_PHONE})
    submit(page).click()
    expect(page.locator(".error-summary")).to_be_visible()


def form_with_errors_beside_fields(page: Page, origin: str) -> None:
    page.goto(origin + ARTICLE)
    submit(page).click()
    expect(page.locator(".field__error:visible")).to_have_count(4)


def thank_you(page: Page, origin: str) -> None:
    page.goto(origin + "/consultation")
    fill(page, FORM)
    submit(page).click()
    expect(page.locator(".thanks__reference")).to_be_visible()


def favourites_with_one(page: Page, origin: str) -> None:
    page.goto(origin + ARTICLE)
    page.locator("[data-favourite]").click()
    page.goto(origin + "/favourites")
    expect(page.locator("[data-kept-list] h2")).to_have_count(1)


def request_with_errors(page: Page, origin: str) -> None:
    page.goto(origin + "/privacy/request")
    submit_request(page)
    expect(page.locator(".error-summary")).to_be_visible()


def request_received(page: Page, origin: str) -> None:
    page.goto(origin + "/privacy/request")
    page.select_option("#kind", "access")
    page.fill("#phone", FORM["phone"])
    submit_request(page)
    expect(page.locator("h1")).to_have_text("已收到您的请求")


def submit_request(page: Page) -> None:
    page.get_by_role("button", name="提交请求").click()


PAGES: dict[str, Callable[[Page, str], None]] = {
    "home": at("/"),
    "list": at("/articles/"),
    "last page of the list": at("/articles/?page=2"),
    "category": at("/categories/receivables"),
    "article": at(ARTICLE),
    "consultation": at("/consultation"),
    "health check": at("/health-check"),
    "how it is scored": at("/health-check/method"),
    "form with errors": form_with_errors_of_the_server,
    "errors beside fields": form_with_errors_beside_fields,
    "thank-you": thank_you,
    "search": at("/search"),
    "search with results": at("/search?q=坏账"),
    "search without results": at("/search?q=量子纠缠"),
    "favourites, empty": at("/favourites"),
    "favourites": favourites_with_one,
    "404": at("/no-such-page"),
    "about": at("/about"),
    "privacy": at("/privacy"),
    "AI statement": at("/ai-statement"),
    "personal data request": at("/privacy/request"),
    "personal data request with errors": request_with_errors,
    "personal data request received": request_received,
}


# --- the desk ---


@dataclass
class Cast:
    """Who visits the desk's pages: somebody with every role, a newcomer with one, and a lead of the former's."""

    desk: Desk
    language: str = "zh"
    all: Person = field(init=False)
    newcomer: Person = field(init=False)
    lead: str = field(init=False)
    to_choose: str = field(init=False)
    to_prove: str = field(init=False)
    proved: str = field(init=False)

    def __post_init__(self) -> None:
        every = ("sales", "sales_lead", "admin", "privacy", "editor")
        self.all = self.desk.add("欧阳晓岚", *every, language=self.language)
        self.newcomer = self.desk.add("李强", "sales", language=self.language)
        self.lead = self.desk.lead(self.all, name="诸葛先生", details=LONG)
        for _ in range(2):
            self.desk.lead(self.newcomer)
        self.desk.held(name="Robert", details="Boost your ranking https://a.example https://b.example c.com")
        self.desk.held(name="王先生", details=LONG, homepage="https://a.example")
        self.ask()

    def ask(self) -> None:
        """Requests of somebody with two leads, one of them held back, and two enquiries in quarantine."""
        phone = self.desk.new_phone()
        first = self.desk.lead(self.newcomer, name="诸葛女士", phone=phone)
        with self.desk.store.writing() as session:
            held_back = session.get_one(Lead, first)
            held_back.restricted = True
            held_back.requeue()
        self.desk.lead(self.newcomer, name="诸葛女士", phone=phone, details="又来问一次，请尽快回电")
        for words in (LONG, "请回电"):
            reference = self.desk.held(name="诸葛女士", phone=phone, details=words, homepage="x")
        switchboard = "021-63958427 转 8866"
        for words in ("逾期三个月了", "问一下收费"):
            self.desk.lead(self.newcomer, name="", phone=switchboard, details=words)
        self.to_choose = self.desk.asked("access", switchboard, words="请把我的信息给我一份，谢谢")
        self.to_prove = self.desk.asked("restrict", phone)
        self.proved = self.desk.asked("delete", phone, reference, words="不需要了，请全部删除")

    def enter(self, page: Page, path: str, person: Person | None = None) -> None:
        """Be signed in as somebody, with a second factor if it is the one with every role, and go to a page."""
        person = person or self.all
        page.context.clear_cookies()
        if person is self.all and not person.phone:
            made = self.desk.open(page.context, person, "/desk/second-factor")
            set_up(made, person)
            self.desk.keep_cookies(page.context, person)
            made.close()
        self.desk.open(page.context, person, path, page)


LONG = (
    "我们是做五金配件的，三家客户合计拖了一百二十多万元，最久的一家从去年三月拖到现在，"
    "微信不回、电话不接，只说财务在走流程。\n合同和送货单都在，对账单有两家没有盖章。\n"
    "想先问：要不要停止发货，先对账还是先发函，多久能有结果？"
)
DeskVisit = Callable[[Page, Cast], None]


def in_(path: str) -> DeskVisit:
    """A page that somebody with every role opens by its address."""
    return lambda page, cast: cast.enter(page, path)


def out(path: str) -> DeskVisit:
    """A page for who isn't signed in."""

    def visit(page: Page, cast: Cast) -> None:
        page.context.clear_cookies()
        page.goto(cast.desk.origin + path)

    return visit


def of_lead(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/leads/{cast.lead}")


WORST = {
    "overdue_share": "p30_50",
    "oldest": "d180p",
    "top1": "gt50",
    "top5": "p30_50",
    "proof": "partial",
    "export_share": "lt20",
    "country": "unsure",
    "limit": "unsure",
    "bad_debt": "unsure",
}
"""Raises red flags, perhaps another, and a prompt."""


def lead_with_checks(page: Page, cast: Cast) -> None:
    """Two enquiries of one person, each with a health check, all that folds open."""
    phone = cast.desk.new_phone()
    for answers in ({"top1": "p20_30"}, WORST):
        lead = cast.desk.lead(
            phone=phone, assessment=cast.desk.checked(answers), attach_assessment="yes", details=LONG
        )
    cast.enter(page, f"/desk/leads/{lead}")
    for fold in page.locator("details.fold summary").all():
        fold.click()


def lead_with_little_known(page: Page, cast: Cast) -> None:
    """A health check with hardly an answer."""
    check = load_health_check(ROOT / "forms", None)
    token = cast.desk.checked(dict.fromkeys(check.scored, "unsure"))
    cast.enter(page, f"/desk/leads/{cast.desk.lead(assessment=token, attach_assessment='yes')}")


def counts_of_checks(page: Page, cast: Cast) -> None:
    cast.desk.count_steps()
    cast.enter(page, "/desk/health-check")


def report(path: str = "") -> DeskVisit:
    """A report that has something to tell."""

    def visit(page: Page, cast: Cast) -> None:
        cast.desk.count_visits()
        cast.enter(page, f"/desk/reports{path}")
        expect(page.locator(".report-table").first).to_be_visible()

    return visit


def leads_of_a_report(page: Page, cast: Cast) -> None:
    report()(page, cast)
    page.locator(".report-table a").first.click()
    expect(page.locator(".of-report")).to_be_visible()


def lead_revealed(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/leads/{cast.desk.lead()}")
    page.locator("#contact .phone .button").click()
    expect(page.locator("#contact .phone a")).to_be_visible()


def lead_without_a_note(page: Page, cast: Cast) -> None:
    of_lead(page, cast)
    page.locator("#note").fill("")
    page.locator("[data-draft] .button").click()
    expect(page.locator("#note-error")).to_be_visible()


def lead_with_a_day_gone_by(page: Page, cast: Cast) -> None:
    of_lead(page, cast)
    page.locator("#next-date").fill("2024-02-29")
    page.locator("#next .button").first.click()
    expect(page.locator("#next-date-error")).to_be_visible()


def lead_changed_by_another(page: Page, cast: Cast) -> None:
    of_lead(page, cast)
    cast.desk.plan(cast.lead, cast.newcomer, datetime.now(UTC) + timedelta(days=2))
    page.locator("#next-step").fill("寄对账单，周五前打电话")
    page.locator("#next .quick .button").nth(1).click()
    expect(page.locator(".error-summary")).to_be_visible()


def list_with_a_ticked_row(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/leads")
    page.locator("[data-row] input").first.check()
    expect(page.locator(".bulk")).to_be_visible()


def export_refused(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/leads/export?status=open")
    page.locator("#reason").fill("13800138000")
    page.locator(".export-form .button").click()
    expect(page.locator("#reason-error")).to_be_visible()


def request_to_prove(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/requests/{cast.to_prove}")


def request_of_a_landline(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/requests/{cast.to_choose}")


def request_proved(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/requests/{cast.proved}")
    expect(page.locator(".records li")).to_have_count(4)


def request_without_its_reason(page: Page, cast: Cast) -> None:
    request_proved(page, cast)
    page.locator("[name=outcome][value=refused]").click()
    expect(page.locator("#close-error")).to_be_visible()


def held_found_by_its_reference(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/quarantine")
    reference = page.locator(".held .meta .figure").nth(1).inner_text()
    page.locator("#find").fill(reference)
    page.locator("#find").press("Enter")
    expect(page.locator(".held .meta .figure").first).to_have_text(reference)


def keys_of_the_list(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/leads")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def list_with_a_reckoning(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/leads")
    page.locator(".why__line").first.focus()
    expect(page.locator(".why__all").first).to_be_visible()


def lead_just_talked_to(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/leads/{cast.desk.lead()}")
    page.locator("form[action$='/wechat'] button").click()
    expect(page.locator(".ask-next")).to_be_focused()


def duty_being_changed(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/duty")
    page.locator(".duty__change summary").first.click()
    expect(page.locator(".presence").first).to_be_visible()


def nothing_found(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/")
    page.locator("#find").fill("没有这个人")
    page.locator("#find").press("Enter")
    expect(page.locator(".nothing")).to_be_visible()


def new_recovery_codes(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/second-factor/codes")
    page.locator("main form .button").first.click()
    expect(page.locator(".codes code")).to_have_count(10)


def set_up_second_factor(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/second-factor", cast.newcomer)
    page.locator(".set-up__key summary").click()


def wrong_first_code(page: Page, cast: Cast) -> None:
    set_up_second_factor(page, cast)
    page.locator("#main form .button").first.click()
    expect(page.locator("#code-error")).to_be_visible()


def notices_one_given_up(page: Page, cast: Cast) -> None:
    cast.desk.give_up_a_notice()
    cast.enter(page, "/desk/notices")
    expect(page.locator(".notice-failed")).to_be_visible()


def invitation_refused(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/people/invite")
    page.locator("#email").fill("lin.xia")
    page.locator(".person-form .button").first.click()
    expect(page.locator(".field__error").first).to_be_visible()


def invitation_link(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/people/invite")
    page.locator("#email").fill("lin.xia@xinheng.example")
    page.locator("#name").fill("林夏")
    page.locator("[name=role]").first.check()
    page.locator(".person-form .button").first.click()
    expect(page.locator(".person-link code")).to_be_visible()


def member_of_the_desk(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/people/{cast.newcomer.id}")


def member_leaving(page: Page, cast: Cast) -> None:
    cast.enter(page, f"/desk/people/{cast.newcomer.id}/leave")
    page.locator(".button--danger").click()


def joining(page: Page, cast: Cast) -> None:
    page.context.clear_cookies()
    page.goto(cast.desk.invite("林夏", "sales"))


def joining_with_errors(page: Page, cast: Cast) -> None:
    joining(page, cast)
    page.locator("#new").fill("kurz")
    page.locator("#repeated").fill("lang")
    page.locator("main form .button").click()
    expect(page.locator("#repeated-error")).to_be_visible()


def joined(page: Page, cast: Cast) -> None:
    page.context.clear_cookies()
    page.goto(cast.desk.invite(f"林夏{secrets.token_hex(3)}", "sales"))
    page.locator("#new").fill(PASSWORD)
    page.locator("#repeated").fill(PASSWORD)
    page.locator("main form .button").click()
    expect(page.locator("h1")).to_have_text("密码设好了")


def forbidden(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/audit", cast.newcomer)


def with_a_banner(page: Page, cast: Cast) -> None:
    cast.enter(page, "/desk/", cast.newcomer)
    expect(page.locator(".banner")).to_be_visible()


def sign_in_refused(page: Page, cast: Cast) -> None:
    page.context.clear_cookies()
    sign_in(page, cast.desk.origin, Person("", "niemand@xinheng.example", "", "das-stimmt-nicht"))
    expect(page.locator(".sign-in__told")).to_be_visible()


def asked_for_a_code(page: Page, cast: Cast) -> None:
    of_lead(page, cast)  # makes sure of the second factor
    page.context.clear_cookies()
    sign_in(page, cast.desk.origin, cast.all)
    expect(page.locator("#code")).to_be_visible()


def asked_for_a_recovery_code(page: Page, cast: Cast) -> None:
    asked_for_a_code(page, cast)
    page.locator(".sign-in__aside a").first.click()
    give_code(page, "")
    expect(page.locator("#code-error")).to_be_visible()


def session_over(page: Page, cast: Cast) -> None:
    """What was typed is shown on the page that asks to sign in again."""
    of_lead(page, cast)
    page.context.clear_cookies()
    page.locator("#next-step").fill("先把对账单寄过去，等财务回话")
    page.locator("#next .button").first.click()
    expect(page.locator("#typed")).to_be_visible()


def token_of_another_session(page: Page, cast: Cast) -> None:
    of_lead(page, cast)
    page.locator("#next-step").fill("先把对账单寄过去，等财务回话")
    page.locator("#next [name=csrf_token]").evaluate("(field) => { field.value = 'old'; }")
    page.locator("#next .button").first.click()
    expect(page.locator("#typed")).to_be_visible()


def two_leads(cast: Cast) -> tuple[str, str]:
    """Two behind one switchboard, the second with a name and words as long as they come."""
    switchboard = f"021-6394{next(_switchboards)}"
    mine = cast.desk.lead(cast.all, phone=switchboard, name="诸葛女士")
    name = "中外合资企业里负责应收账款和出口单证的那位同事请叫我小顾就可以了谢谢您"
    return mine, cast.desk.lead(phone=f"{switchboard} 转 8866", name=name, need="other", details=LONG)


_switchboards = count(1000)


def lead_with_duplicates(page: Page, cast: Cast) -> None:
    mine, _ = two_leads(cast)
    cast.enter(page, f"/desk/leads/{mine}")
    expect(page.locator("#ties li")).to_have_count(1)
    for fold in page.locator("details.edit summary").all():
        fold.click()


def merge_of_two(page: Page, cast: Cast) -> None:
    lead_with_duplicates(page, cast)
    page.locator(".ties__deeds a").first.click()
    expect(page.locator(".merge-choice").first).to_be_visible()


def merge_of_what_changed(page: Page, cast: Cast) -> None:
    merge_of_two(page, cast)
    lead_id = page.url.split("/")[-1]
    cast.desk.plan(lead_id, cast.newcomer, datetime.now(UTC) + timedelta(days=2))
    page.locator(".merge-form .button").click()
    expect(page.locator(".error-summary")).to_be_visible()


def lead_merged(page: Page, cast: Cast) -> None:
    merge_of_two(page, cast)
    page.locator(".merge-form .button").click()
    expect(page.locator(".told--done")).to_be_visible()
    page.locator("#contact .phone .button").click()
    expect(page.locator(".phone--further a, #contact .phone a").first).to_be_visible()


def split_of_a_lead(page: Page, cast: Cast) -> None:
    phone = cast.desk.new_phone()
    for name, details in (("诸葛先生", LONG), ("王女士", "问一下怎么收费")):
        lead_id = cast.desk.lead(cast.all, phone=phone, name=name, details=details)
    cast.enter(page, f"/desk/leads/{lead_id}")
    page.locator("#note").fill("答应周四前把报告寄给王女士，她会转给老板看")
    page.locator("[data-draft] .button").click()
    page.locator("#ties .more").click()
    expect(page.locator(".split-enquiry")).to_have_count(2)


def split_of_nothing(page: Page, cast: Cast) -> None:
    split_of_a_lead(page, cast)
    page.locator(".split-form .button").click()
    expect(page.locator(".error-summary")).to_be_visible()


DESK_PAGES: dict[str, DeskVisit] = {
    "today": in_("/desk/"),
    "today with a banner": with_a_banner,
    "leads": in_("/desk/leads"),
    "leads, one ticked": list_with_a_ticked_row,
    "leads, keys": keys_of_the_list,
    "leads, none": in_("/desk/leads?status=won&level=high"),
    "leads, nothing found": nothing_found,
    "export": in_("/desk/leads/export"),
    "export, refused": export_refused,
    "export, none": in_("/desk/leads/export?status=won"),
    "leads, why first": list_with_a_reckoning,
    "lead": of_lead,
    "lead, what comes next": lead_just_talked_to,
    "lead with checks": lead_with_checks,
    "lead with little known": lead_with_little_known,
    "check counts, none": in_("/desk/health-check?days=7"),
    "check counts": counts_of_checks,
    "report": report(),
    "report of articles": report("/articles"),
    "report of needs": report("/needs"),
    "report of people": report("/people"),
    "report of spam": report("/spam"),
    "leads of a report": leads_of_a_report,
    "lead revealed": lead_revealed,
    "lead with duplicates": lead_with_duplicates,
    "merge": merge_of_two,
    "merge of what changed": merge_of_what_changed,
    "lead merged": lead_merged,
    "split": split_of_a_lead,
    "split of nothing": split_of_nothing,
    "lead without a note": lead_without_a_note,
    "lead with a day gone by": lead_with_a_day_gone_by,
    "lead changed by another": lead_changed_by_another,
    "quarantine": in_("/desk/quarantine"),
    "quarantine, spam": in_("/desk/quarantine?state=spam"),
    "quarantine, found": held_found_by_its_reference,
    "requests": in_("/desk/requests"),
    "request to prove": request_to_prove,
    "request of a landline": request_of_a_landline,
    "request proved": request_proved,
    "request without its reason": request_without_its_reason,
    "people": in_("/desk/people"),
    "invite": in_("/desk/people/invite"),
    "invite, refused": invitation_refused,
    "invite, link": invitation_link,
    "member": member_of_the_desk,
    "member leaving": member_leaving,
    "join": joining,
    "join, errors": joining_with_errors,
    "joined": joined,
    "join, no link": out("/desk/join/0123456789"),
    "audit": in_("/desk/audit"),
    "audit, none": in_("/desk/audit?until=2024-01-01"),
    "notices, one given up": notices_one_given_up,
    "content": in_("/desk/content"),
    "preview": in_("/desk/content/ageing-report"),
    "duty": duty_being_changed,
    "how leads are ordered": in_("/desk/priority"),
    "me": in_("/desk/me"),
    "password": in_("/desk/password"),
    "password again": in_("/desk/again?next=/desk/me"),
    "set-up": set_up_second_factor,
    "set-up, no code": wrong_first_code,
    "new recovery codes": in_("/desk/second-factor/codes"),
    "recovery codes": new_recovery_codes,
    "desk 403": forbidden,
    "desk 404": in_("/desk/leads/0123456789abcdef0123456789abcdef"),
    "session over": session_over,
    "token of another session": token_of_another_session,
    "sign-in": out("/desk/sign-in"),
    "sign-in refused": sign_in_refused,
    "code": asked_for_a_code,
    "recovery": asked_for_a_recovery_code,
    "no code at all": out("/desk/code/help"),
}
