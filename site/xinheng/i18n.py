"""Languages and the site's clock. Message ids are Chinese, so the default language needs no catalogue."""

from __future__ import annotations

from flask import Flask, current_app
from flask_babel import Babel, get_locale
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

from xinheng.settings import SHANGHAI, Settings

DEFAULT_LOCALE = "zh_Hans_CN"


def start_i18n(app: Flask, settings: Settings) -> None:
    """Every public page is Chinese and every shown time is Shanghai's, whatever the browser asks for: pages stay
    cacheable. At the desk, `xinheng.language` among the extensions says what the member chose."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(settings.translations)
    Babel(app, default_locale=DEFAULT_LOCALE, default_timezone=SHANGHAI.key, locale_selector=_chosen)
    app.jinja_env.globals["get_locale"] = get_locale


def _chosen() -> str | None:
    choose = current_app.extensions.get("xinheng.language")
    return choose() if choose else None


def gettext(text: str, **values: object) -> str:
    """The text in the reader's language, `%(name)s` filled in."""
    return str(_gettext(text, **values))


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The text for a number, `%(num)s` filled in."""
    return str(_ngettext(one, many, number, **values))
