"""What must not be done by whoever finds the desk open: the password is asked for once more, if that was a while ago."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import make_response, redirect, render_template, request, url_for

from xinheng.desk.sign_in_forms import AgainForm
from xinheng.desk.sign_in_gate import typed_texts
from xinheng.desk.sign_in_services import FRESH_FOR, is_fresh, own_address
from xinheng.i18n import gettext as _

View = TypeVar("View", bound=Callable[..., Any])


def proved_lately(within: int = FRESH_FOR) -> Callable[[View], View]:
    """Ask for the password where it wasn't given in the last `within` seconds; then the page opens, or the one above the
    address of a deed, which is to be done again; what was written there is shown, to be copied. It stands between the
    route and `requires`.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*arguments: Any, **named: Any) -> Any:
            if is_fresh(within):
                return view(*arguments, **named)
            back_to = own_address(request.full_path.removesuffix("?"))
            if typed := typed_texts():
                form = AgainForm(formdata=None, next=back_to)
                sentence = _("离上次填密码有一阵了，刚才的操作没有做。填好以后回到原来的页面，再做一次。")
                page = render_template("desk/sign_in/again.html", form=form, sentence=sentence, typed=typed)
                return make_response(page, 401)
            return redirect(url_for("sign_in.verify", next=back_to), 303)

        return cast(View, guarded)

    return guard
