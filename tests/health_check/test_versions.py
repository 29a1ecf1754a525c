"""Definitions by their hashes: the present one, those of before, and what can't be read any more."""

from __future__ import annotations

from tests.health_check.conftest import another_version

from xinheng.db import Databases
from xinheng.form_versions import publish_form, published_form
from xinheng.health_check.definition import HealthCheck
from xinheng.health_check.versions import CheckVersions


def test_what_was_published_once_is_found_again(check: HealthCheck, opened: Databases) -> None:
    before = another_version(check, "0.9")
    assert before.hash != check.hash
    versions = CheckVersions(lambda: check, opened.leads)
    assert versions.of(check.hash) is check
    assert versions.of(before.hash) is None
    for _ in range(2):
        publish_form(opened.leads, before.hash, before.stored)
    found = versions.of(before.hash)
    assert found
    assert (found.version, found.hash) == ("0.9", before.hash)
    assert versions.of(before.hash) is found


def test_what_cannot_be_read_is_none(check: HealthCheck, opened: Databases) -> None:
    publish_form(opened.leads, "0" * 16, "no definition at all")
    publish_form(opened.leads, "1" * 16, "[]")
    versions = CheckVersions(lambda: check, opened.leads)
    assert (versions.of("0" * 16), versions.of("1" * 16)) == (None, None)
    assert published_form(opened.leads, "2" * 16) is None
