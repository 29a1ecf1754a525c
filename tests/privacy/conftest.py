"""Enquiries and requests without the pages: the desk of the leads' tests."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.conftest import ORIGIN, ROOT
from tests.leads.colleagues import hire, scope_of
from tests.leads.conftest import NOON, app, asked, form, store, store_keys
from tests.leads.two_leads import FIRST, MINUTE, SECOND, Asked, ask

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.forms.definition import PublishedForm
from xinheng.forms.priority import load_priority
from xinheng.leads.deletion import Deletion
from xinheng.leads.record import EnquiryDesk
from xinheng.leads.scope import Scope
from xinheng.leads.tombstones import TombstoneFile
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.receiving import PrivacyDesk

__all__ = ["app", "asked", "form", "store", "store_keys"]


@pytest.fixture
def file(tmp_path: Path) -> TombstoneFile:
    return TombstoneFile(tmp_path / "var" / "keys")


@pytest.fixture
def deletion(store: Database, store_keys: Keys, file: TombstoneFile) -> Deletion:
    return Deletion(store, store_keys, file)


@pytest.fixture
def privacy(store: Database, store_keys: Keys, file: TombstoneFile) -> PrivacyDesk:
    return PrivacyDesk(store, store_keys, file)


@pytest.fixture
def desk(store: Database, store_keys: Keys, form: PublishedForm, privacy: PrivacyDesk) -> EnquiryDesk:
    """Takes enquiries, and knows what was asked while they waited in the spool."""
    rules = load_priority(ROOT / "forms")
    made = EnquiryDesk(store, store_keys, site=ORIGIN, priority=lambda: rules, catch_up=privacy.catch_up)
    made.publish(form)
    return made


@pytest.fixture
def everyone(store: Database) -> Scope:
    return scope_of(hire(store), everyone=True)


@pytest.fixture
def officer(store: Database) -> Officer:
    return Officer(hire(store, "何静", "privacy").id, NOON + timedelta(hours=2))


@pytest.fixture
def work(store: Database, store_keys: Keys, deletion: Deletion) -> PrivacyWork:
    return PrivacyWork(store, store_keys, deletion)


@pytest.fixture
def two(desk: EnquiryDesk, store: Database, asked: Asked) -> tuple[str, str]:
    """Two leads, from two mobiles."""
    return ask(desk, store, asked, FIRST), ask(desk, store, asked, SECOND, NOON + MINUTE, name="小张")
