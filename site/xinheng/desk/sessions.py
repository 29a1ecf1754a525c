"""Flask's session for the desk: kept in the database once somebody proves something, and for no other page at all.

Who only looks at the sign-in page gets a signed cookie with the form's token, so that looking writes nothing.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import Flask, Request, Response, g
from flask import request as http
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import DatabaseError
from werkzeug.datastructures import CallbackDict

from xinheng.db import DatabaseBusy
from xinheng.desk.permission import path_at_desk
from xinheng.staff import clock
from xinheng.staff.sessions import ABSOLUTE, SEEN_EVERY, Kept, SessionStore, browser_kind

STAFF_ID = "staff_id"
PENDING = "tf_user_id"
"""Set by the library between the right password and the code."""


TOKEN = "csrf_token"  # noqa: S105 (a key; the only thing a visitor's cookie may hold)


class NoSession(dict[str, Any], SessionMixin):
    """What every page outside the desk has: nothing is read from a cookie, nothing is written."""


class DeskSession(CallbackDict[str, Any], SessionMixin):
    """What the desk remembers of one browser."""

    def __init__(self, data: dict[str, Any] | None = None, kept: Kept | None = None) -> None:
        def changed(session: DeskSession) -> None:
            session.modified = True

        super().__init__(data or {}, changed)
        self.modified = False
        self.kept = kept
        self.begins = False
        self.renews = False
        self.unavailable = False

    @property
    def number(self) -> str | None:
        """The session's name in lists, where it is kept."""
        return self.kept.number if self.kept else None

    def begin(self, staff_id: str) -> None:
        """Somebody has signed in: a new session in place of the old, with a new token for forms."""
        self[TOKEN] = secrets.token_hex(32)  # now, so that pages opened side by side share it
        g.pop(TOKEN, None)
        self[STAFF_ID] = staff_id
        self["proved_at"] = clock.now().timestamp()
        self.begins = True

    def renew(self) -> None:
        """Somebody has proved more than before: the same session under a new number."""
        self["proved_at"] = clock.now().timestamp()
        self.renews = True

    def end(self) -> None:
        """Signed out: what the browser holds opens nothing any more."""
        self.clear()

    @property
    def proves(self) -> bool:
        """Whether it stands for somebody, so that it must be kept by us."""
        return STAFF_ID in self or PENDING in self


class DeskSessions(SessionInterface):
    def __init__(self, store: SessionStore, key: bytes) -> None:
        self._store = store
        self._signer = URLSafeTimedSerializer(key, salt="desk-visitor")

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        if not path_at_desk(request.path):
            return NoSession()
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if "." in cookie:
            return DeskSession(self._visitor(cookie))
        try:
            kept = self._store.find(cookie, clock.now()) if cookie else None
        except (DatabaseBusy, DatabaseError) as fault:
            app.logger.error("会话读不了：%s", type(fault).__name__)
            nobody = DeskSession()
            nobody.unavailable = True  # the gate answers 503: nobody is told to sign in again
            return nobody
        return DeskSession(kept.data, kept) if kept else DeskSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, DeskSession) or session.unavailable or response.status_code >= 500:
            return  # what failed half-way leaves nobody half signed in
        if session.proves:
            self._save_kept(app, session, response)
        elif session.modified:
            self._save_visitor(app, session, response)

    def _save_kept(self, app: Flask, session: DeskSession, response: Response) -> None:
        now, kept, data = clock.now(), session.kept, dict(session)
        if kept is None or session.begins:
            after = kept.id_hash if kept else None
            kind = browser_kind(http.user_agent.string)
            self._set(app, response, self._store.begin(data, data.get(STAFF_ID), kind, now, after))
        elif session.renews:
            if secret := self._store.renew(kept, data, now):
                self._set(app, response, secret)
        elif session.modified or now - kept.seen_at >= SEEN_EVERY:
            self._keep(app, session, kept, now)

    def _keep(self, app: Flask, session: DeskSession, kept: Kept, now: datetime) -> None:
        """What was looked at last and when: worth a write, not worth failing the page it came with."""
        try:
            if session.modified:
                self._store.keep(kept, dict(session), now)
            else:
                self._store.seen(kept, now)
        except (DatabaseBusy, DatabaseError):
            if http.method not in {"GET", "HEAD"}:
                raise
            app.logger.warning("会话这次没有存下")

    def _save_visitor(self, app: Flask, session: DeskSession, response: Response) -> None:
        if session.kept is not None:
            try:
                self._store.end(session.kept)
            except (DatabaseBusy, DatabaseError) as fault:
                app.logger.error("会话没有删掉，到时自己过期：%s", type(fault).__name__)
        if token := session.get(TOKEN):
            self._set(app, response, self._signer.dumps({TOKEN: token}))
        else:
            response.delete_cookie(
                self.get_cookie_name(app),
                path="/",
                secure=self.get_cookie_secure(app),
                httponly=True,
                samesite="Strict",
            )

    def _set(self, app: Flask, response: Response, value: str) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            value,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Strict",
        )

    def _visitor(self, cookie: str) -> dict[str, Any]:
        try:
            data: dict[str, Any] = self._signer.loads(cookie, max_age=int(ABSOLUTE.total_seconds()))
        except BadSignature:
            return {}
        return data
