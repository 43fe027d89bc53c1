# SPDX-License-Identifier: MIT
"""Generated files: written whole or not at all, and not touched when they are right already."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Atomically; leaves an equal file alone (kube-proxy ends itself when its configuration is written anew)."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with open(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8"
    ) as output:
        output.write(text)
    partial.replace(path)
