# SPDX-License-Identifier: MIT
"""From specifications to archives: what is missing from the cache is built, layer by layer.

    <cache>/layers/<name>-<key>.tar and .json      a layer and its digest
    <cache>/archives/<name>-<key>.tar              an image for `ctr -n k8s.io images import`
    <cache>/tmp/<name>-<key>/                      only while something is built; `<name>.log` stays beside it

A key is the hash of everything that the result depends on, so checkouts with different sources share one cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import layers, oci
from .debian import SUITE, Archive
from .host import Report, signs_of_life
from .layers import Layer

SOURCES = Path(__file__).resolve().parents[2] / "images"
_PACKAGE = Path(__file__).resolve().parent
# Of each name, so many results are kept; older ones belong to sources that nobody builds any more.
KEPT = 3


@dataclass(frozen=True)
class Workspace:
    """What a layer's builder is given."""

    root: Path  # the file system: what the builder adds, on the layers whose programs it runs
    scratch: Path  # for anything else; removed afterwards
    log: Path
    report: Report
    debian: Archive


@dataclass(frozen=True)
class LayerSpec:
    """A layer and how to make it.

    `fill` adds files below the workspace's root and returns the paths, relative to it, that make up the layer.
    Instead, or before it, `packages` are unpacked with all their dependencies that no layer below has.
    """

    name: str
    takes: str  # for the progress line: "about 40 s"
    inputs: tuple[Path | str, ...] = ()  # files, folders and texts that the result depends on
    below: tuple[LayerSpec, ...] = ()
    runs: tuple[LayerSpec, ...] = ()  # of the layers below, those whose programs `fill` runs
    packages: tuple[str, ...] = ()
    fill: Callable[[Workspace], Sequence[str]] | None = None
    owners: Mapping[str, int] = field(default_factory=dict)
    group_writable: tuple[str, ...] = ()

    @property
    def stack(self) -> tuple[LayerSpec, ...]:
        """This layer on all that it needs, lowest first, each once."""
        found: dict[str, LayerSpec] = {}
        for spec in self.below:
            found.update({lower.name: lower for lower in spec.stack})
        return (*found.values(), self)


@dataclass(frozen=True)
class ImageSpec:
    reference: str
    layer: LayerSpec
    runtime: oci.Runtime

    @property
    def name(self) -> str:
        return self.layer.name


def fingerprint(inputs: Sequence[Path | str]) -> str:
    """The hash of texts and of files: names, contents and the executable bit, folders recursively.

    Paths count relative to the input that names them, so that the place of the checkout does not matter.
    """
    digest = hashlib.sha256()

    def add(kind: str, name: str, data: bytes) -> None:
        digest.update(f"{kind}\0{name}\0{len(data)}\0".encode())
        digest.update(data)

    for item in inputs:
        if isinstance(item, str):
            add("text", "", item.encode())
            continue
        paths = sorted(item.rglob("*")) if item.is_dir() else [item]
        for path in paths:
            name = path.relative_to(item.parent).as_posix()
            if "__pycache__" in path.parts or "node_modules" in path.parts:
                continue
            if path.is_symlink():
                add("link", name, os.readlink(path).encode())
            elif path.is_file():
                kind = "program" if path.stat().st_mode & 0o100 else "file"
                add(kind, name, path.read_bytes())
    return digest.hexdigest()[:16]


def layer_key(spec: LayerSpec) -> str:
    """What a layer depends on: its inputs, its packages, the layers below, and the code that writes layers."""
    code = [_PACKAGE / name for name in ("builder.py", "layers.py", "debian.py", "host.py")]
    return fingerprint(
        [
            *code,
            SUITE,
            spec.name,
            *spec.inputs,
            " ".join(spec.packages),
            repr((sorted(spec.owners.items()), spec.group_writable)),
            *(layer_key(lower) for lower in spec.below),
        ]
    )


def image_key(spec: ImageSpec) -> str:
    document = json.dumps(spec.runtime.document(), sort_keys=True)
    return fingerprint([_PACKAGE / "oci.py", spec.reference, document, layer_key(spec.layer)])


