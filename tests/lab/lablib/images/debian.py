# SPDX-License-Identifier: MIT
"""Debian packages as layers: resolved and fetched by apt in a folder of its own, unpacked without being installed.

apt is given an empty package database, so that it resolves every dependency as for a bare machine, and the mirror that
this machine uses. Unpacking runs no maintainer script: no root, no chroot and no mount are needed, and what the scripts
would have set up is little enough to stand in `tests/lab/images/base/`. `debootstrap` would give the same files plus
apt, perl and 100 MB that no container of the lab needs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from .host import BuildError, run

SUITE = "bookworm"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# Debian's merged /usr: packages of this release still name some files by the old folders.
MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
# Documentation, translations, and what only maintainer scripts or compilers read.
_UNWANTED = re.compile(
    r"usr/share/(doc|man|info|locale|lintian|bug|menu|doc-base|bash-completion|pixmaps|applications|debconf|perl5)(/|$)"
    r"|usr/lib/[^/]+/gconv/(?!gconv-modules|UTF-|UNICODE|ISO8859-1\.)"
    r"|usr/lib/python3\.\d+/(test|idlelib|lib2to3|tkinter|turtledemo|ensurepip|pydoc_data|config-[^/]+)(/|$)"
    r"|var/cache/|var/log/|var/lib/dpkg/|etc/(cron|init|logrotate)[^/]*/"
)


class Archive:
    """Debian's package archive, seen through an apt root below `folder`."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        self._folder = folder.absolute()
        self._log = log
        self._updated = False

    def _options(self) -> list[str]:
        settings = {
            "Dir::State": self._folder / "state",
            "Dir::State::status": self._folder / "status",
            "Dir::Cache": self._folder / "cache",
            "Dir::Etc::sourcelist": self._folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "Acquire::Languages": "none",
            # Otherwise hooks of the machine's own configuration clean up in its own folders.
            "DPkg::Post-Invoke": "",
        }
        return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]

    def _apt(self, *arguments: str, what: str) -> str:
        return run(
            ["apt-get", *self._options(), *arguments],
            what=what,
            log=self._log,
        )

    def _update(self) -> None:
        if self._updated:
            return
        if not _KEYRING.is_file():
            raise BuildError(
                f"{_KEYRING} is missing. Install it with: apt-get install debian-archive-keyring"
            )
        for name in ("state/lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").write_text("")
        (self._folder / "sources.list").write_text(
            f"deb [arch=amd64 signed-by={_KEYRING}] {self._mirror()} {SUITE} main\n"
        )
        self._apt("-qq", "update", what="reading Debian's package lists")
        self._updated = True

    def _mirror(self) -> str:
        """The mirror that this machine is configured for."""
        query = ["indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
        what = "asking apt for this machine's mirror"
        address = find_mirror(run(["apt-get", *query], what=what, log=self._log))
        if address is None:
            # apt knows a mirror's label only from its lists, which a new machine may not have. Ours go elsewhere.
            state = self._folder / "machine"
            (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
            options = ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={state}"]
            run(["apt-get", *options, "-qq", "update"], what=what, log=self._log)
            address = find_mirror(run(["apt-get", *options, *query], what=what, log=self._log))
        if address is None:
            raise BuildError(
                "the images are built from Debian's packages, and apt has no source of Debian's main archive"
            )
        return address

    def resolve(self, packages: Sequence[str]) -> set[str]:
        """The names of `packages` and of all they depend on."""
        if not packages:
            return set()
        self._update()
        plan = self._apt("--simulate", "install", *packages, what="resolving Debian packages")
        return {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}

    def fetch(self, packages: Iterable[str], folder: Path) -> list[Path]:
        """Download exactly `packages` (dependencies must be among them) into `folder`."""
        self._update()
        folder.mkdir(parents=True, exist_ok=True)
        run(
            ["apt-get", *self._options(), "-qq", "download", *sorted(packages)],
            what="downloading Debian packages",
            log=self._log,
            cwd=folder,
        )
        return sorted(folder.glob("*.deb"))


def find_mirror(targets: str) -> str | None:
    """The address of Debian's main archive in lines of "label address"; not that of its security updates."""
    for line in targets.splitlines():
        label, _, address = line.partition(" ")
        if label == "Debian":
            return address
    return None


def merged(path: str) -> str | None:
    """A package's path with /usr merged, relative to the root; None for what the lab leaves out."""
    parts = PurePosixPath(path).parts
    if parts and parts[0] in ("/", "."):
        parts = parts[1:]
    if not parts or parts == (parts[0],) and parts[0] in MERGED:
        return None
    if parts[0] in MERGED:
        parts = ("usr", *parts)
    name = "/".join(parts)
    return None if _UNWANTED.match(name) else name


def unpack(package: Path, root: Path) -> None:
    """Lay the files of a .deb below `root`."""
    with (
        subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE
        ) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        for member in tar:
            name = merged(member.name)
            if name is None:
                continue
            target = root / name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                target.chmod(member.mode)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink() or target.exists():
                target.unlink()
            if member.issym():
                target.symlink_to(member.linkname)
            elif member.islnk():
                source = merged(member.linkname)
                if source is not None:
                    os.link(root / source, target)
            elif member.isfile():
                content = tar.extractfile(member)
                assert content is not None
                with content, target.open("wb") as file:
                    shutil.copyfileobj(content, file)
                target.chmod(member.mode)
    if process.returncode:
        raise BuildError(f"dpkg-deb cannot read {package.name}")
