"""Codes of an authenticator and recovery codes, as the sign-in library wants them. Each is good once."""

from __future__ import annotations

import unicodedata

from flask_security import MfRecoveryCodesUtil, Totp
from markupsafe import Markup
from passlib.exc import TokenError

from xinheng.desk.sign_in_services import sign_in_services
from xinheng.markup import svg_markup
from xinheng.staff import clock
from xinheng.staff.models import User

STEP = 30
"""Seconds a code lasts; one step before and after is taken too, for clocks that differ."""


class DeskTotp(Totp):
    def verify_totp(self, token: str, totp_secret: str, user: User, window: int = 0) -> bool:  # type: ignore[override]
        """Whether a code is right and was not used before; it is used up by asking."""
        step = self.step_of(token, totp_secret)
        return step is not None and sign_in_services().second_factors.use_code(user.id, step)

    def step_of(self, typed: str, sealed_secret: str) -> int | None:
        """The time step whose code was typed, or None."""
        digits = "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign.isdigit())
        try:
            found = self._totp.verify(digits, sealed_secret, time=clock.now(), window=STEP)
        except TokenError:
            return None
        return int(found.counter)

    def spelled_key(self, sealed_secret: str) -> str:
        """The key in groups of four, to be typed where no picture can be taken."""
        return self.get_totp_pretty_key(sealed_secret).replace("-", " ")

    def picture(self, account: str, sealed_secret: str) -> Markup:
        """The QR code as inline SVG: the policy of our pages takes no picture from a `data:` address."""
        import segno  # slow to load, and shown once in a member's life

        code = segno.make(self.get_totp_uri(account, sealed_secret), error="m", micro=False)
        return svg_markup(
            code.svg_inline(border=4, omitsize=True, light="#fff", svgclass="qr", lineclass=None)
        )


class RecoveryCodes(MfRecoveryCodesUtil):
    """The library asks first and deletes afterwards: two at once could both pass. Asking takes the code away here."""

    def check_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        if sign_in_services().second_factors.use_recovery_code(user.id, code):
            return True
        sign_in_services().accounts.note("two_factor_failed", user.id, method="recovery")
        return False

    def delete_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        return True
