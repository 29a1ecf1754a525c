"""What must not be done by whoever finds the desk open: the password is asked for once more, if that was a while ago."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import redirect, request, url_for

from xinheng.desk.sign_in_services import FRESH_FOR, is_fresh, own_address

View = TypeVar("View", bound=Callable[..., Any])


def proved_lately(within: int = FRESH_FOR) -> Callable[[View], View]:
    """Ask for the password where it wasn't given in the last `within` seconds; then the page opens, or the one above the
    address of a deed, which is to be done again. It stands between the route and `requires`.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*arguments: Any, **named: Any) -> Any:
            if is_fresh(within):
                return view(*arguments, **named)
            back_to = own_address(request.full_path.removesuffix("?"))
            return redirect(url_for("sign_in.verify", next=back_to), 303)

        return cast(View, guarded)

    return guard
