# SPDX-License-Identifier: MIT
"""The module instance_info against a real API server: found by labels, judged as by readiness, and nothing written."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.modules import instance_info

from .conftest import Audit, RunModule
from .played import Instance, StandIn

CRASHING = {
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
    "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
    "restartCount": 2,
}


@pytest.fixture
def deployment() -> str:
    """The name of a deployment nobody else has."""
    return f"status-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def look(run_module: RunModule) -> Callable[..., dict[str, Any]]:
    """look(…options): the module's result, which is never changed."""

    def run(check: bool = False, **options: Any) -> dict[str, Any]:
        result = run_module("instance_info", options, check=check)
        assert result.get("changed", False) is False
        return result

    return run


def by_namespace(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {instance["namespace"]: instance for instance in result["instances"]}


@pytest.fixture
def homes(
    make: Callable[..., Instance],
    new_namespace: Callable[..., str],
    gateway: StandIn,
    deployment: str,
) -> dict[str, str]:
    """The namespaces of one deployment's instances: each in another state, and one of somebody else."""
    good = make(deployment=deployment).answered_by(gateway)
    crashing = make(deployment=deployment).ready()
    crashing.deploy(revision="2")
    crashing.kubelet("litellm", CRASHING, revision="2")
    crashing.settle("Deployment", "litellm", "updatedReplicas", 1)
    keyless = make(deployment=deployment).ready()
    # Objects of our names without our labels are somebody else's.
    foreign = make()
    foreign.labels = {"app": "litellm"}
    foreign.deploy()
    return {
        "good": good.namespace,
        "crashing": crashing.namespace,
        "keyless": keyless.namespace,
        "gone": new_namespace(labels=_labels.ownership(deployment, "gone")),
        "foreign": foreign.namespace,
    }


def test_every_kind_of_instance_in_one_look(
    look: Callable[..., dict[str, Any]], homes: dict[str, str], deployment: str, audit: Audit
) -> None:
    result = look(deployment=deployment)

    assert result["ready"] is False
    found = by_namespace(result)
    assert set(found) == {home for name, home in homes.items() if name != "foreign"}
    assert [i["deployment"] for i in result["instances"]] == [deployment] * 4
    ready = found[homes["good"]]
    assert (ready["ready"], ready["models"], ready["via"]) == (True, 2, "proxy")
    assert 0 <= ready["age"] < 600
    bad = found[homes["crashing"]]
    assert (bad["component"], bad["phase"], bad["restarts"]) == ("litellm", "crashing", 2)
    assert "exit code 3" in bad["reason"]
    keyless, gone = found[homes["keyless"]], found[homes["gone"]]
    assert keyless["phase"] == "verifying"
    assert "litellm-secret does not exist" in keyless["reason"]
    assert (gone["name"], gone["phase"]) == ("gone", "absent")
    assert "canary" not in json.dumps(result)
    assert set(ready) == set(yaml.safe_load(instance_info.RETURN)["instances"]["contains"])

    ours = f"rhpds.litemaas%2Fdeployment%3D{deployment}"
    lists = [e["requestURI"].partition("?")[0] for e in audit.entries(containing=ours)]
    assert sorted(lists) == sorted(set(lists)), "a kind was listed twice"
    assert not audit.writes(containing=[deployment, *found])
    # Check mode sees the same.
    checked = by_namespace(look(check=True, deployment=deployment))
    assert {n: i["phase"] for n, i in checked.items()} == {n: i["phase"] for n, i in found.items()}


def test_without_asking_the_gateways(
    make: Callable[..., Instance],
    look: Callable[..., dict[str, Any]],
    deployment: str,
    audit: Audit,
) -> None:
    instance = make(deployment=deployment).ready()
    audit.mark()
    result = look(deployment=deployment, gateway=False)
    (found,) = result["instances"]
    assert (result["ready"], found["ready"], found["models"]) == (True, True, None)
    selector = f"rhpds.litemaas%2Fdeployment%3D{deployment}"
    entries = audit.entries(containing=[selector, instance.namespace])
    kinds = [entry["objectRef"]["resource"] for entry in entries]
    assert len(kinds) == len(set(kinds)) == 7, kinds
    assert "secrets" not in kinds


def test_rights_in_some_namespaces(
    make: Callable[..., Instance], look: Callable[..., dict[str, Any]]
) -> None:
    all_but_secrets = ("deployments", "statefulsets", "routes", "ingresses", "pods", "replicasets")
    instances = [make().ready() for _ in range(3)]
    for instance in instances[:2]:
        instance.grant("watcher", *all_but_secrets)
    homes = [instance.namespace for instance in instances]

    refused = look(impersonate_user="watcher", gateway=False)
    assert refused["failed"] is True
    assert "cannot list resource" in refused["msg"]
    assert "name the namespaces" in refused["msg"]

    options = {"impersonate_user": "watcher", "namespaces": homes}
    found = by_namespace(look(**options, gateway=False))
    assert [found[home]["phase"] for home in homes] == ["ready", "ready", "unknown"]
    assert "cannot list resource" in found[homes[2]]["reason"]

    asked, _second = look(**{**options, "namespaces": homes[:2]})["instances"]
    assert asked["phase"] == "verifying"
    assert "Secret litellm-secret cannot be read" in asked["reason"]


def test_nothing_deployed(look: Callable[..., dict[str, Any]], deployment: str) -> None:
    result = look(deployment=deployment)
    assert (result["ready"], result["instances"]) == (True, [])
    assert look(namespaces=["not-a-namespace-of-ours"])["instances"] == []


def test_no_cluster(run_module: RunModule) -> None:
    options = {"host": "https://127.0.0.1:9", "api_key": "x"}
    result = run_module("instance_info", options)
    assert "127.0.0.1:9" in result["msg"]
