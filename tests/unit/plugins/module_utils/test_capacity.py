# SPDX-License-Identifier: MIT
"""Whether instances fit onto nodes: the whole way from objects of the API to the verdict and its words."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _capacity,
    _capacity_read,
    _capacity_text,
    _demand,
    _instances,
    _labels,
    _node,
    _sizing,
)

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = yaml.safe_load((FIXTURES / "settings.yml").read_text())
CASES = yaml.safe_load((FIXTURES / "capacity.yml").read_text())
DRIVER = "ebs.csi.aws.com"


def instances(users: int, **more: Any) -> list[_instances.Instance]:
    """Those of so many users; without users the single one. *more*: replicas, Redis, PgBouncer."""
    settings = copy.deepcopy(SETTINGS)
    settings["multi_user"] = users > 0
    settings["deploy_redis"] = more.get("redis", False)
    settings["deploy_pgbouncer"] = more.get("pgbouncer", False)
    settings["litellm"]["replicas"] = more.get("replicas", 1)
    return _instances.instances(settings, max(users, 1))


def node(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """A Node object."""
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/os": given.get("os", "linux")}},
        "spec": {"taints": given.get("taints", []), "unschedulable": given.get("cordoned", False)},
        "status": {
            "allocatable": {key: given[key] for key in ("cpu", "memory", "pods")},
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": "True" if given.get("ready", True) else "Unknown"},
            ],
        },
    }


def nodes(case: dict[str, Any]) -> list[_node.Node]:
    """The case's nodes with what runs there and the volumes they hold."""
    given = case["nodes"]
    found = {name: _node.parse(node(name, each)) for name, each in given.items()}
    csi_nodes = [
        {
            "metadata": {"name": name},
            "spec": {"drivers": [{"name": DRIVER, "allocatable": {"count": each["volumes"]}}]},
        }
        for name, each in given.items()
        if "volumes" in each
    ]
    attached = [
        {"spec": {"attacher": DRIVER, "nodeName": name}}
        for name, each in given.items()
        for _number in range(each.get("attached", 0))
    ]
    assert _node.limit_volumes(found, csi_nodes, DRIVER) is case.get("limits", False)
    _node.attach(found, [*attached, {"spec": {"attacher": "another", "nodeName": "a"}}], DRIVER)
    for name, each in given.items():
        if "used" in each:
            spec = {"containers": [{"resources": {"requests": each["used"]}}]}
            used = _node.requests(spec)
            found[name].used += _node.Amount(
                used.cpu, used.memory, int(each["used"].get("pods", 1))
            )
    return list(found.values())


def pods(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The deployment's own pods as the API has them."""
    sizes = {
        "litellm": ("100m", "1Gi"),
        "litellm-migration": ("100m", "1Gi"),
        "postgres": ("200m", "256Mi"),
        "redis": ("50m", "64Mi"),
        "pgbouncer": ("20m", "16Mi"),
    }
    for each in case.get("running", ()):
        cpu, memory = sizes[each["app"]]
        part = each["app"].removesuffix("-migration")
        image = instances(1, redis=True, pgbouncer=True)[0][part]["image"]  # type: ignore[literal-required]
        revision = instances(1, **case.get("more", {}))[0]["litellm"]["revision"]
        migration, _dash, made_of = revision.partition("-")
        changed = each.get("changed", "")
        migration = "other" if changed == "migration" else migration
        revision = f"{migration}-{'other' if changed else made_of}"
        requests = {"cpu": each.get("cpu", cpu), "memory": each.get("memory", memory)}
        yield {
            "metadata": {
                "namespace": f"litemaas-user{each['user']}",
                "labels": {"app": each["app"]},
                "annotations": {_labels.REVISION: revision},
                **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if each.get("ending") else {}),
            },
            "spec": {
                "containers": [
                    {"image": each.get("image", image), "resources": {"requests": requests}}
                ],
                "initContainers": [
                    {
                        "name": each.get("after", _demand.WAITS),
                        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
                    }
                ],
                **({"nodeName": each["node"]} if each["node"] else {}),
            },
        }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_capacity(case: dict[str, Any]) -> None:
    users = case.get("users", 0)
    wanted = instances(users, **case.get("more", {}))
    demand = _demand.demand(wanted, map(_demand.parse, pods(case)))
    assert len(demand.asks) == case.get("asks", 2 * len(wanted))
    found = _capacity.judge(len(wanted), demand, nodes(case))
    assert (not found.unplaced, found.fitting) == (case["fits"], case["fitting"])
    if not case["fits"]:
        problem = str(_capacity.problem(found, multi_user=users > 0))
        assert problem.startswith("capacity of the cluster is too small")
        for words in case.get("words", ()):
            assert words in problem
    reading = _capacity_read.Reading(found.nodes, DRIVER if case.get("limits") else "")
    extra = _capacity_text.Extra(_sizing.total(wanted), host_label="litellm-user80-rhpds")
    table = _capacity_text.lines(found, reading, extra)
    for words in case.get("table", ()):
        assert any(words in line for line in table), table


