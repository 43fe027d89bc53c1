# SPDX-License-Identifier: MIT
"""Where a lab's namespaces are pinned, so that they outlive any of its processes.

A pin is a file in the lab's runtime folder on which the kernel's handle of the namespace is mounted. Not /run/netns, where `ip
netns` would leave a mount of its own behind. The folder is a mount whose changes the kernel tells nobody (private): only on such
a one it pins a mount namespace.
"""

from __future__ import annotations

import os
from pathlib import Path

from lablib import commands
from lablib.settings import Settings


def folder(settings: Settings) -> Path:
    return settings.runtime / "namespaces"


def pin(settings: Settings, kind: str) -> Path:
    """The file for the lab's namespace of this kind, `net` or `mount`."""
    return folder(settings) / kind


def pinned(settings: Settings, kind: str) -> bool:
    return str(pin(settings, kind)) in mount_points()


def create(settings: Settings, kind: str, *command: str) -> None:
    """Make and pin a new namespace; `command` runs inside it first and its failure undoes it."""
    home, target = folder(settings), pin(settings, kind)
    if str(home) not in mount_points():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        commands.run(["mount", "--bind", str(home), str(home)])
        commands.run(["mount", "--make-private", str(home)])
        _owner(settings).write_text(_mount_namespace())
    target.touch()
    # A mount namespace keeps learning of the host's mounts and unmounts, and tells nothing back.
    options = ["--propagation=slave"] if kind == "mount" else []
    try:
        commands.run(["unshare", f"--{kind}={target}", *options, *(command or ("true",))])
    except Exception:
        release(settings, kind)
        raise


def enter(settings: Settings, *kinds: str) -> list[str]:
    """The start of a command line that runs its rest in the lab's namespaces of these kinds.

    nsenter becomes the command (same process). `ip netns exec` would mount /sys anew and hide the control groups.
    """
    return (
        ["nsenter", *(f"--{kind}={pin(settings, kind)}" for kind in kinds), "--"]
        if settings.netns
        else []
    )


def held_elsewhere(settings: Settings) -> bool:
    """Whether the pins are mounts of another mount namespace, as outside of `lab run`: they could not be undone here."""
    try:
        return _owner(settings).read_text() != _mount_namespace()
    except OSError:
        return False


def _owner(settings: Settings) -> Path:
    return settings.runtime / "pinned-in"


def _mount_namespace() -> str:
    return os.readlink("/proc/self/ns/mnt")


def release(settings: Settings, kind: str) -> None:
    """Undo the pin: the kernel ends the namespace, with its mounts or links, when no process is left in it."""
    while pinned(settings, kind):
        commands.run(["umount", "--lazy", str(pin(settings, kind))])
    pin(settings, kind).unlink(missing_ok=True)


def release_folder(settings: Settings) -> None:
    while str(folder(settings)) in mount_points():
        commands.run(["umount", "--lazy", str(folder(settings))])


def mount_points() -> list[str]:
    """Of this process's mount namespace; a namespace's pin is none to os.path.ismount."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [unescape(line.split()[4]) for line in lines]


def unescape(text: str) -> str:
    r"""The kernel writes blanks and the like as \040."""
    return (
        text.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in text else text
    )
