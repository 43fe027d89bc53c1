# SPDX-License-Identifier: MIT
"""Readiness against a real API server and its controllers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .played import MERGE, RUNNING, Instance, StandIn

ROOT = Path(__file__).resolve().parents[2]
CRASHING = {
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
    "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
    "restartCount": 2,
}
INVALID = {"state": {"waiting": {"reason": "InvalidImageName", "message": "must be lowercase"}}}


@pytest.fixture(name="wait")
def _wait(run_module: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """wait(instance, …, timeout=3): the module's result, with the seconds it took."""

    def wait(*instances: Instance, check: bool = False, **options: Any) -> dict[str, Any]:
        args = {"instances": [i.planned for i in instances], "gateway": False, "timeout": 3}
        began = time.monotonic()
        result = run_module("readiness", {**args, **options}, check=check)
        assert result.get("changed", False) is False
        assert len(result["instances"]) == len(instances)
        return {**result, "seconds": time.monotonic() - began}

    return wait


def the_only(result: dict[str, Any]) -> dict[str, Any]:
    """The one instance, which is not ready; the failure says the same."""
    assert result["failed"] is True
    (found,) = result["instances"]
    assert found["reason"] in result["msg"]
    return found


def test_ready_costs_three_requests(
    make: Callable[..., Instance], wait: Callable[..., Any], audit: Any
) -> None:
    instance = make().ready()
    audit.mark()
    result = wait(instance)
    assert result["ready"] is True
    assert result["instances"][0]["phase"] == "ready"
    requests = [entry["requestURI"] for entry in audit.entries(containing=instance.namespace)]
    assert len(requests) == 3, requests
    assert not audit.writes(containing=instance.namespace)


def test_many_instances_are_listed_together(
    make: Callable[..., Instance], wait: Callable[..., Any], audit: Any
) -> None:
    instances = [make().ready() for _ in range(3)]
    audit.mark()
    assert wait(*instances)["ready"] is True
    uris = {
        entry["requestURI"].partition("?")[0]
        for entry in audit.entries(containing="rhpds.litemaas%2Fdeployment%3Dtest")
    }
    assert {"/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"} <= uris