class Builder:
    """Builds into one cache; several processes may do so at a time, they wait for each other."""

    def __init__(self, cache: Path, report: Report) -> None:
        self._folder = cache.absolute()
        self._report = report
        self._debian = Archive(self._folder / "apt", log=self._folder / "tmp" / "apt.log")
        for name in ("layers", "archives", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)

    def archive_path(self, spec: ImageSpec) -> Path:
        return self._folder / "archives" / f"{spec.name}-{image_key(spec)}.tar"

    def image(self, spec: ImageSpec) -> Path:
        """The archive of an image, built when the cache does not have it."""
        target = self.archive_path(spec)
        if not target.exists():
            with signs_of_life(self._report) as report, self._lock(report):
                if not target.exists():
                    self._build_image(spec, target, report)
        os.utime(target)
        return target

    def _build_image(self, spec: ImageSpec, target: Path, report: Report) -> None:
        start = time.monotonic()
        stack = [self._layer(lower, report) for lower in spec.layer.stack]
        report(f"{spec.reference}: writing the archive")
        partial = target.with_suffix(".partial")
        oci.write_archive(partial, spec.reference, spec.runtime, stack)
        partial.replace(target)
        _prune(target.parent, spec.name)
        size = target.stat().st_size / 1e6
        report(f"{spec.reference}: {size:.0f} MB in {time.monotonic() - start:.0f} s")

    def _layer(self, spec: LayerSpec, report: Report) -> Layer:
        path = self._folder / "layers" / f"{spec.name}-{layer_key(spec)}.tar"
        memory = path.with_suffix(".json")
        if path.exists() and memory.exists():
            os.utime(path)
            return layers.read(path, json.loads(memory.read_text())["digest"])
        below = [self._layer(lower, report) for lower in spec.runs]
        start = time.monotonic()
        report(f"layer {spec.name}: building, {spec.takes}")
        partial = path.with_suffix(".partial")
        with self._scratch(path.stem) as scratch:
            tops = self._fill(spec, below, scratch, report)
            report(f"layer {spec.name}: writing")
            layer = layers.write(
                scratch / "root",
                tops,
                partial,
                owners=spec.owners,
                group_writable=spec.group_writable,
            )
        partial.replace(path)
        # The digest is written last: a layer without one is built again.
        memory.write_text(json.dumps({"digest": layer.digest}))
        _prune(path.parent, spec.name)
        seconds = time.monotonic() - start
        report(f"layer {spec.name}: {layer.size / 1e6:.0f} MB in {seconds:.0f} s")
        return layers.read(path, layer.digest)

    def _fill(
        self, spec: LayerSpec, below: Sequence[Layer], scratch: Path, report: Report
    ) -> list[str]:
        root = scratch / "root"
        root.mkdir()
        for layer in below:
            layers.unpack(layer, root)
        work = Workspace(
            root=root,
            scratch=scratch,
            log=self._folder / "tmp" / f"{spec.name}.log",
            report=report,
            debian=self._debian,
        )
        work.log.write_text("")
        tops = set(_unpack_packages(spec, work)) if spec.packages else set()
        if spec.fill is not None:
            tops.update(spec.fill(work))
        return sorted(tops)

    @contextlib.contextmanager
    def _scratch(self, name: str) -> Iterator[Path]:
        """An empty folder; one that a killed build left is taken over, since the lock is ours."""
        folder = self._folder / "tmp" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _lock(self, report: Report) -> Iterator[None]:
        """One build at a time in a cache. The lock goes with the process, however that ends."""
        with (self._folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report("waiting for another process that builds images")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _unpack_packages(spec: LayerSpec, work: Workspace) -> list[str]:
    """Unpack the layer's Debian packages and return the paths they brought."""
    from . import debian

    lower = [name for layer in spec.stack[:-1] for name in layer.packages]
    wanted = work.debian.resolve([*lower, *spec.packages]) - work.debian.resolve(lower)
    folder = work.scratch / "debian"
    before = set(_files(work.root))
    for package in work.debian.fetch(wanted, folder):
        debian.unpack(package, work.root)
    shutil.rmtree(folder)
    return [path for path in _files(work.root) if path not in before]


def _files(root: Path) -> Iterator[str]:
    """Every path below `root` that is not a folder with something in it."""
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*files, *links):
            yield os.path.relpath(os.path.join(folder, name), root)
        if not files and not folders and folder != str(root):
            yield os.path.relpath(folder, root)


def _prune(folder: Path, name: str) -> None:
    """Keep the results last used of those called `name`-<key>."""
    found = [p for p in folder.glob(f"{name}-*.tar") if len(p.stem) == len(name) + 17]
    for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT:]:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
