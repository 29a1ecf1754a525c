"""Definitions by their hashes: the present one, and those that answers were given under."""

from __future__ import annotations

from collections.abc import Callable

from xinheng.db import Database
from xinheng.form_versions import published_form
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.loader import stored_check


class CheckVersions:
    """`current` is the definition that a new check is done under."""

    def __init__(self, current: Callable[[], HealthCheck], database: Database) -> None:
        self.current = current
        self._database = database
        self._found: dict[str, HealthCheck] = {}

    def of(self, version: str) -> HealthCheck | None:
        """The definition of a hash; None where it can't be read any more. Raises DatabaseBusy."""
        present = self.current()
        if version == present.hash:
            return present
        if version not in self._found and (form := published_form(self._database, version)):
            try:
                self._found[version] = stored_check(form)
            except (ValueError, TypeError, KeyError, AttributeError):
                return None  # written by another program than this one can read
        return self._found.get(version)
