# SPDX-License-Identifier: MIT
"""containerd's images, by its own command `ctr`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lablib import commands
from lablib.settings import Settings


def answers(settings: Settings) -> bool:
    return settings.containerd_socket.exists() and commands.succeeds(_ctr(settings, "version"))


def references(settings: Settings) -> list[str]:
    """The names of the images that containerd has, without those that are digests."""
    names = commands.run(_ctr(settings, "images", "list", "--quiet")).split()
    return sorted(name for name in names if not _is_id(name) and "@" not in name)


def load(settings: Settings, archives: Mapping[str, Path], report: Callable[[str], None]) -> None:
    """Import the archives (image reference → OCI archive) that are new, or changed since they were imported."""
    note = settings.state / "containerd-imported.json"
    imported = json.loads(note.read_text()) if note.exists() else {}
    there = set(references(settings))
    for reference, archive in archives.items():
        identity = _identity(archive)
        if reference in there and imported.get(reference) == identity:
            continue
        report(f"importing image {reference} ({archive.stat().st_size / 2**20:.0f} MiB)")
        commands.run(_ctr(settings, "images", "import", str(archive)), timeout=600)
        imported[reference] = identity
        note.write_text(json.dumps(imported, indent=1))
    _name_by_digest(settings, archives)


def _name_by_digest(settings: Settings, wanted: Iterable[str]) -> None:
    """Give images their second name, REPOSITORY@sha256:…, which a pull from a registry gives and an import does not."""
    lines = commands.run(_ctr(settings, "images", "list")).splitlines()[1:]
    listed = {name: digest for name, _type, digest, *_rest in map(str.split, lines)}
    outdated, missing = names_by_digest(listed, wanted)
    for name in outdated:
        commands.run(_ctr(settings, "images", "remove", name))
    for by_digest, name in missing.items():
        commands.run(_ctr(settings, "images", "tag", name, by_digest))


def names_by_digest(
    listed: Mapping[str, str], wanted: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """Of images listed with their digests: names of ones that were replaced, whose layers they would keep, and the names
    that *wanted* lack, each with the image it is for. Pure."""
    tagged = {digest for name, digest in listed.items() if "@" not in name and not _is_id(name)}
    outdated = [name for name, digest in listed.items() if "@" in name and digest not in tagged]
    names = {f"{name.rpartition(':')[0]}@{listed[name]}": name for name in wanted}
    return outdated, {new: name for new, name in names.items() if new not in listed}


def _is_id(name: str) -> bool:
    return name.startswith("sha256:")


def _identity(archive: Path) -> list[str | int]:
    status = archive.stat()
    return [str(archive), status.st_size, status.st_mtime_ns]


def _ctr(settings: Settings, *arguments: str) -> list[str]:
    return [
        "ctr",
        "--address",
        str(settings.containerd_socket),
        "--namespace",
        "k8s.io",
        *arguments,
    ]
