"""The files of forms/ that rules are read from: live when they are saved, the last good ones while a save is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from flask import Flask

from xinheng.form_versions import publish_form
from xinheng.forms.assignment import ASSIGNMENT, load_assignment
from xinheng.forms.call_guide import CALL_GUIDE, CallGuide, load_call_guide
from xinheng.forms.needs import offered_needs
from xinheng.forms.priority import PRIORITY, load_priority
from xinheng.forms.response import RESPONSE, load_response
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import HEALTH_CHECK, load_health_check
from xinheng.reloading import Version, version_of, watched_form
from xinheng.rule_faults import SavedRules
from xinheng.settings import Settings

Rules = TypeVar("Rules")


def watch_rules(app: Flask, settings: Settings) -> None:
    """Who takes a lead, whom to call first, how soon, what to say there, and the health check. They name needs of the form,
    and articles."""
    published = app.extensions["xinheng.consultation"].published
    library = app.extensions["xinheng.library"]

    def known(folder: Path, names: Callable[[], Collection[str]]) -> Collection[str] | None:
        """What may be named; the last good files start the site whatever has changed around them."""
        return names() if folder == settings.forms else None

    def needs() -> Collection[str]:
        return offered_needs(published().declaration)

    def slugs() -> Collection[str]:
        """Of all articles, those whose time hasn't come among them, as `xinheng check` sees it."""
        return {slug for (slug,) in library.current().index.rows("SELECT slug FROM articles")}

    def surroundings() -> Version:
        """What changes when the form or the articles do: what was right may be wrong then, and the reverse."""
        return (*version_of([library.current().index.file]), (published().version, 0, 0))

    def of_needs(load: Callable[[Path, Collection[str] | None], Rules]) -> Callable[[Path], Rules]:
        return lambda folder: load(folder, known(folder, needs))

    def health_check(folder: Path) -> HealthCheck:
        check = load_health_check(folder, known(folder, slugs))
        publish_form(app.extensions["xinheng.databases"].leads, check.hash, check.stored)
        return check

    def questions() -> Collection[str]:
        return present_check().scored

    def around_guide() -> Version:
        return (*surroundings(), (present_check().hash, 0, 0))

    def call_guide(folder: Path) -> CallGuide:
        named = known(folder, needs), known(folder, slugs), known(folder, questions)
        return load_call_guide(folder, *named)

    app.extensions["xinheng.assignment_rules"] = watched_form(
        settings, ASSIGNMENT, load_assignment, lambda: ()
    )
    app.extensions["xinheng.priority"] = watched_form(
        settings, PRIORITY, of_needs(load_priority), surroundings
    )
    app.extensions["xinheng.response"] = watched_form(
        settings, RESPONSE, of_needs(load_response), surroundings
    )
    present_check = watched_form(settings, HEALTH_CHECK, health_check, surroundings)
    app.extensions["xinheng.health_check"] = present_check
    app.extensions["xinheng.call_guide"] = watched_form(settings, CALL_GUIDE, call_guide, around_guide)
    app.extensions["xinheng.saved_rules"] = SavedRules(settings.content, settings.forms, slugs)
