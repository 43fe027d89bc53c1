# SPDX-License-Identifier: MIT
"""Programs the lab needs from the system: found, or installed as Debian packages whose services are not started."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from lablib import commands
from lablib.errors import LabError

# Program (or file of which one must exist) → Debian package.
CONTROL_PLANE = {"openssl": "openssl"}
NETWORK = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "nft": "nftables",
    "haproxy": "haproxy",
}
NODE = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "conntrack": "conntrack",
    "mount": "mount",
    "/usr/lib/cni/ptp|/opt/cni/bin/ptp": "containernetworking-plugins",
}
POLICY = Path("/usr/sbin/policy-rc.d")
ALSO_SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # a user's PATH often lacks them


def extend_path() -> None:
    """Let the programs of system administration be found also where PATH does not name their folders."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(
        [*folders, *(folder for folder in ALSO_SEARCHED if folder not in folders)]
    )


def present(program: str) -> bool:
    if "/" in program:
        return any(Path(path).exists() for path in program.split("|"))
    return shutil.which(program) is not None


def missing(tools: Mapping[str, str], found: Callable[[str], bool] = present) -> list[str]:
    """The packages of the programs that are not there, each once, in order."""
    return list(dict.fromkeys(package for program, package in tools.items() if not found(program)))


def ensure(tools: Mapping[str, str], report: Callable[[str], None], *, root: bool) -> None:
    """Install what is missing, when we may and can; else say what to install."""
    packages = missing(tools)
    if not packages:
        return
    advice = f"install {' '.join(packages)} (names of Debian packages) and start again"
    if not root:
        raise LabError(f"programs are missing and only root can install them: {advice}")
    if not shutil.which("apt-get"):
        raise LabError(f"programs are missing and this system has no apt-get: {advice}")
    report(f"installing Debian packages: {' '.join(packages)}")
    install(packages)
    packages = missing(tools)
    if packages:
        raise LabError(f"{' '.join(packages)} is installed but its programs are not found on PATH")


def install(packages: Iterable[str]) -> None:
    """apt-get install, with no service started now or at the next boot."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [
        "apt-get",
        "install",
        "--yes",
        "--quiet",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    before = _enabled_services()
    with services_kept_down():
        try:
            commands.run([*command, *packages], environment=environment, timeout=900)
        except LabError:  # package lists that are missing or too old
            update = ["apt-get", "update", "--quiet", "-o", "DPkg::Lock::Timeout=300"]
            commands.run(update, environment=environment, timeout=600)
            commands.run([*command, *packages], environment=environment, timeout=900)
    for service in sorted(_enabled_services() - before):
        commands.succeeds(["systemctl", "disable", service])


@contextlib.contextmanager
def services_kept_down(policy: Path = POLICY) -> Iterator[None]:
    """While inside, packages start no service: policy-rc.d is how Debian lets an administrator say so."""
    kept = policy.with_name(f"{policy.name}.lab")
    if policy.exists():
        policy.rename(kept)
    try:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink(missing_ok=True)
        if kept.exists():
            kept.rename(policy)


def _enabled_services() -> set[str]:
    """The links by which systemd starts services at boot; they exist also where systemd does not run."""
    return {link.name for link in Path("/etc/systemd/system").glob("*.wants/*.service")}
