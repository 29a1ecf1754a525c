"""What several settings have in common: the error that stops the start, and secrets that may lie in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_READ_BY_OTHERS = 0o007


class SettingError(ValueError):
    """A setting that can't be used: names it and says what was expected. Stops the start."""


def secret_value(environ: Mapping[str, str], name: str) -> str:
    """A secret from the variable, or from the file that `<name>_FILE` names; empty where neither is set.

    Raises SettingError, which never repeats the secret.
    """
    value, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "")
    if not file:
        return value
    if value:
        raise SettingError(f"{name} 和 {name}_FILE 只能设一个")
    return _read(Path(file), name)


def _read(file: Path, name: str) -> str:
    try:
        if file.stat().st_mode & _READ_BY_OTHERS:
            raise SettingError(f"{name}_FILE：{file} 别的用户也能读，请执行 chmod 600")
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingError(f"{name}_FILE：读不了 {file}（{type(fault).__name__}）") from fault
    if not text or "\n" in text:
        raise SettingError(f"{name}_FILE：{file} 里应当只有一行")
    return text
