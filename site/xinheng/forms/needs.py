"""The needs a visitor can choose from, and the files that must name no other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from xinheng.documents import Fault, toml_fault
from xinheng.forms.definition import FormDeclaration


def offered_needs(declaration: FormDeclaration) -> Sequence[str]:
    """The keys of the needs that a form offers, in its order."""
    return tuple(option.key for option in declaration.field("need").options)


def unknown_needs(
    file: Path, named: Iterable[tuple[str, str]], offered: Collection[str] | None
) -> Sequence[Fault]:
    """A fault for each need, given with the path of its key, that isn't offered.

    None is offered where nobody knows what the form says, because its own file is wrong: then none is a fault.
    """
    if offered is None:
        return []
    expected = f"应为 {'、'.join(offered)}"
    return [
        toml_fault(file, path, f"consultation.toml 没有需求 {need}，{expected}")
        for path, need in named
        if need not in offered
    ]
