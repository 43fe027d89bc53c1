# SPDX-License-Identifier: MIT
"""Build outputs, kept outside the checkout in folders named by a hash of what they are made of.

A folder appears by one rename when it is complete, so that a killed build leaves nothing that looks finished; a lock
keeps two builds of the same thing apart (two checkouts, or two profiles started together).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


def key(parts: Iterable[str | bytes]) -> str:
    """12 hex digits of the parts in their order; every part counts with its length, so that none runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()[:12]


def files_key(root: Path, paths: Iterable[Path], *extra: str) -> str:
    """The key of some files: their names below `root`, their contents, and whatever else decides the result."""
    parts: list[str | bytes] = list(extra)
    for path in sorted(paths):
        parts += [str(path.relative_to(root)), path.read_bytes()]
    return key(parts)


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold an exclusive lock on a file, which the kernel lets go of when we die; `waiting` is called when another has it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Not inheritable (PEP 446): a program started meanwhile must not keep the lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def folder(
    root: Path, name: str, build: Callable[[Path], None], report: Callable[[str], None]
) -> Path:
    """The folder `root/name`, made by `build(empty folder)` when it is not there yet."""
    target = root / name
    if target.is_dir():
        return target
    with locked(
        root / ".locks" / name,
        lambda: report(f"{name}: waiting for another lab that is building it"),
    ):
        if not target.is_dir():
            partial = root / f".{name}.partial"
            shutil.rmtree(
                partial, ignore_errors=True
            )  # of a build that was killed: we hold the lock
            partial.mkdir(parents=True)
            build(partial)
            partial.rename(target)
    return target