def test_autoscalers_are_a_remedy() -> None:
    demand = _demand.demand(instances(0), [])
    found = _capacity.judge(1, demand, [])
    usual = str(_capacity.problem(found, multi_user=False))
    assert "where the cluster adds nodes by itself (a ClusterAutoscaler), set" in usual
    known = "because its MachineAutoscalers may add nodes (worker to 9 machines)"
    assert known in str(_capacity.problem(found, multi_user=False, autoscalers=known))


def test_a_thousand_users_on_a_hundred_nodes() -> None:
    each = {"cpu": "16", "memory": "60Gi", "pods": "250", "volumes": 25}
    case = {"limits": True, "nodes": {f"node{number}": each for number in range(100)}}
    demand = _demand.demand(instances(1000), [])
    there = nodes(case)
    found = _capacity.judge(1000, demand, there)
    assert (dict(found.unplaced), found.fitting) == ({}, 1000)


@pytest.mark.parametrize(
    ("users", "workers"), [(1, 1), (10, 1), (20, 1), (40, 2), (80, 4), (1000, 40)]
)
def test_how_many_nodes_are_needed(users: int, workers: int) -> None:
    asks = _demand.demand(instances(users), []).asks
    each = _node.Amount(cpu=15000, memory=60 * 2**30, pods=250, volumes=25)
    assert _capacity.nodes_needed(asks, each) == workers


def test_a_pod_larger_than_any_node_needs_none() -> None:
    asks = _demand.demand(instances(1), []).asks
    assert _capacity.nodes_needed(asks, _node.Amount(cpu=100, memory=2**20, pods=9)) == 0


def test_the_pods_that_an_autoscaler_made_stay() -> None:
    (instance,) = instances(1, replicas=2)
    running = [{"user": 1, "app": "litellm", "node": "a"} for _number in range(4)]
    there = [_demand.parse(pod) for pod in pods({"running": running, "more": {"replicas": 2}})]
    for autoscaled, stay in ((True, 4), (False, 2)):
        instance["litellm"]["autoscaled"] = autoscaled
        demand = _demand.demand([instance], there)
        assert len(demand.taken) == stay
        assert [ask.app for ask in demand.asks] == ["postgres"]


def test_the_application_has_pods_of_its_own_and_is_replaced_pod_by_pod() -> None:
    settings = copy.deepcopy(SETTINGS)
    settings |= {"deploy_backend": True, "deploy_frontend": True, "oauth_enabled": True}
    (instance,) = _instances.instances(settings, 1)
    asked = _demand.demand([instance], [])
    assert asked.wanted == {"postgres": 1, "litellm": 1, "backend": 1, "frontend": 1}
    amounts = {ask.app: (ask.amount.cpu, ask.amount.memory) for ask in asked.asks}
    # The backend's pod with what checks its tables beside it.
    assert amounts["backend"] == (110, (256 + 32) * 2**20)
    assert amounts["frontend"] == (50, 128 * 2**20)
    there = [
        _demand.Pod(
            instance["namespace"], app, "n", _node.Amount(*amounts[app], 1), frozenset({image})
        )
        for app, image in (("backend", "old"), ("frontend", instance["frontend"]["image"]))  # type: ignore[index]
    ]
    asked = _demand.demand([instance], there)
    assert [ask.app for ask in asked.asks if ask.instance < 0] == ["backend"]
