# SPDX-License-Identifier: MIT
"""Taking a lab down: no process, mount, link, namespace or control group of it stays, however it was left.

Nothing here relies on what `up` did last: orphans of a killed containerd are found by control group, those of other components by
the marker in their environment, whatever else runs in the lab's network namespace by that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from lablib import cgroups, lab, mounts, namespaces, network, process, run
from lablib.errors import LabError
from lablib.process import Process
from lablib.settings import Settings, load

# First what would start anything again, last what others need to end cleanly.
ORDER = (
    (
        *("kubelet", "kube-proxy", "kwok", "controllers"),
        *("kube-scheduler", "kube-controller-manager"),
    ),
    ("containerd", "coredns"),
    ("kube-apiserver",),
    ("etcd",),
)
POD_GRACE = 10.0  # seconds for a database to write its last page


def down(settings: Settings, report: Callable[[str], None], *, purge: bool = False) -> None:
    """End everything of this lab; `purge` removes its data too. The caller holds the lab's lock."""
    if not settings.state.exists() and not remains(settings):
        report("there is no lab to take down")
        return
    if run.INSIDE in os.environ and namespaces.held_elsewhere(settings):
        raise LabError("this lab was started outside of `lab run` and can only be taken down there")
    known = lab.running(settings)
    process.stop([known[name] for name in ORDER[0] if name in known])
    process.stop(_pods(settings), POD_GRACE)
    for names in ORDER[1:]:
        process.stop([known[name] for name in names if name in known])
    process.stop(_rest(settings), 3.0)
    shutil.rmtree(settings.records, ignore_errors=True)
    left: list[str] = []
    if settings.netns:
        network.remove(settings)
        for kind in ("mount", "net"):
            namespaces.release(settings, kind)
        namespaces.release_folder(settings)
        left += [f"control group {group}" for group in cgroups.remove(settings.name)]
        mounts.forget(settings)
    if purge:
        shutil.rmtree(settings.state, ignore_errors=True)
    left += remains(settings)
    if left:
        raise LabError("not everything of the lab is gone: " + "; ".join(left))
    report(f"down{', its data removed' if purge else ''}")


def remains(settings: Settings) -> list[str]:
    """What of this lab is still there, in words."""
    found = [f"process {left.pid}" for left in _rest(settings)]
    if settings.netns:
        found += [f"link {settings.link}"] if network.link_exists(settings.link) else []
        found += [
            f"control group {tree / settings.name}"
            for tree in cgroups.trees()
            if (tree / settings.name).exists()
        ]
        own = (settings.state, settings.runtime)
        points = [Path(point) for point in namespaces.mount_points()]
        found += [
            f"mount {point}"
            for point in points
            if any(point.is_relative_to(folder) for folder in own)
        ]
    return found


def end_strays(settings: Settings, report: Callable[[str], None]) -> None:
    """End what a lab left whose state folder somebody removed: it would hold the addresses of the new one."""
    if load(settings.state) is None and remains(settings):
        report("the state of this lab is gone but not all of its processes: ending them")
        down(settings, report)


def purge_orphans(settings: Settings, report: Callable[[str], None]) -> None:
    """Remove the labs of this cache whose checkout is gone."""
    for state in settings.labs.glob("*-*"):
        with contextlib.suppress(LabError, OSError):  # no reason not to start ours
            other = load(state)
            if other and not (other.checkout / "tests" / "lab").is_dir():
                report(f"the checkout {other.checkout} is gone: removing its lab")
                down(other, report, purge=True)


def _pods(settings: Settings) -> list[Process]:
    return cgroups.processes(settings.name) if settings.netns else []


def _rest(settings: Settings) -> list[Process]:
    found = {*process.marked(settings.id), *_pods(settings)}
    if settings.netns:
        found |= set(process.inside(namespaces.pin(settings, "net")))
    return sorted(found, key=lambda item: item.pid)
