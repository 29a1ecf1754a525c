"""The sign-in page itself, which several answers end in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g, render_template, request

from xinheng.desk.sign_in_forms import SignInForm
from xinheng.desk.sign_in_services import own_address


def sign_in_form(_name: str, _class: type[SignInForm], **options: Any) -> SignInForm:
    """The form as the library asks for it; knows whether the account was tried too often from everywhere."""
    form = SignInForm(**options)
    form.soft_refusal = bool(g.get("soft_refusal"))
    return form


def sign_in_page(sentence: str = "", *, email: str = "", back_to: str = "", typed: Sequence[str] = ()) -> str:
    """The sign-in page with a sentence on top, and what was typed elsewhere and could not be stored."""
    form = SignInForm(formdata=None, data={"email": email})
    form.next.data = back_to or own_address(request.args.get("next", ""))
    return render_template("desk/sign_in/sign_in.html", login_user_form=form, sentence=sentence, typed=typed)
