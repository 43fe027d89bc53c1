# SPDX-License-Identifier: MIT
"""Layers: the bytes depend on contents alone, and nothing in them can gain privileges."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest
from lablib.images import layers


def tree(root: Path, umask: int = 0o022) -> Path:
    before = os.umask(umask)
    try:
        (root / "usr/bin").mkdir(parents=True)
        (root / "etc").mkdir()
        (root / "var/lib/data").mkdir(parents=True)
        (root / "usr/bin/program").write_text("#!/bin/sh\n")
        (root / "usr/bin/program").chmod(0o4700)
        (root / "usr/bin/link").symlink_to("program")
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
        os.link(root / "etc/passwd", root / "etc/passwd-")
        (root / "tmp").mkdir()
        (root / "tmp").chmod(0o1777)
    finally:
        os.umask(before)
    return root


def members(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as tar:
        return {member.name: member for member in tar}


def test_digest_is_that_of_the_file(tmp_path: Path) -> None:
    layer = layers.write(tree(tmp_path / "root"), ["etc"], tmp_path / "layer.tar")
    data = layer.path.read_bytes()
    assert layer.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert layer.size == len(data)
    assert layers.read(layer.path, layer.digest) == layer


def test_same_contents_same_digest(tmp_path: Path) -> None:
    one = tree(tmp_path / "one")
    two = tree(tmp_path / "two", umask=0o077)
    os.utime(two / "etc/passwd", (1, 1))
    tops = ["usr", "etc", "tmp", "var"]
    first = layers.write(one, tops, tmp_path / "1.tar")
    second = layers.write(two, reversed(tops), tmp_path / "2.tar")
    assert first.digest == second.digest


def test_modes_and_owners(tmp_path: Path) -> None:
    layer = layers.write(
        tree(tmp_path / "root"),
        ["usr", "etc", "tmp", "var"],
        tmp_path / "layer.tar",
        owners={"var/lib": 26},
        group_writable=["var/lib/data"],
    )
    found = members(layer.path)
    assert {
        name: oct(found[name].mode)
        for name in ("usr/bin/program", "etc/passwd", "tmp", "var/lib/data")
    } == {
        "usr/bin/program": "0o755",  # neither set-UID nor private
        "etc/passwd": "0o644",
        "tmp": "0o1777",
        "var/lib/data": "0o775",
    }
    assert {name: info.uid for name, info in found.items() if info.uid} == {
        "var/lib": 26,
        "var/lib/data": 26,
    }
    assert {info.gid for info in found.values()} == {0}
    assert {info.mtime for info in found.values()} == {layers.EPOCH}


def test_parents_come_along_and_siblings_do_not(tmp_path: Path) -> None:
    layer = layers.write(tree(tmp_path / "root"), ["usr/bin/link"], tmp_path / "layer.tar")
    assert list(members(layer.path)) == ["usr", "usr/bin", "usr/bin/link"]


def test_links_survive(tmp_path: Path) -> None:
    layer = layers.write(tree(tmp_path / "root"), ["usr", "etc"], tmp_path / "layer.tar")
    out = tmp_path / "out"
    out.mkdir()
    layers.unpack(layer, out)
    assert os.readlink(out / "usr/bin/link") == "program"
    assert (out / "etc/passwd").samefile(out / "etc/passwd-")
    assert (out / "usr/bin/program").stat().st_mode & 0o777 == 0o755


def test_a_later_layer_replaces_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, text in {"one": "old", "two": "new"}.items():
        root = tmp_path / name
        root.mkdir()
        (root / "file").write_text(text)
        layers.unpack(layers.write(root, ["file"], tmp_path / f"{name}.tar"), out)
    assert (out / "file").read_text() == "new"


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing at opt"):
        layers.write(tmp_path, ["opt"], tmp_path / "layer.tar")