def test_the_old_pod_is_ready_and_the_new_one_is_not(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instance = make().ready()
    instance.deploy(revision="2")
    instance.kubelet("litellm", CRASHING, revision="2")
    instance.settle("Deployment", "litellm", "updatedReplicas", 1)
    found = the_only(wait(instance))
    assert (found["component"], found["phase"]) == ("litellm", "crashing")
    assert "exit code 3, 2 restarts" in found["reason"]
    instance.kubelet("litellm", RUNNING, ready=True, revision="2")
    assert wait(instance, timeout=15)["ready"] is True


def test_running_is_not_ready(make: Callable[..., Instance], wait: Callable[..., Any]) -> None:
    instance = make().deploy()
    for app in ("postgres", "litellm"):
        instance.kubelet(app, {**RUNNING, "started": False})
    found = the_only(wait(instance))
    assert (found["component"], found["phase"]) == ("postgres", "starting")


def test_a_database_pod_on_its_way_out_is_not_ready(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instance = make().ready()
    (pod,) = instance.pods("postgres")
    path = _resources.object_path(pod)
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    instance.client.request("PATCH", path, body=held, content_type=MERGE)
    instance.client.delete(path)
    try:
        found = the_only(wait(instance))
        assert found["component"] == "postgres"
        # The StatefulSet's controller may have noticed before we look.
        noticed = ("is being deleted", "0 of 1 pods are available")
        assert any(words in found["reason"] for words in noticed), found["reason"]
    finally:
        none = {"metadata": {"finalizers": None}}
        instance.client.request("PATCH", path, body=none, content_type=MERGE)


def test_a_quota_refuses_the_pods_of_both_kinds(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instance = make()
    instance.apply("v1", "ResourceQuota", "small", spec={"hard": {"requests.memory": "64Mi"}})
    instance.deploy()
    found = the_only(wait(instance))
    # A StatefulSet says so in an event only.
    assert (found["component"], found["phase"]) == ("postgres", "refused")
    assert "exceeded quota: small, requested: requests.memory=1Gi" in found["reason"]


def test_pod_security_refuses_the_pods(
    client: Client, new_namespace: Callable[..., str], wait: Callable[..., Any]
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    instance = Instance(client, new_namespace(labels=labels), hostNetwork=True).deploy()
    found = the_only(wait(instance))
    assert found["phase"] == "refused"
    assert 'violates PodSecurity "restricted' in found["reason"]


def test_no_node_fits_in_the_schedulers_words(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    pod = {"schedulerName": "default-scheduler", "nodeSelector": {"test": "nowhere"}}
    found = the_only(wait(make(**pod).deploy()))
    assert found["phase"] == "pending"
    assert "no node can take pod postgres-0: " in found["reason"]


def test_a_storage_class_that_does_not_exist(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instance = make()
    claim = {
        "metadata": {"name": "data", "labels": instance.labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "not-here",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    instance.workload(
        "StatefulSet", "postgres", serviceName="postgres", volumeClaimTemplates=[claim]
    )
    instance.workload("Deployment", "litellm")
    # The controller looks at claims every now and then.
    found = the_only(wait(instance, timeout=20))
    assert (found["component"], found["phase"]) == ("postgres", "pending")
    assert 'storageclass.storage.k8s.io "not-here" not found' in found["reason"]


def test_one_that_cannot_come_does_not_keep_the_others_from_coming(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    lost, good = make().deploy(), make().ready()
    lost.kubelet("postgres", INVALID)
    result = wait(lost, good, timeout=120)
    assert [i["ready"] for i in result["instances"]] == [False, True]
    assert result["instances"][0]["phase"] == "image"
    assert "1 of 2 instances" in result["msg"]
    assert good.namespace not in result["msg"]
    assert 10 <= result["seconds"] < 120, "given up after a grace, before the timeout"


def test_a_namespace_that_goes_away(
    client: Client, make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instance = make().deploy()
    finalizers = {"metadata": {"finalizers": ["example.com/held"]}}
    metadata = {"name": "litellm", "namespace": instance.namespace}
    path = _resources.object_path(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    )
    client.request("PATCH", path, body=finalizers, content_type=MERGE)
    try:
        client.delete(f"/api/v1/namespaces/{instance.namespace}")
        time.sleep(1)
        found = the_only(wait(instance))
        assert found["phase"] == "terminating"
        assert f"namespace {instance.namespace} is being deleted" in found["reason"]
    finally:
        none = {"metadata": {"finalizers": None}}
        client.request("PATCH", path, body=none, content_type=MERGE)


def test_check_mode_reports_and_neither_waits_nor_fails(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    nothing, good = make(), make().ready()
    result = wait(nothing, good, check=True, timeout=60, gateway=True)
    assert "failed" not in result
    assert result["ready"] is False
    assert result["seconds"] < 60, "before the timeout"
    assert [i["phase"] for i in result["instances"]] == ["absent", "verifying"]
    assert "litellm-secret does not exist" in result["instances"][1]["reason"]


def test_a_host_that_another_route_has(
    client: Client, make: Callable[..., Instance], wait: Callable[..., Any], domain: str
) -> None:
    if not _resources.exists(client, "route.openshift.io/v1", "Route"):
        pytest.skip("this cluster has no Routes")
    first, second = make().ready(), make().ready()
    host = f"{first.namespace}.{domain}"
    first.route(host)
    assert wait(first, timeout=20)["ready"] is True
    time.sleep(1.1)  # creation times are whole seconds, and the older route holds the host
    second.route(host)
    result = wait(first, second, timeout=60)
    assert [i["ready"] for i in result["instances"]] == [True, False]
    reason = result["instances"][1]["reason"]
    assert f"Route {first.namespace}/litellm has the host {host} already" in reason
    assert result["seconds"] < 45, "given up after a grace"


def test_the_gateway_through_the_service_proxy(
    make: Callable[..., Instance], wait: Callable[..., Any], gateway: StandIn
) -> None:
    result = wait(make().answered_by(gateway), gateway=True, timeout=20)
    (found,) = result["instances"]
    assert (found["ready"], found["via"], found["models"]) == (True, "proxy", 2)
    assert "no address outside the cluster" in found["via_reason"]
    assert "canary" not in json.dumps(result)


@pytest.mark.parametrize("resolves", [True, False])
def test_the_gateway_through_the_route_where_it_resolves(
    make: Callable[..., Instance],
    wait: Callable[..., Any],
    gateway: StandIn,
    domain: str,
    *,
    resolves: bool,
) -> None:
    instance = make().answered_by(gateway)
    if not _resources.exists(instance.client, "route.openshift.io/v1", "Route"):
        pytest.skip("this cluster has no Routes")
    instance.route(f"{instance.namespace}.{domain if resolves else 'apps.invalid'}")
    (found,) = wait(instance, gateway=True, timeout=30)["instances"]
    assert (found["ready"], found["models"]) == (True, 2)
    assert found["via"] == ("route" if resolves else "proxy")
    assert ("does not resolve here" in found["via_reason"]) is not resolves


def test_a_gateway_with_another_key_or_without_its_database(
    make: Callable[..., Instance], wait: Callable[..., Any], gateway: StandIn
) -> None:
    instance = make().answered_by(gateway)
    gateway.database = "Not connected"
    found = the_only(wait(instance, gateway=True))
    assert (found["component"], found["phase"]) == ("gateway", "verifying")
    assert "without its database" in found["reason"]
    gateway.database, gateway.key = "connected", "sk-another"
    result = wait(instance, gateway=True)
    found = the_only(result)
    assert "refuses the master key of Secret litellm-secret (401" in found["reason"]
    assert "canary" not in json.dumps(result)


def test_rights_in_the_namespaces_are_enough(
    make: Callable[..., Instance], wait: Callable[..., Any]
) -> None:
    instances = [make().ready() for _ in range(3)]
    for instance in instances[:2]:
        instance.grant("limited")
    result = wait(*instances, impersonate_user="limited")
    assert [i["phase"] for i in result["instances"]] == ["ready", "ready", "unknown"]
    assert "cannot list resource" in result["instances"][2]["reason"]


def test_lines_of_progress_while_waiting(
    make: Callable[..., Instance], kubeconfig: str, tmp_path: Path
) -> None:
    instance = make().deploy()
    task = {
        "name": "Wait",
        "rhpds.litemaas.readiness": {
            # More than the module knows: the whole plan is handed over in a role.
            "instances": [{**instance.planned, "litellm": {"replicas": 1}}],
            "timeout": 24,
            "gateway": False,
        },
    }
    playbook = tmp_path / "wait.json"
    playbook.write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}])
    )
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook)]
    environment = {**os.environ, "KUBECONFIG": kubeconfig, "ANSIBLE_NOCOLOR": "1"}
    environment["ANSIBLE_PYTHON_INTERPRETER"] = sys.executable
    with subprocess.Popen(
        [*command, "-i", "localhost,", "-c", "local"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        lines = [(time.monotonic(), line) for line in process.stdout]
    text = "".join(line for _when, line in lines)
    assert process.returncode == 2, text
    assert "[WARNING]" not in text
    told = [when for when, line in lines if "1 instance: postgres 0/1 ready" in line]
    assert len(told) >= 3, text
    assert max(b - a for a, b in zip(told, told[1:], strict=False)) <= 10.5, text
