"""Security headers, on every answer: pages, errors and static files alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from xinheng.settings import HttpsOnly, Settings

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PERMISSIONS = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


_HTTPS_ONLY: Mapping[HttpsOnly, str] = MappingProxyType(
    {
        "host": "max-age=31536000",
        "subdomains": "max-age=31536000; includeSubDomains",
        "preload": "max-age=63072000; includeSubDomains; preload",
    }
)


def security_headers(settings: Settings) -> list[tuple[str, str]]:
    """The headers of every answer. What forces https is sent only where the public origin is https."""
    policy = _CONTENT_SECURITY_POLICY
    headers = [
        ("Server", "xinheng"),  # in place of the name and version of the program that serves
        ("X-Content-Type-Options", "nosniff"),
        # not no-referrer: browsers would send `Origin: null` with our own forms
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", _PERMISSIONS),
    ]
    if settings.secure:
        policy += "; upgrade-insecure-requests"
        headers.append(("Strict-Transport-Security", _HTTPS_ONLY[settings.https_only]))
    return [("Content-Security-Policy", policy), *headers]


class SecurityHeaders:
    """Outermost WSGI layer, so that no answer leaves without the headers, whoever made it."""

    def __init__(self, application: Callable[..., Iterable[bytes]], settings: Settings) -> None:
        self._application = application
        self._headers = security_headers(settings)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            present = {name.lower() for name, _ in headers}
            ours = [pair for pair in self._headers if pair[0].lower() not in present]
            return start_response(status, [*headers, *ours], *rest)

        return self._application(environ, start)
