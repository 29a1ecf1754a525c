"""Enquiries and requests without the pages: the desk of the leads' tests."""

from __future__ import annotations

from tests.leads.conftest import app, asked, desk, form, store, store_keys

__all__ = ["app", "asked", "desk", "form", "store", "store_keys"]
