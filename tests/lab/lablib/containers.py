# SPDX-License-Identifier: MIT
"""containerd's images, by its own command `ctr`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from lablib import commands
from lablib.settings import Settings


def answers(settings: Settings) -> bool:
    return settings.containerd_socket.exists() and commands.succeeds(_ctr(settings, "version"))


def references(settings: Settings) -> list[str]:
    """The names of the images that containerd has, without those that are digests."""
    names = commands.run(_ctr(settings, "images", "list", "--quiet")).split()
    return sorted(
        name for name in names if not name.startswith("sha256:") and "@sha256:" not in name
    )


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
