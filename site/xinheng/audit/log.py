"""Append to the audit, in the transaction that does what is recorded: both are stored, or neither is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from xinheng.audit.models import ACTIONS, HEAD, SUBJECT_KINDS, Action, AuditHead, AuditRow, SubjectKind
from xinheng.crypto import Keys

Value = str | int | bool | list[str] | tuple[str, ...] | None
SYSTEM = "system"
COMMAND = "command"

DETAIL_KEYS = frozenset(
    {
        "columns", "count", "filters", "format", "from", "left", "masked", "method", "reason", "roles", "to", "what",
    }
)  # fmt: skip
"""What a detail may tell. A new key is added here, and its words in desk/audit_words.py."""

_ROW_ID = re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_.:/+-]{0,47})?", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9]{7}")
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_MOST = 1_000_000  # a whole number from here on could be a telephone


class AuditHeadMissing(RuntimeError):
    """The head row is gone: somebody took it away. Nothing may be recorded on a guess, so nothing is done."""


def record(
    session: Session,
    keys: Keys,
    *,
    actor: str,
    action: Action,
    subject_kind: SubjectKind = "",
    subject_id: str = "",
    detail: Mapping[str, Value] | None = None,
    now: datetime,
) -> None:
    """Append one row in the caller's writing transaction; an error must end that transaction.

    The head stays locked until the transaction ends: lock or change all other rows before (on PostgreSQL two
    transactions that take a row and the head in different order stop each other). Raises AuditHeadMissing, and
    ValueError for what is neither code nor id: a fault of the program, which keeps telephones and names out.
    """
    told = _checked(actor, action, subject_kind, subject_id, detail or {})
    head = session.execute(
        select(AuditHead.last_id, AuditHead.chain).where(AuditHead.id == HEAD).with_for_update()
    ).one_or_none()
    if head is None:
        raise AuditHeadMissing("audit_head")
    row = {
        "id": head.last_id + 1,
        "at": now,
        "actor": actor,
        "action": action,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "detail": told,
    }
    chain = chained(keys, head.chain, row)
    session.execute(insert(AuditRow).values(**row, chain=chain))
    session.execute(update(AuditHead).where(AuditHead.id == HEAD).values(last_id=row["id"], chain=chain))


def chained(keys: Keys, previous: bytes, row: Mapping[Any, Any]) -> bytes:
    """The chain of a row that follows `previous`, which is empty before the first row."""
    told = [
        row["id"],
        row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        *(row[name] for name in ("actor", "action", "subject_kind", "subject_id", "detail")),
    ]
    return keys.keyed_hash("audit", previous.hex(), _canonical(told))


def _checked(
    actor: str, action: str, subject_kind: str, subject_id: str, detail: Mapping[str, Value]
) -> dict[str, Any]:
    """The detail as it is stored. Raises ValueError, which repeats no value: it could be a telephone."""
    if action not in ACTIONS or subject_kind not in SUBJECT_KINDS:
        raise ValueError("audit: an action or a kind of subject that isn't listed")
    for name, value in (("actor", actor), ("subject_id", subject_id)):
        if not _is_code(value) or len(value) > 32:
            raise ValueError(f"audit: {name} is neither an id nor a code")
    for key, told in detail.items():
        if key not in DETAIL_KEYS:
            raise ValueError("audit: a detail has a key that isn't listed")
        if not _is_told(told):
            raise ValueError(f"audit: detail {key} may hold ids, codes and small numbers only")
    return {key: list(told) if isinstance(told, tuple) else told for key, told in detail.items()}


def _is_told(value: Value) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str) and _is_code(each) for each in value)
    if isinstance(value, str):
        return _is_code(value)
    return value is None or (isinstance(value, int) and abs(value) < _MOST)


def _is_code(text: str) -> bool:
    """A row's id, or a word of the program: signs between digits don't hide a number."""
    if _ROW_ID.fullmatch(text):
        return True
    digits = re.sub(r"[^0-9A-Za-z]", "", text)
    return _CODE.fullmatch(text) is not None and not _LONG_NUMBER.search(digits)
