# SPDX-License-Identifier: MIT
"""KWOK, which plays the kubelets of simulated nodes: its binary from Go modules, once, and what its pods and nodes do.

A stage says which state an object of a simulated node has next. Those for pods that become ready, for nodes and for their
heartbeat are KWOK's own; those for pods that fail are ours (manifests/simulation/failing-pods.yaml).
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Any

import yaml
from lablib import cache, commands, files, golang, kubeconfig, network
from lablib.process import Component
from lablib.report import Report
from lablib.settings import SIMULATED_POD_CIDR, Settings

LAB = Path(__file__).resolve().parent.parent
SOURCES = LAB / "kwok"
OUR_STAGES = LAB / "manifests" / "simulation" / "failing-pods.yaml"
MODULE = "sigs.k8s.io/kwok"
# With leases: a status patch every 20 seconds would be late on a busy machine, and the node counted as lost.
STAGES = ("pod/fast", "node/fast", "node/heartbeat-with-lease")
NODE_ANNOTATION = "kwok.x-k8s.io/node"

FAILS = "lab.test/fails"  # a pod's label: how it fails
READY_AFTER = "lab.test/ready-after"  # a pod's annotation: for how long it starts, e.g. 20s


def build(root: Path, report: Report) -> Path:
    """The folder with the program `kwok` and its `stages`, made when its inputs' key is not in the cache."""
    name = "kwok-" + cache.files_key(SOURCES, SOURCES.iterdir(), *golang.BUILD, platform.machine())

    def make(folder: Path) -> None:
        go = golang.toolchain(root, report)
        with report.during("kwok: building from Go modules", "about 2 min the first time"):
            module = golang.module(go, SOURCES, MODULE)
            target = ["-ldflags", "-s -w", "-o", str(folder / "kwok"), f"{MODULE}/cmd/kwok"]
            commands.run(
                [str(go), *golang.BUILD, *target],
                cwd=str(SOURCES),
                environment=golang.environment(),
                timeout=None,
            )
        for stage in STAGES:
            for path in (module / "kustomize" / "stage" / stage).glob("*.yaml"):
                if path.name != "kustomization.yaml":
                    (folder / "stages").mkdir(exist_ok=True)
                    shutil.copyfile(path, folder / "stages" / path.name)

    return cache.folder(root, name, make, report)


def stages(folder: Path) -> list[dict[str, Any]]:
    """All stages: KWOK's, with our two conditions on a pod's becoming ready, and ours."""
    found = [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]
    for stage in found:
        if stage["metadata"]["name"] == "pod-ready":
            spec = stage["spec"]
            spec["selector"]["matchExpressions"].append(
                {"key": f'.metadata.labels["{FAILS}"]', "operator": "DoesNotExist"}
            )
            after = f'.metadata.annotations["{READY_AFTER}"]'
            spec["delay"] = {"durationMilliseconds": 0, "durationFrom": {"expressionFrom": after}}
    return [*found, *yaml.safe_load_all(OUR_STAGES.read_text())]


def configure(settings: Settings, built: Path) -> None:
    """Write KWOK's configuration file."""
    text = yaml.safe_dump_all(stages(built / "stages"), sort_keys=False)
    files.write(settings.config / "kwok.yaml", text)


def component(settings: Settings, built: Path) -> Component:
    config, credentials = settings.config / "kwok.yaml", kubeconfig.path(settings, "kwok")
    command = [
        *(*network.enter(settings), str(built / "kwok")),
        f"--config={config}",
        f"--kubeconfig={credentials}",
        f"--manage-nodes-with-annotation-selector={NODE_ANNOTATION}=fake",
        f"--cidr={SIMULATED_POD_CIDR}",
        f"--node-ip={settings.address}",
        "--node-lease-duration-seconds=40",
        "--v=WARN",
    ]
    return Component("kwok", command, inputs=[config, credentials])
