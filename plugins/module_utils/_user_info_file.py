# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of user info: one writer at a time, never half written, readable by their owner alone.

Internal to rhpds.litemaas: no stable interface for other collections.

``<ACTION>-user-info.yaml`` and ``<ACTION>-user-body.yaml`` are lists to which lines are appended, so
that what others wrote stays as it is; ``<ACTION>-user-data.yaml`` is a mapping, written anew.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _user_info, _user_info_text
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._user_info import Entry


def write(folder: str, action: str, told: Entry, *, dry_run: bool = False) -> bool:
    """Merge an entry into the files of a folder. Returns whether that changes any of them.

    ``action``: the first part of the files' names. ``dry_run``: change nothing, not even to make
    the folder. Raises LitemaasError when a file cannot be read, understood or written.
    """
    if not action or os.path.basename(action) != action:
        raise LitemaasError(f"ACTION must be a plain word such as provision, got {action!r}.")
    base = os.path.join(folder, f"{action}-user-")
    try:
        if not dry_run:
            os.makedirs(folder, exist_ok=True)
        with _locked(folder):
            changes = dict(_changes(base, told))
            if not dry_run:
                for path, text in changes.items():
                    _replace(path, text)
    except OSError as error:
        raise LitemaasError(
            f"User info cannot be written to {folder}: {error.strerror or error}. Set output_dir "
            "to a folder that can be written."
        ) from error
    return bool(changes)


def _changes(base: str, told: Entry) -> Iterator[tuple[str, str]]:
    """Yield path and new text of each file that changes."""
    if not told.user:
        bodies = () if told.body is None else (told.body,)
        for path, new in ((f"{base}info.yaml", told.messages), (f"{base}body.yaml", bodies)):
            text = _appended(path, new) if new else ""
            if text:
                yield path, text
    if told.data or told.user:
        path = f"{base}data.yaml"
        before = _read(path)
        after = _merged(path, before, told)
        if after != before:
            yield path, after


def _merged(path: str, text: str, told: Entry) -> str:
    """The text of the data's file with an entry merged in, the same when that changes nothing."""
    try:
        if told.user:
            after = _user_info_text.with_user(
                text, told.user, lambda user: _user_info.user_merged(user, told)
            )
            if after is not None:
                return after
        existing = _load(path, text) or {}
        if not isinstance(existing, dict):
            raise LitemaasError("it is not a mapping")
        data = _user_info.merged(existing, told)
    except LitemaasError as error:
        raise _not_understood(path, error) from error
    return text if data == existing and text else _user_info_text.dump(data)


def _appended(path: str, new: Sequence[str]) -> str:
    """The text of a list's file with the new texts added, "" when there are none to add."""
    text = _read(path)
    existing = _load(path, text) or []
    if not isinstance(existing, list):
        raise _not_understood(path, "it is not a list")
    lines = [_user_info_text.item(each) for each in _user_info.added(existing, new)]
    if text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(lines) if lines else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise _not_understood(path, error) from error


def _load(path: str, text: str) -> Any:
    import yaml

    try:
        return _user_info_text.load(text)
    except yaml.YAMLError as error:
        raise _not_understood(path, error) from error


def _not_understood(path: str, why: object) -> LitemaasError:
    return LitemaasError(
        f"The file {path} is not what user info looks like, so it is left as it is: {why}. Move it "
        "away, or set output_dir to another folder."
    )


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Keep other processes that use this file out, with a lock that leaves no file behind."""
    import fcntl

    if not os.path.isdir(folder):  # in check mode
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems lock no folders. Files are replaced whole there too.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which releases the lock


def _replace(path: str, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, mode 0600."""
    path = os.path.realpath(path)  # a link stays a link
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".user-info-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise
