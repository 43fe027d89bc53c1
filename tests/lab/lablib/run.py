# SPDX-License-Identifier: MIT
"""`lab run -- CMD`: a command that sees the lab as a machine beside the cluster would.

It runs in the lab's network namespace, so that nothing it does can leave, in a mount namespace of its own where names are
resolved by the lab's DNS only, and with KUBECONFIG set. Without root only KUBECONFIG and PATH are set.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from lablib import files, network
from lablib.settings import Settings

INSIDE = "LITEMAAS_LAB_RUN"  # set for the command: which lab it sees

# Ways of name resolution that go past /etc/resolv.conf.
NSCD = Path("/run/nscd")
NSSWITCH = Path("/etc/nsswitch.conf")


def environment(
    settings: Settings, binaries: Path, base: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The caller's, with the lab's KUBECONFIG and kubectl; a proxy could not be reached from inside."""
    proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"} if settings.netns else set()
    kept = {name: value for name, value in base.items() if name.lower() not in proxies}
    kept[INSIDE] = settings.id
    kept["KUBECONFIG"] = str(settings.kubeconfig)
    kept["PATH"] = os.pathsep.join([str(binaries), base.get("PATH", os.defpath)])
    return kept


def resolution(settings: Settings, resolver: Path) -> str:
    """Shell commands that make the lab's DNS the only source of names, in a mount namespace of one's own."""

    def bind(what: Path, where: Path) -> str:
        return f"mount --bind {shlex.quote(str(what))} {shlex.quote(str(where))}"

    lines = [bind(settings.resolv_conf, resolver)]
    if NSSWITCH.exists():
        own = settings.config / "nsswitch.conf"
        files.write(own, plain_hosts(NSSWITCH.read_text()), mode=0o644)
        lines.append(bind(own, NSSWITCH.resolve()))
    if NSCD.exists():
        lines.append(f"mount -t tmpfs tmpfs {NSCD}")
    return " && ".join(lines)


def plain_hosts(nsswitch: str) -> str:
    """An nsswitch.conf whose host names come from /etc/hosts and DNS only, and not from a daemon of the machine's."""
    return re.sub(r"^hosts:.*$", "hosts: files dns", nsswitch, flags=re.MULTILINE)


def command(settings: Settings, argv: Sequence[str]) -> list[str]:
    """The whole command line."""
    if not settings.netns:
        return list(argv)
    arrange = resolution(settings, Path("/etc/resolv.conf").resolve()) + ' && exec "$@"'
    inside = ["unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c", arrange, "lab-run"]
    return [*network.enter(settings), *inside, *argv]


def run(settings: Settings, binaries: Path, argv: Sequence[str]) -> None:
    """Become the command: its status, signals and standard streams are the caller's."""
    whole = command(settings, argv)
    os.execvpe(whole[0], whole, environment(settings, binaries))  # noqa: S606
