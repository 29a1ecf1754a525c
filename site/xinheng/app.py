"""The application: named steps, the table of contents."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from xinheng.articles import feeds
from xinheng.articles import views as articles
from xinheng.articles.cover import SHAPES, cover
from xinheng.articles.favourites import Favourites
from xinheng.articles.library import LibraryHolder
from xinheng.articles.reads import ReadCounter
from xinheng.articles.structured import article_data
from xinheng.company import Company, load_company
from xinheng.crypto import Keys, load_keys
from xinheng.db import open_databases
from xinheng.desk import routes as desk
from xinheng.desk.sign_in import start_sign_in
from xinheng.disk import ANY_DISK, Disk
from xinheng.documents import BadDocument
from xinheng.errors import Site, install_error_pages, request_name
from xinheng.filters import install_filters
from xinheng.forms.definition import PublishedForm
from xinheng.forms.loader import CONSULTATION, load_consultation
from xinheng.headers import SecurityHeaders
from xinheng.health_check import routes as health_check_pages
from xinheng.health_check.drafts import Drafts
from xinheng.health_check.steps import size_of
from xinheng.health_check.tidying import Room
from xinheng.health_check.versions import CheckVersions
from xinheng.health_check.visitor import HealthCheckDesk
from xinheng.i18n import start_i18n
from xinheng.leads import views as leads
from xinheng.leads.assignment import Assigner
from xinheng.leads.deletion import Deletion
from xinheng.leads.exports import Exports
from xinheng.leads.guard import Guard
from xinheng.leads.made_files import MadeFiles
from xinheng.leads.quarantine import Quarantine
from xinheng.leads.reception import Reception
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.spool import Spool
from xinheng.leads.work import LeadWork
from xinheng.leaving import LastAnswers, Leaving
from xinheng.logs import start_logging
from xinheng.markup import highlighted
from xinheng.migrations import upgrade
from xinheng.notices.channels import Switchboard, made_channels
from xinheng.origin_guard import guard_origin
from xinheng.page_cache import compress
from xinheng.pages import health
from xinheng.pages import views as pages
from xinheng.privacy import views as privacy
from xinheng.privacy.pace import Pace
from xinheng.privacy.receiving import PrivacyDesk
from xinheng.privacy.replaying import carry_out_again
from xinheng.processors import watched_processors
from xinheng.referrers import PATTERNS
from xinheng.reloading import version_of, watched_content, watched_form
from xinheng.rendering import Footer
from xinheng.running import hold_running
from xinheng.settings import SettingError, Settings
from xinheng.staff.duty import Duty
from xinheng.static_files import serve_static, static_root, version_of_file
from xinheng.watched_rules import watch_rules
from xinheng.working_days import watched_calendar

FORM_BYTES = 64 * 1024
MAY_BE_CONFIRMED = frozenset({"leads.submit", "privacy.submit"})
"""Forms that people fill in at length: where a browser doesn't say where one comes from, they are asked."""


def create_app(settings: Settings) -> Flask:
    """Build the application from settings. Raises BadDocument, SettingError, WeakKey, InUse or DatabaseUnsafe."""
    app = Site("xinheng", static_folder=str(settings.static), static_url_path="/static")
    configure(app, settings)
    start_logging(request_name)
    start_i18n(app, settings)
    company = watch_company(app, settings)
    app.extensions["xinheng.calendar"] = watched_calendar(settings)
    open_stores(app, settings)
    watch_channels(app, settings)
    watch_library(app, settings)
    start_consultation(app, settings, company)
    watch_rules(app, settings)
    start_health_check(app, settings)
    root = static_root(settings)
    install_filters(app, partial(version_of_file, root))
    share_with_templates(app, settings, company)
    guard_origin(app, settings, MAY_BE_CONFIRMED)
    start_sign_in(app, settings)
    public = (
        articles.blueprint,
        feeds.blueprint,
        leads.blueprint,
        health_check_pages.blueprint,
        privacy.blueprint,
        pages.blueprint,
        health.blueprint,
    )
    for blueprint in (*public, desk.blueprint):
        app.register_blueprint(blueprint)
    install_error_pages(app)
    compress.init_app(app)
    wrap(app, settings, root)
    return app


def configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        ORIGIN=settings.origin,
        TRUSTED_HOSTS=settings.trusted_hosts,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        MAX_FORM_PARTS=50,
        COMPRESS_REGISTER=False,
        COMPRESS_BR_LEVEL=4,
        COMPRESS_MIMETYPES=[
            "text/html",
            "application/xml",
            "application/atom+xml",
            "text/plain",
            "application/json",
        ],
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def watch_company(app: Flask, settings: Settings) -> Callable[[], Company]:
    company = watched_content(settings, "site.toml", load_company)
    if settings.production and company().sample:
        raise SettingError(
            "content/site.toml 还是示例公司（sample = true）：正式环境请换成您的公司，并把 sample 改为 false"
        )
    app.extensions["xinheng.company"] = company
    return company


def open_stores(app: Flask, settings: Settings) -> None:
    """Keys and databases, the schema brought up to date, and what counts reads and favourites."""
    databases = open_databases(settings.data, settings.database_url)
    weakref.finalize(app, os.close, hold_running(settings.data))
    keys = load_keys(settings.data / "keys", make=not databases.leads.in_use())
    upgrade(databases)
    if settings.production and (careless := databases.leads.careless_settings()):
        logging.getLogger(__name__).error(
            "PostgreSQL 的 %s 关着：断电时，受理过的咨询会丢。请打开再用", "、".join(careless)
        )
    app.extensions["xinheng.deletion"] = deletion = Deletion.of_site(databases.leads, keys, settings.data)
    calendar = app.extensions["xinheng.calendar"]
    # before the first request: the database may come from a backup
    carry_out_again(databases.leads, keys, deletion, calendar())
    app.extensions["xinheng.keys"] = keys
    app.extensions["xinheng.databases"] = databases
    app.extensions["xinheng.spool"] = spool = open_spool(settings, keys)
    app.extensions["xinheng.disk"] = disk = Disk((settings.data,))
    both = Disk((settings.data, settings.spool))
    app.extensions["xinheng.readiness"] = health.Readiness(databases.leads, spool, both)
    app.extensions["xinheng.privacy"] = PrivacyDesk(databases.leads, keys, deletion.file, calendar=calendar)
    app.extensions["xinheng.pace"] = Pace(
        databases.counters, keys, settings.limits.request if settings.limits else None
    )
    counters_on = ANY_DISK if settings.database_url else disk
    app.extensions["xinheng.reads"] = ReadCounter(databases.counters, counters_on)
    app.extensions["xinheng.favourites"] = Favourites(databases.counters, keys, counters_on)
    app.extensions["xinheng.exports"] = Exports(databases.leads, keys, settings.export_rows)
    app.extensions["xinheng.made_files"] = MadeFiles(settings.data / "exports")
    app.extensions["xinheng.assigner"] = assigner = Assigner(
        lambda: app.extensions["xinheng.assignment_rules"](), calendar, second_factor=settings.production
    )
    app.extensions["xinheng.work"] = LeadWork(
        databases.leads,
        keys,
        site=settings.origin,
        calendar=calendar,
        response=lambda: app.extensions["xinheng.response"](),
        limits=assigner,
    )
    app.extensions["xinheng.duty"] = Duty(databases.leads, keys)


def watch_channels(app: Flask, settings: Settings) -> None:
    """Who is entrusted with what; and the ways to staff, of which the desk tells and which it tests."""
    register = watched_processors(settings)
    app.extensions["xinheng.processors"] = register
    app.extensions["xinheng.channels"] = Switchboard(made_channels(settings), register)


