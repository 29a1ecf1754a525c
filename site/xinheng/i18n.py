"""Languages and the site's clock. Message ids are Chinese, so the default language needs no catalogue."""

from __future__ import annotations

from gettext import NullTranslations

from flask import Flask, current_app, g, has_request_context
from flask_babel import Babel, get_domain, get_locale, refresh

from xinheng.settings import SHANGHAI, Settings

DEFAULT_LOCALE = "zh_Hans_CN"


def start_i18n(app: Flask, settings: Settings) -> None:
    """Every public page is Chinese and every shown time is Shanghai's, whatever the browser asks for: pages stay
    cacheable. At the desk, `xinheng.language` among the extensions says what the member chose."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(settings.translations)
    Babel(app, default_locale=DEFAULT_LOCALE, default_timezone=SHANGHAI.key, locale_selector=_chosen)
    app.jinja_env.globals["get_locale"] = get_locale
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension brings it
        lambda text: catalogue().gettext(text),
        lambda one, many, number: catalogue().ngettext(one, many, number),
        newstyle=True,
    )


def _chosen() -> str | None:
    choose = current_app.extensions.get("xinheng.language")
    return choose() if choose else None


def catalogue() -> NullTranslations:
    """The texts in the reader's language, looked up once a request: a list has hundreds of them."""
    if not has_request_context():
        return NullTranslations()
    found: NullTranslations | None = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_domain().get_translations()
    return found


def another_language() -> None:
    """The reader has just chosen another one: what follows is said in it."""
    g.pop("catalogue", None)
    refresh()


def gettext(text: str, **values: object) -> str:
    """The text in the reader's language, `%(name)s` filled in."""
    found = catalogue().gettext(text)
    return found % values if values else found


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The text for a number, `%(num)s` filled in."""
    return catalogue().ngettext(one, many, number) % ({"num": number} | values)
