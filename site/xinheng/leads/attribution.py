"""What a page says of how its visitor came: read with suspicion, secrets and numbers taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from xinheng.addresses import split_address
from xinheng.leads.submission import Attribution, Touch

LONGEST = 4000  # characters of the hidden field
_SECRET = re.compile(
    r"^/(consultation|health-check(?!/method$)|privacy/request)/.*", re.IGNORECASE | re.DOTALL
)
_ARTICLE = re.compile(r"^/articles/([a-z0-9-]+)$")
_LONG_NUMBER = re.compile(r"\d{7,}|\d{3,}(?:[ .\-]\d{3,})+")  # a phone, however it is grouped
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


def read_attribution(touch: str, referrer: str, own_host: str, known: Collection[str]) -> Attribution:
    """Read the hidden field `touch`; where script is off, the page is taken from the referrer if it is our own.

    `known` are the slugs of published articles: others are left out. Never raises.
    """
    data = _object(touch[:LONGEST])
    page = public_path(_text(data.get("page")) or _own_path(referrer, own_host))
    match = _ARTICLE.match(page)
    read = data.get("read")
    slugs = (
        [slug for slug in read if isinstance(slug, str) and slug in known] if isinstance(read, list) else []
    )
    return Attribution(
        page=page,
        article=match.group(1) if match and match.group(1) in known else "",
        first=_touch(data.get("first")),
        last=_touch(data.get("last")),
        articles_read=tuple(dict.fromkeys(slugs))[:20],
    )


def public_path(path: str) -> str:
    """A path without its query; thank-you, result and resume addresses are secrets and lose their last part."""
    typed = "".join(filter(str.isprintable, unquote(path.partition("?")[0].partition("#")[0])))
    plain = re.sub(r"/{2,}", "/", typed)
    if not plain.startswith("/"):
        return ""
    return _LONG_NUMBER.sub("*", _SECRET.sub(r"/\1", plain))[:200]


def _own_path(referrer: str, own_host: str) -> str:
    parts = split_address(referrer)
    return parts.path if parts.netloc == own_host else ""


def _touch(value: Any) -> Touch:
    data = value if isinstance(value, dict) else {}
    found = data.get("utm")
    utm = found if isinstance(found, dict) else {}
    return Touch(
        host=_text(data.get("host"))[:100],
        path=public_path(_text(data.get("path"))),
        utm={key: _text(utm[key])[:100] for key in _UTM if _text(utm.get(key))},
    )


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _text(value: Any) -> str:
    return (
        _LONG_NUMBER.sub("*", "".join(filter(str.isprintable, value)).strip())
        if isinstance(value, str)
        else ""
    )
