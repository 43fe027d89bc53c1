# SPDX-License-Identifier: MIT
"""Simulated nodes, and what their pods do."""

from __future__ import annotations

import argparse
import ipaddress
from pathlib import Path
from typing import Any

import pytest
import yaml
from lablib import cli, kwok, simulation
from lablib.errors import LabError
from lablib.settings import SIMULATED_NODE, Settings

READY = """
metadata: {name: pod-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector: {matchExpressions: [{key: .status.podIP, operator: DoesNotExist}]}
"""


@pytest.mark.parametrize(
    ("text", "changes"),
    [("", {}), ("cpu=8", {"cpu": "8"}), ("pods=110,volumes=20", {"pods": "110", "volumes": "20"})],
)
def test_a_size_changes_what_it_names(text: str, changes: dict[str, str]) -> None:
    assert simulation.parse_size(text) == SIMULATED_NODE | changes


@pytest.mark.parametrize("text", ["gpu=1", "cpu", "cpu="])
def test_a_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not one of cpu=…, memory=…"):
        simulation.parse_size(text)


def test_a_node_offers_its_size_and_is_kwoks() -> None:
    node = simulation.node(7, SIMULATED_NODE | {"pods": "500"})
    assert node["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}
    assert node["status"]["allocatable"] == {"cpu": "15500m", "memory": "60Gi", "pods": "500"}
    disks = simulation.csi_node(7, SIMULATED_NODE)
    assert disks["metadata"]["name"] == node["metadata"]["name"] == "simulated-7"
    assert [driver["allocatable"] for driver in disks["spec"]["drivers"]] == [{"count": 26}]


def test_pods_of_two_nodes_never_share_an_address() -> None:
    ranges = [
        ipaddress.ip_network(simulation.node(number, SIMULATED_NODE)["spec"]["podCIDR"])
        for number in (1, 2, 3, simulation.MOST_NODES - 1)
    ]
    whole = ipaddress.ip_network(simulation.SIMULATED_POD_CIDR)
    assert all(one.subnet_of(whole) for one in ranges)
    assert not any(one.overlaps(other) for i, one in enumerate(ranges) for other in ranges[i + 1 :])


class Cluster:
    """Stands for kubectl."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.calls: list[list[str]] = []
        self.untainted = False

    def __call__(self, arguments: list[str], stdin: str | None = None) -> str:
        self.calls.append(arguments)
        if arguments[0] == "taint" and self.untainted and arguments[-1].endswith("-"):
            raise LabError('taint "lab.test/simulated" not found')
        return "\n".join(f"node/{name}" for name in self.names)


@pytest.mark.parametrize(
    ("tainted", "taint"),
    [(True, "lab.test/simulated=true:NoSchedule"), (False, "lab.test/simulated-")],
)
def test_only_beside_a_real_node_they_are_tainted(tainted: bool, taint: str) -> None:
    cluster = Cluster()
    cluster.untainted = True
    simulation.ensure(cluster, 2, SIMULATED_NODE, tainted=tainted)  # type: ignore[arg-type]
    assert [call[-1] for call in cluster.calls if call[0] == "taint"] == [taint]


@pytest.mark.parametrize(
    ("count", "removed"), [(3, []), (1, ["node/simulated-2"]), (0, ["simulated-1", "simulated-2"])]
)
def test_fewer_nodes_than_before(count: int, removed: list[str]) -> None:
    cluster = Cluster("simulated-1", "simulated-2")
    simulation.ensure(cluster, count, SIMULATED_NODE, tainted=False)  # type: ignore[arg-type]
    deleted = " ".join(" ".join(call) for call in cluster.calls if call[0] == "delete")
    assert all(name in deleted for name in removed)
    assert bool(deleted) == bool(removed)


def test_a_pod_that_is_to_fail_does_not_become_ready(tmp_path: Path) -> None:
    (tmp_path / "pod-ready.yaml").write_text(READY)
    found = {stage["metadata"]["name"]: stage for stage in kwok.stages(tmp_path)}
    ready = found.pop("pod-ready")["spec"]
    assert {"key": '.metadata.labels["lab.test/fails"]', "operator": "DoesNotExist"} in ready[
        "selector"
    ]["matchExpressions"]
    assert "ready-after" in str(ready["delay"])
    ways = set()
    for stage in found.values():
        template = stage["spec"]["next"]["statusTemplate"]
        assert "podIP" not in template  # it is what KWOK's own stage looks for
        (way,) = stage["spec"]["selector"]["matchExpressions"][1]["values"]
        ways.add(way)
    assert ways == {
        "ImagePullBackOff",
        "CrashLoopBackOff",
        "OOMKilled",
        "ContainerCreating",
        "NotReady",
    }


def test_every_way_to_fail_is_documented() -> None:
    text = simulation.RULES.read_text()
    for stage in yaml.safe_load_all(kwok.OUR_STAGES.read_text()):
        (way,) = stage["spec"]["selector"]["matchExpressions"][1]["values"]
        assert way in text
        assert way in (kwok.LAB / "README.md").read_text()


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings(tmp_path, "openshift", tmp_path, 0, "netns", "198.18.0.2", **more)


def test_nodes_stay_as_they_are_unless_asked_for(tmp_path: Path) -> None:
    before = settings(tmp_path, simulated_nodes=4)

    def up(*words: str) -> Settings:
        options: argparse.Namespace = cli.parser().parse_args(["up", *words])
        return cli.simulated(before, options.simulated_nodes, options.simulated_node_size)

    assert up() == before
    assert up("--simulated-nodes", "0").simulated_nodes == 0
    after = up("--simulated-nodes", "9", "--simulated-node-size", "pods=500")
    assert (after.simulated_nodes, after.simulated_node["pods"]) == (9, "500")
    for words in (["--simulated-nodes", "-1"], ["--simulated-node-size", "x"]):
        with pytest.raises(LabError, match=words[0]):
            up(*words)
