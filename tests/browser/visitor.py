"""A visitor's browser: how it is started, what it looks like to the site, and what it does there."""

from __future__ import annotations

import itertools
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE_WIDTH = 600  # pixels; narrower windows are phones
Scheme = Literal["light", "dark"]

_serial = itertools.count(1)


def new_context(
    browser: Browser, width: int, *, script: bool = True, scheme: Scheme = "light"
) -> BrowserContext:
    """A visitor's own browser. Each is another reader to the site: its version number is its own.

    The agent is that of a person's browser: the one of a headless Chromium says so, and counts as a robot.
    """
    phone = width < PHONE_WIDTH
    system = "Linux; Android 13; V2166A" if phone else "Windows NT 10.0; Win64; x64"
    version = f"130.0.{next(_serial)}.0"
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}"
    return browser.new_context(
        user_agent=f"{agent}{' Mobile' if phone else ''} Safari/537.36",
        viewport={"width": width, "height": 740 if phone else 900},
        is_mobile=phone,
        has_touch=phone,
        java_script_enabled=script,
        color_scheme=scheme,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )


class Complaints:
    """What pages of a context complained of in the console: errors, warnings of the CSP, uncaught exceptions."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        self._visited: set[str] = set()
        context.on(
            "request",
            lambda request: self._visited.update({request.url} if request.is_navigation_request() else ()),
        )
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(str(error.error)))

    def _console(self, message: ConsoleMessage) -> None:
        # a page that answers 404 or 422 says so in the console; that is an answer, not a fault of the page
        answered = (
            message.text.startswith("Failed to load resource") and message.location["url"] in self._visited
        )
        if message.type in {"error", "warning"} and not answered:
            self.found.append(f"{message.type}: {message.text} ({message.location['url']})")


def fill(page: Page, fields: dict[str, str]) -> None:
    """Fill in the consultation form; fields that aren't named stay as they are."""
    form = page.locator("form[data-consultation]")
    for name, value in fields.items():
        control = form.locator(f"#{name}")
        match name:
            case "need" | "call_time":
                control.select_option(value)
            case "consent" | "marketing":
                control.set_checked(bool(value))
            case _:
                control.fill(value)


def submit(page: Page) -> Locator:
    """The form's button."""
    return page.locator("form[data-consultation] .button")


def typed(page: Page) -> dict[str, Any]:
    """What stands in the fields of the form."""
    form = page.locator("form[data-consultation]")
    values = {
        name: form.locator(f"#{name}").input_value()
        for name in ("need", "name", "phone", "details", "call_time")
    }
    return values | {"consent": form.locator("#consent").is_checked()}


def error_of(page: Page, name: str) -> Locator:
    """The message beside a field."""
    return page.locator(f"#{name}-error")
