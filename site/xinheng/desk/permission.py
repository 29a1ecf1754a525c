"""Who may open a page of the desk. What names no permission is refused: the default is no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from xinheng.staff.models import User
from xinheng.staff.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])

DESK: Final = "/desk"
OPEN: Final = "open"
"""In place of a permission, on the few pages that are there to sign in or out."""


def requires(permission: Permission, *, unfinished: bool = False) -> Callable[[View], View]:
    """Name the permission a view needs. It stands nearest to the function, below the route.

    `unfinished`: also for those who must still replace their password or set up the second factor.
    """

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        view.unfinished = unfinished  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Mark a page of the sign-in itself."""
    view.permission = OPEN  # type: ignore[attr-defined]
    return view


def permission_of(endpoint: str) -> Permission | str | None:
    """What an endpoint's view asks for: a permission, `OPEN`, or None where nobody thought of it."""
    found: Permission | str | None = getattr(current_app.view_functions.get(endpoint), "permission", None)
    return found


def current_member() -> User:
    """The member of staff whose request this is. On pages that require a permission there always is one."""
    member = signed_in_member()
    if member is None:
        abort(401)
    return member


def signed_in_member() -> User | None:
    """The member of staff whose request this is, if anybody is signed in."""
    if not at_desk():
        return None
    found: User | None = current_user._get_current_object()
    return found if found is not None and found.is_authenticated else None  # type: ignore[attr-defined]


def may(permission: Permission) -> bool:
    """Whether the present member has a permission; for templates and for what one page shows to some."""
    member = signed_in_member()
    return member is not None and permission in member.permissions


def at_desk() -> bool:
    """Whether this request is for the desk: nothing else has a session."""
    return path_at_desk(request.path)


def path_at_desk(path: str) -> bool:
    return path == DESK or path.startswith(f"{DESK}/")


def refuse_what_is_not_permitted(
    ask_to_sign_in: Callable[[], ResponseReturnValue],
    unfinished_business: Callable[[User], ResponseReturnValue | None],
    denied: Callable[[User], None],
) -> Callable[[], ResponseReturnValue | None]:
    """A `before_request` for the whole desk, whichever blueprint a page belongs to."""

    def judge() -> ResponseReturnValue | None:
        if not at_desk() or request.endpoint is None:
            return None  # an unknown address is answered as such, by the routing
        view = current_app.view_functions[request.endpoint]
        needed = getattr(view, "permission", None)
        if needed == OPEN:
            return None
        member = signed_in_member()
        if member is None:
            return ask_to_sign_in()
        if not getattr(view, "unfinished", False) and (answer := unfinished_business(member)) is not None:
            return answer
        if needed not in member.permissions:
            denied(member)
            abort(403)
        return None

    return judge
