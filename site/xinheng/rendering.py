"""How pages are made of templates: what every page asks for, without asking twice."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

from flask import request
from flask.templating import Environment
from markupsafe import Markup

from xinheng.company import Company


class Templates(Environment):
    """Templates of one application, which has no globals for a single one of them."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of all: a chain of two, which each page and each import goes through name by name, is slow."""
        return super().make_globals(d) if d else self.globals


class _Made(NamedTuple):
    """A footer, and what it was made of."""

    company: Company
    pages: Mapping[str, Any]
    root: str
    footer: Markup


class Footer:
    """The footer of public pages: alike on all of them, with a dozen addresses in it, so it is made once and kept.

    The layout calls it with the company and the content pages; it is made again when one of them was loaded anew.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._made: _Made | None = None

    def __call__(self, company: Company, pages: Mapping[str, Any]) -> Markup:
        made, root = self._made, request.script_root
        if made is None or made.company is not company or made.pages is not pages or made.root != root:
            macros: Any = self._environment.get_template("components/site.html").module
            made = self._made = _Made(company, pages, root, macros.footer(company, pages))
        return made.footer
