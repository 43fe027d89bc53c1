# SPDX-License-Identifier: MIT
"""The layers that several images share: a small Debian, its Python, its Node."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .builder import SOURCES, LayerSpec, Workspace
from .debian import MERGED
from .host import run

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = "python3.11"


def copy(source: Path, root: Path) -> list[str]:
    """Lay a source tree over `root`; returns its files' paths."""
    shutil.copytree(source, root, symlinks=True, dirs_exist_ok=True)
    return [
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_symlink() or not path.is_dir()
    ]


def inside(root: Path, program: str, *arguments: str | Path) -> list[str | Path]:
    """The command that runs a program of the file system `root` without chroot, which would need root.

    The dynamic loader of the image is given the image's libraries; files are named as the host sees them.
    """
    libraries = [root / "usr/lib/x86_64-linux-gnu", root / "usr/lib"]
    return [
        root / "usr/lib64/ld-linux-x86-64.so.2",
        "--library-path",
        ":".join(map(str, libraries)),
        root / program,
        *arguments,
    ]


def python(work: Workspace, *arguments: str | Path, what: str, path: Sequence[Path] = ()) -> str:
    """Run the image's Python."""
    return run(
        inside(work.root, f"usr/bin/{PYTHON}", *arguments),
        what=what,
        log=work.log,
        env={
            "PYTHONHOME": str(work.root / "usr"),
            "PYTHONPATH": ":".join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
        },
    )


def compile_python(work: Workspace, *folders: str) -> None:
    """Compile to .pyc files that hold without a look at the source.

    A usual .pyc carries its source's time stamp, which a layer resets: it would be compiled anew at each start,
    and nobody could write the result into a read-only root.
    """
    python(
        work,
        "-m",
        "compileall",
        "-q",
        "-j",
        "0",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        work.root,
        "-p",
        "/",
        *(work.root / folder for folder in folders),
        what="compiling Python",
    )


def _base(work: Workspace) -> list[str]:
    for name in MERGED:
        (work.root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (work.root / name).symlink_to(f"usr/{name}")
    folders = ("dev", "proc", "sys", "run", "tmp", "var/tmp", "root", "home", "opt", "srv")
    for name in folders:
        (work.root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (work.root / name).chmod(0o1777)
    files = copy(SOURCES / "base", work.root)
    # Alternatives, which maintainer scripts would have set.
    for name, target in {"usr/bin/awk": "mawk", "usr/bin/which": "which.debianutils"}.items():
        (work.root / name).unlink(missing_ok=True)
        (work.root / name).symlink_to(target)
        files.append(name)
    for name, target in {"var/run": "/run", "var/lock": "/run/lock"}.items():
        if (work.root / name).is_dir():
            (work.root / name).rmdir()
        (work.root / name).symlink_to(target)
        files.append(name)
    return [*MERGED, *folders, *files]


def _python(work: Workspace) -> list[str]:
    compile_python(work, f"usr/lib/{PYTHON}")
    return [f"usr/lib/{PYTHON}"]


BASE = LayerSpec(
    name="base",
    takes="about 15 s",
    inputs=(SOURCES / "base", Path(__file__)),
    packages=(
        "base-files",
        "bash",
        "coreutils",
        "dash",
        "debianutils",
        "diffutils",
        "findutils",
        "grep",
        "gzip",
        "hostname",
        "libc-bin",
        "mawk",
        "ncurses-base",
        "procps",
        "sed",
        "tar",
        "tzdata",
        "usr-is-merged",
    ),
    fill=_base,
)
PYTHON_LAYER = LayerSpec(
    name="python",
    takes="about 15 s",
    inputs=(Path(__file__),),
    below=(BASE,),
    runs=(BASE,),
    packages=("python3",),
    fill=_python,
)
NODE_LAYER = LayerSpec(
    name="node",
    takes="about 15 s",
    below=(BASE, PYTHON_LAYER),
    packages=("nodejs",),
)
