"""What is wrong in content/ and forms/ as they are saved now, but for the articles and pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from xinheng.company import load_company
from xinheng.documents import BadDocument, Fault
from xinheng.forms.assignment import load_assignment
from xinheng.forms.call_guide import load_call_guide
from xinheng.forms.loader import load_consultation
from xinheng.forms.needs import offered_needs
from xinheng.forms.priority import load_priority
from xinheng.forms.response import load_response
from xinheng.health_check.loader import load_health_check
from xinheng.processors import load_processors
from xinheng.reloading import Version, version_of
from xinheng.working_days import load_working_days

Loaded = TypeVar("Loaded")


def rule_faults(content: Path, forms: Path, slugs: Collection[str] | None) -> list[Fault]:
    """All that is wrong; a file isn't blamed for naming what another file, itself wrong, may hold. `slugs` are those of the
    articles, None where they are not known."""
    found: list[Fault] = []
    form = loaded(lambda: load_consultation(forms, load_company(content)), found)
    needs = offered_needs(form.declaration) if form else None
    loaded(partial(load_processors, content), found)
    loaded(partial(load_working_days, content), found)
    loaded(partial(load_assignment, forms), found)
    loaded(partial(load_priority, forms, needs), found)
    loaded(partial(load_response, forms, needs), found)
    health_check = loaded(partial(load_health_check, forms, slugs), found)
    questions = health_check.scored if health_check else None
    loaded(partial(load_call_guide, forms, needs, slugs, questions), found)
    return found


def loaded(load: Callable[[], Loaded], found: list[Fault]) -> Loaded | None:
    """What `load` reads, or None with its faults added to those found."""
    try:
        return load()
    except BadDocument as fault:
        found += fault.faults
        return None


class SavedRules:
    """The faults of a site's rules; the files are read again where one was saved since."""

    def __init__(self, content: Path, forms: Path, slugs: Callable[[], Collection[str]]) -> None:
        self._content, self._forms, self._slugs = content, forms, slugs
        self._read: tuple[tuple[Version, frozenset[str]], Sequence[Fault]] | None = None

    def faults(self) -> Sequence[Fault]:
        """Those of the files as they are now."""
        files = sorted([*self._content.glob("*.toml"), *self._forms.glob("*.toml")])
        now = version_of(files), frozenset(self._slugs())
        if self._read is None or self._read[0] != now:
            self._read = now, rule_faults(self._content, self._forms, now[1])
        return self._read[1]