def open_spool(settings: Settings, keys: Keys) -> Spool:
    """Where enquiries wait while the database refuses; the site works without it, and says so."""
    spool = Spool(settings.spool, keys)
    try:
        spool.prepare()
    except OSError as fault:
        logging.getLogger(__name__).error("备用文件夹用不了：%s（%s）", settings.spool, fault.strerror)
    return spool


def watch_library(app: Flask, settings: Settings) -> None:
    holder = LibraryHolder(
        settings.content, settings.data / "library", start_from_last_good=settings.production
    )
    holder.current()
    app.extensions["xinheng.library"] = holder


def start_consultation(app: Flask, settings: Settings, company: Callable[[], Company]) -> None:
    """The form as data, and the desk that records what it brings."""

    def load(folder: Path) -> PublishedForm:
        form = load_consultation(folder, present_company())
        desk.publish(form)
        return form

    def present_company() -> Company:
        """As saved a moment ago, not as last looked at: the notice must name what the footer will."""
        try:
            return load_company(settings.content)
        except BadDocument:
            return company()

    keys = app.extensions["xinheng.keys"]
    desk = EnquiryDesk(
        app.extensions["xinheng.databases"].leads,
        keys,
        site=settings.origin,
        priority=lambda: app.extensions["xinheng.priority"](),
        response=lambda: app.extensions["xinheng.response"](),
        calendar=app.extensions["xinheng.calendar"],
        catch_up=app.extensions["xinheng.privacy"].catch_up,
    )
    around = partial(version_of, [settings.content / "site.toml"])
    published = watched_form(settings, CONSULTATION, load, around)
    databases = app.extensions["xinheng.databases"]
    app.extensions["xinheng.quarantine"] = Quarantine(databases.leads, keys, desk)
    app.extensions["xinheng.consultation"] = leads.Consultation(
        reception=Reception(desk, app.extensions["xinheng.spool"], keys, databases.leads),
        guard=Guard(databases.counters, keys, settings.limits),
        published=published,
        company=company,
        article_slugs=lambda: app.extensions["xinheng.library"].current().by_slug,
        own_host=urlsplit(settings.origin).netloc,
    )


def start_health_check(app: Flask, settings: Settings) -> None:
    """What the pages of the health check need: its definitions, and where drafts and results are kept."""
    databases, keys = app.extensions["xinheng.databases"], app.extensions["xinheng.keys"]
    app.extensions["xinheng.health_checks"] = HealthCheckDesk(
        versions=CheckVersions(app.extensions["xinheng.health_check"], databases.leads),
        drafts=Drafts(databases.counters, keys),
        room=Room(databases.counters),
        leads=databases.leads,
        keys=keys,
        article_slugs=lambda: app.extensions["xinheng.library"].current().by_slug,
        secure=settings.secure,
    )


def share_with_templates(app: Flask, settings: Settings, company: Callable[[], Company]) -> None:
    @app.context_processor
    def shared() -> dict[str, object]:
        return {
            "company": company(),
            "origin": settings.origin,
            "consultation_form": leads.shown_form,
            "pages": app.extensions["xinheng.library"].current().pages,
        }

    app.jinja_env.globals.update(
        footer=Footer(app.jinja_env),
        cover=cover,
        shapes=SHAPES,
        highlighted=highlighted,
        article_data=article_data,
        source_patterns=PATTERNS,
        health_check_size=lambda: size_of(app.extensions["xinheng.health_check"]()),
    )


def wrap(app: Flask, settings: Settings, root: Path) -> None:
    """WSGI layers, the outermost last."""
    app.extensions["xinheng.leaving"] = leaving = Leaving()
    application: Any = LastAnswers(serve_static(app.wsgi_app, root, settings), leaving)
    application = SecurityHeaders(application, settings)
    if settings.proxies:
        application = ProxyFix(application, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)
    app.wsgi_app = application  # type: ignore[method-assign]
