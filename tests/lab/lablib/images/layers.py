# SPDX-License-Identifier: MIT
"""A file system layer: a folder written as a tar whose bytes depend on the files' contents alone.

Owner, group and time stamps are set here, so the same inputs give the same digest on every machine and for every
builder, root or not; containerd then imports a layer that several images share only once.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Any fixed moment would do; some programs dislike 0.
EPOCH = 1767225600  # 2026-01-01T00:00:00Z


@dataclass(frozen=True)
class Layer:
    """An uncompressed layer on disk. Its digest is that of the tar, which is the diff ID as well."""

    path: Path
    digest: str  # "sha256:<64 hex digits>"
    size: int  # bytes


class _Digesting:
    """A write-only file that hashes what passes through, so that a layer of 500 MB is read only once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _walk(root: Path, tops: Iterable[str]) -> Iterator[str]:
    """Paths relative to `root`, sorted, each parent before its children and each path once."""
    found: set[str] = set()
    for top in tops:
        path = root / top
        if not os.path.lexists(path):
            raise FileNotFoundError(f"nothing at {top} to put into the layer")
        parent = Path(top)
        found.update(str(p) for p in (parent, *parent.parents) if str(p) != ".")
        if path.is_dir() and not path.is_symlink():
            for folder, folders, files in os.walk(path):
                found.update(
                    os.path.relpath(os.path.join(folder, name), root) for name in folders + files
                )
    return iter(sorted(found))


def _covers(top: str, name: str) -> bool:
    return name == top or name.startswith(f"{top}/")


def _mode(info: tarfile.TarInfo, group_writable: bool) -> int:
    """Readable by all, executable when it was for its owner: neither the builder's umask nor set-UID bits count."""
    if info.issym():
        return 0o777
    if info.isdir() and info.mode & stat.S_ISVTX:
        return 0o1777
    mode = 0o755 if info.isdir() or info.mode & stat.S_IXUSR else 0o644
    return mode | 0o020 if group_writable else mode


def write(
    root: Path,
    tops: Iterable[str],
    target: Path,
    *,
    owners: Mapping[str, int] | None = None,
    group_writable: Iterable[str] = (),
) -> Layer:
    """Write what lies at the paths `tops` below `root` (parents included) to the tar `target`.

    `owners` gives the UID for a path and all below it; everything else is root's, and every group is 0. What
    `group_writable` names, with all below it, may be written by that group, which random UIDs are in.
    Files that are one inode stay one (hard links).
    """
    owners = owners or {}
    group_writable = tuple(group_writable)
    with target.open("wb") as file:
        sink = _Digesting(file)
        with tarfile.open(
            fileobj=sink,  # type: ignore[call-overload]
            mode="w|",
            bufsize=1 << 20,
            format=tarfile.GNU_FORMAT,
        ) as tar:
            for name in _walk(root, tops):
                info = tar.gettarinfo(str(root / name), arcname=name)
                info.mode = _mode(info, any(_covers(top, name) for top in group_writable))
                info.mtime = EPOCH
                info.uname = info.gname = ""
                info.uid = next((uid for top, uid in owners.items() if _covers(top, name)), 0)
                info.gid = 0
                if info.isreg():
                    with (root / name).open("rb") as content:
                        tar.addfile(info, content)
                else:
                    tar.addfile(info)
    return Layer(target, sink.digest, sink.size)


def read(path: Path, digest: str) -> Layer:
    """A layer written earlier, its digest remembered by the caller."""
    return Layer(path, digest, path.stat().st_size)


def unpack(layer: Layer, root: Path) -> None:
    """Lay a layer of ours over `root`: what a container run-time does, without whiteouts, which we never write."""
    with tarfile.open(layer.path) as tar:
        for member in tar:
            target = root / member.name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.issym():
                target.unlink(missing_ok=True)
                target.symlink_to(member.linkname)
            elif member.islnk():
                target.unlink(missing_ok=True)
                os.link(root / member.linkname, target)
            else:
                target.unlink(missing_ok=True)
                source = tar.extractfile(member)
                assert source is not None
                with source, target.open("wb") as file:
                    while chunk := source.read(1 << 20):
                        file.write(chunk)
            if not member.issym():
                target.chmod(member.mode)
