"""The footer of public pages: alike on all of them, with a dozen addresses in it, so it is made once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import request
from jinja2 import Environment
from markupsafe import Markup

from xinheng.company import Company


class _Made(NamedTuple):
    """A footer, and what it was made of."""

    company: Company
    pages: Mapping[str, Any]
    root: str
    footer: Markup


class Footer:
    """What the layout calls with the company and the content pages; made again when one of them was loaded anew."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._made: _Made | None = None

    def __call__(self, company: Company, pages: Mapping[str, Any]) -> Markup:
        made, root = self._made, request.script_root
        if made is None or made.company is not company or made.pages is not pages or made.root != root:
            macros: Any = self._environment.get_template("components/site.html").module
            made = self._made = _Made(company, pages, root, macros.footer(company, pages))
        return made.footer
