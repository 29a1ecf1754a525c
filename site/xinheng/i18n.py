"""Languages and the site's clock. Message ids are Chinese, so the default language needs no catalogue."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel

from xinheng.settings import SHANGHAI, Settings

DEFAULT_LOCALE = "zh_Hans_CN"


def start_i18n(app: Flask, settings: Settings) -> None:
    """Every page is Chinese and every shown time is Shanghai's, whatever the browser asks for: pages stay cacheable."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(settings.translations)
    Babel(app, default_locale=DEFAULT_LOCALE, default_timezone=SHANGHAI.key)
