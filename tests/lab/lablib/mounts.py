# SPDX-License-Identifier: MIT
"""The node's mount namespace: everything that containerd and kubelet mount is inside, and goes with it.

It outlives any process of the node: containerd killed and started again finds its mounts. Inside, /run and /var/log are folders
of the lab's own and so is /var/lib/kubelet, because paths there are built into kubelet and containerd, and the machine, or another
lab, may have the same.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from lablib import cache, commands, namespaces
from lablib.settings import RUNTIME, Settings

KUBELET = Path("/var/lib/kubelet")
HIDDEN = (Path("/run"), Path("/var/log"))
STASH = Path("/mnt")  # under a tmpfs, for a moment; any folder that every system has
_MADE = RUNTIME / "made-var-lib-kubelet"  # /var/lib/kubelet is ours to remove


def script(hidden: Sequence[Path], kept: Sequence[Path], binds: Sequence[tuple[Path, Path]]) -> str:
    """Shell commands that arrange a new mount namespace.

    hidden: folders that become empty ones; kept: folders that stay visible though they lie in hidden ones;
    binds: (what, where).
    """
    lines = [
        "set -e",
        # Copies of labs' pins would keep those namespaces alive.
        f'for folder in {RUNTIME}/*/namespaces; do umount --lazy --recursive "$folder" 2>/dev/null || true; done',
        # Mounts made here must reach containers that ask for them (mountPropagation).
        "mount --make-rshared /",
    ]
    covered = [folder for folder in kept if any(folder.is_relative_to(other) for other in hidden)]
    stashes = {f"{STASH}/{number}": shlex.quote(str(path)) for number, path in enumerate(covered)}
    if stashes:
        lines.append(f"mount -t tmpfs tmpfs {STASH}")
        lines += [
            f"mkdir {stash} && mount --rbind {folder} {stash}" for stash, folder in stashes.items()
        ]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs {folder}" for folder in hidden]
    lines += [
        f"mkdir -p {folder} && mount --rbind {stash} {folder}" for stash, folder in stashes.items()
    ]
    if stashes:
        lines.append(f"umount --lazy --recursive {STASH}")
    lines += [
        f"mount --bind {shlex.quote(str(what))} {shlex.quote(str(where))}" for what, where in binds
    ]
    return "\n".join(lines) + "\n"


def ensure(settings: Settings) -> None:
    """Make the namespace when it is not there."""
    if commands.succeeds([*enter(settings), "true"]):
        return
    namespaces.release(settings, "mount")
    own = settings.state / "kubelet-fixed"  # stands in for /var/lib/kubelet
    own.mkdir(exist_ok=True, mode=0o700)
    with cache.locked(RUNTIME / "lock"):
        if not KUBELET.exists():
            KUBELET.mkdir(mode=0o700)
            _MADE.touch()
    binds = [(own, KUBELET)]
    resolver = Path("/etc/resolv.conf").resolve()
    if not any(resolver.is_relative_to(folder) for folder in HIDDEN):
        binds.append((settings.resolv_conf, resolver))
    arrange = script(HIDDEN, [settings.runtime, settings.cache, settings.checkout], binds)
    namespaces.create(settings, "mount", "/bin/sh", "-c", arrange)


def enter(settings: Settings) -> list[str]:
    """The start of a command line that runs its rest in the node's mounts and the lab's network."""
    return namespaces.enter(settings, "mount", "net")


def forget(settings: Settings) -> None:
    """Remove the runtime folder, and what the last lab of the machine leaves."""
    shutil.rmtree(settings.runtime, ignore_errors=True)
    if not RUNTIME.exists():
        return
    with cache.locked(RUNTIME / "lock"):
        if any(path.is_dir() for path in RUNTIME.iterdir()):
            return
        if _MADE.exists():
            _MADE.unlink()
            with contextlib.suppress(OSError):
                KUBELET.rmdir()
        shutil.rmtree(RUNTIME, ignore_errors=True)
