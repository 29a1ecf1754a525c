"""Proof of work by the ALTCHA protocol (version 2, PBKDF2): asked for only while many enquiries come at once.

A browser finds it while its visitor types. It costs whoever sends hundreds.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

GOOD_FOR = timedelta(hours=2)
COST = 2_000
"""Rounds of PBKDF2 a try. With the tries below: some tenths of a second on a desk, under two on a cheap phone."""

TRIES = range(60, 101)
"""How many tries it takes: the end is set beforehand, so that nobody is unlucky."""

_LONGEST = 2_000  # signs of a payload


@dataclass(frozen=True, slots=True)
class Proof:
    """A solved challenge: its signature, which is good once, and until when (seconds since 1970)."""

    signature: bytes
    until: int


class Proofs:
    def __init__(self, key: bytes) -> None:
        self._secret = hmac.digest(key, b"altcha", "sha256")

    def challenge(self, now: datetime) -> dict[str, Any]:
        """A new challenge, as the browser gets it."""
        made = create_challenge(
            "PBKDF2/SHA-256",
            COST,
            counter=secrets.choice(TRIES),
            data={
                "until": int((now + GOOD_FOR).timestamp())
            },  # not the library's own: it reads another clock
            hmac_secret=self._secret,
        )
        return made.to_dict()

    def solved(self, payload: str, now: datetime) -> Proof | None:
        """The proof in what a browser sent, or None where there is none, an old one or a wrong one."""
        if not payload or len(payload) > _LONGEST or not payload.isascii():
            return None
        if not verify_solution(payload, self._secret).verified:
            return None
        challenge = Payload.from_base64(payload).challenge
        until = int((challenge.parameters.data or {}).get("until", 0))
        if until < now.timestamp() or challenge.signature is None:
            return None
        return Proof(bytes.fromhex(challenge.signature), until)
