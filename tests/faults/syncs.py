"""Hear of each sync that a process asks for, before it is done: those of SQLite, which are made in C, and os.fsync.

SQLite reaches the system through a table of functions (its "unix" VFS). The first field of a connection points to it, so
it is found however Python's sqlite3 was linked, and no compiler is needed; what was found is looked at before it is used.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p

_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_SIZE = CFUNCTYPE(c_int, c_void_p, POINTER(c_int64))
_BROKEN = 70  # the exit code of a process in which the hearing itself failed
_HEARD: list[object] = []  # what C calls must not be collected

FileSynced = Callable[[str, Callable[[], bytes]], None]
"""Called with the path of a file, and with what reads it."""
DescriptorSynced = Callable[[int], bool]
"""Called with what is passed to os.fsync; says whether to do it."""


class _Vfs(Structure):
    """The beginning of sqlite3_vfs."""

    _fields_ = (
        *(("version", c_int), ("file_size", c_int), ("longest_path", c_int)),
        *(("next", c_void_p), ("name", c_char_p), ("data", c_void_p), ("open", c_void_p)),
    )


class _Methods(Structure):
    """sqlite3_io_methods, which each open file points to."""

    _fields_ = (
        *(("version", c_int), ("close", c_void_p), ("read", c_void_p), ("write", c_void_p)),
        *(("truncate", c_void_p), ("sync", c_void_p), ("size", c_void_p), ("others", c_void_p * 12)),
    )


class _File(Structure):
    """sqlite3_file."""

    _fields_ = (("methods", c_void_p),)


def hear_sqlite(told: FileSynced) -> None:
    """From now on, of each file that SQLite opens in this process and its forks."""
    vfs = _default_vfs()
    really_open = _OPEN(vfs.open)
    files: dict[int, tuple[str, _Methods]] = {}
    tables: dict[int, _Methods] = {}

    def sync(file: int, flags: int) -> int:
        path, methods = files[file]
        _or_end(lambda: told(path, lambda: _content(methods, file)))
        return int(_SYNC(methods.sync)(file, flags))

    def opened(found: int, name: int, file: int, flags: int, out: object) -> int:
        code = int(really_open(found, name, file, flags, out))
        held = _File.from_address(file)
        if code == 0 and name and held.methods:
            methods = _Methods.from_address(held.methods)
            if held.methods not in tables:
                tables[held.methods] = _Methods.from_buffer_copy(methods)
                tables[held.methods].sync = ctypes.cast(heard_sync, c_void_p).value
            files[file] = os.fsdecode(ctypes.string_at(name)), methods
            held.methods = ctypes.addressof(tables[held.methods])
        return code

    heard_sync, heard_open = _SYNC(sync), _OPEN(opened)
    _HEARD.extend([heard_sync, heard_open, tables])
    vfs.open = ctypes.cast(heard_open, c_void_p).value


def hear_fsync(told: DescriptorSynced) -> None:
    """From now on, of each os.fsync in this process and its forks."""
    really = os.fsync

    def fsync(descriptor: int) -> None:
        if told(descriptor):
            really(descriptor)

    os.fsync = fsync  # type: ignore[assignment]


def _default_vfs() -> _Vfs:
    with closing(sqlite3.connect(":memory:")) as connection:
        database = c_void_p.from_address(id(connection) + object.__basicsize__).value
        assert database, "Python's sqlite3 keeps its connection elsewhere"
        found = c_void_p.from_address(database).value
        assert found, "SQLite's connection begins with something else"
        vfs = _Vfs.from_address(found)
    assert vfs.version in range(1, 10), "SQLite's connection begins with something else"
    assert 0 < vfs.file_size < 4096, "SQLite's connection begins with something else"
    assert vfs.name == b"unix", vfs.name
    return vfs


def _content(methods: _Methods, file: int) -> bytes:
    """Read by SQLite's own descriptor: to open and close another would end its locks, as POSIX has it."""
    size = c_int64()
    assert _SIZE(methods.size)(file, ctypes.byref(size)) == 0
    if not size.value:
        return b""
    read = ctypes.create_string_buffer(size.value)
    assert _READ(methods.read)(file, read, size.value, 0) == 0
    return read.raw


def _or_end(act: Callable[[], None]) -> None:
    """An error in what C calls would be swallowed, and the sync with it."""
    try:
        act()
    except BaseException:
        traceback.print_exc()
        os._exit(_BROKEN)
