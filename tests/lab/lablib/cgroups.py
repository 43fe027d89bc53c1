# SPDX-License-Identifier: MIT
"""The lab's own control groups: kubelet puts every pod below them, so that they tell which processes are containers.

cgroup v1 has one tree for each controller below ROOT, v2 has one for all; both are handled as a list of trees.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from lablib import process
from lablib.process import Process

ROOT = Path("/sys/fs/cgroup")


def trees(root: Path = ROOT) -> list[Path]:
    """The roots of the hierarchies: a folder is one when it has a list of its processes."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return sorted(
        folder
        for folder in root.iterdir()
        # `cpu` may be a link to `cpu,cpuacct`. The v2 tree of a hybrid machine counts too: runc makes groups there.
        if not folder.is_symlink() and (folder / "cgroup.procs").exists()
    )


def ensure(name: str, root: Path = ROOT) -> None:
    """Make the group in every tree: kubelet refuses a --cgroup-root that is missing in one."""
    controllers = root / "cgroup.controllers"
    if (
        controllers.exists()
    ):  # cgroup v2 gives a group only the controllers that its parent passes on
        for controller in controllers.read_text().split():
            with contextlib.suppress(OSError):
                (root / "cgroup.subtree_control").write_text(f"+{controller}")
    for tree in trees(root):
        group = tree / name
        group.mkdir(exist_ok=True)
        # A new cpuset has neither processors nor memory and could hold no process.
        for limit in ("cpuset.cpus", "cpuset.mems"):
            if tree != root and (tree / limit).exists() and not (group / limit).read_text().strip():
                (group / limit).write_text((tree / limit).read_text())


def processes(name: str, root: Path = ROOT) -> list[Process]:
    """Every living process in the group or below, in any tree."""
    pids: set[int] = set()
    for tree in trees(root):
        for listing in (tree / name).glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):
                pids.update(map(int, listing.read_text().split()))
    return [found for pid in sorted(pids) if (found := process.alive(pid))]


def remove(name: str, root: Path = ROOT) -> list[Path]:
    """Remove the group in every tree, deepest first; returns what would not go (the kernel is a moment late)."""
    left: list[Path] = []
    for attempt in range(20):
        left = [
            group for tree in trees(root) if (group := tree / name).exists() and not _removed(group)
        ]
        if not left:
            break
        time.sleep(0.05 * (attempt + 1))
    return left


def _removed(group: Path) -> bool:
    """rmdir is all that works on control groups: their files are the kernel's."""
    for child in group.iterdir():
        if child.is_dir():
            _removed(child)
    try:
        group.rmdir()
    except OSError:
        return not group.exists()
    return True
