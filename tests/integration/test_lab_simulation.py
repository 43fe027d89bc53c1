# SPDX-License-Identifier: MIT
"""Simulated nodes as a deployment sees them: pods that become ready or fail, volumes, and the gateway behind a Route."""

from __future__ import annotations

import base64
import json
import os
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client

KEY = "sk-of-this-namespace"
FAILS = "lab.test/fails"


def eventually(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


class Namespace:
    """One of this test's own, in which rules of ours may hold."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self.rules: list[str] = []

    def apply(self, *objects: dict[str, Any]) -> None:
        for item in objects:
            item["metadata"].setdefault("namespace", self.name)
            path = _resources.object_path(item)
            self.client.apply(path, item, field_manager="tests")

    def rule(self, **data: str) -> str:
        """What is to happen to the pods that are made from now on."""
        name = f"{self.name}-{len(self.rules)}"
        metadata = {"name": name, "namespace": "kube-system", "labels": {"lab.test/rule": ""}}
        data = {"namespaces": self.name, "nodes": "simulated", **data}
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        self.rules.append(name)
        time.sleep(1)  # until the API server has taken it up
        return name

    def forget(self, name: str) -> None:
        self.client.delete(f"/api/v1/namespaces/kube-system/configmaps/{name}")

    def items(self, kind: str) -> list[dict[str, Any]]:
        return list(self.client.get(f"/api/v1/namespaces/{self.name}/{kind}")["items"])

    def events(self) -> str:
        return json.dumps([(item["reason"], item.get("message")) for item in self.items("events")])

    def ready(self, kind: str, name: str) -> bool:
        item = self.client.get(f"/apis/apps/v1/namespaces/{self.name}/{kind}/{name}")
        return item["status"].get("readyReplicas") == 1


@pytest.fixture
def here(client: Client, new_namespace: Callable[..., str]) -> Iterator[Namespace]:
    nodes = client.get("/api/v1/nodes", labelSelector="lab.test/simulated")["items"]
    if not nodes:
        pytest.fail("there is no simulated node: `tests/lab/lab up --simulated-nodes 10`")
    found = Namespace(client, new_namespace())
    path = f"/api/v1/namespaces/{found.name}"
    eventually(
        lambda: "openshift.io/sa.scc.uid-range"
        in client.get(path)["metadata"].get("annotations", {}),
        "a range of user ids",
    )
    yield found
    for rule in found.rules:
        found.forget(rule)


def pod_template(name: str) -> dict[str, Any]:
    container = {
        "name": name,
        "image": f"example.com/{name}:1",
        "ports": [{"name": "http", "containerPort": 4000}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], "securityContext": security},
    }


def workload(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(name),
            **more,
        },
    }


def database() -> dict[str, Any]:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "gp3-csi",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return workload("StatefulSet", "postgres", serviceName="postgres", volumeClaimTemplates=[claim])


def answer(host: str, path: str, **headers: str) -> tuple[int, Any]:
    """(status, what the JSON says) of a request through the router."""
    context = ssl.create_default_context(cafile=os.environ["LITEMAAS_TEST_ROUTER_CA"])
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"https://{host}{path}", headers=names)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text


def test_an_instance_becomes_ready_and_its_gateway_answers(here: Namespace) -> None:
    host = f"t{uuid.uuid4().hex[:8]}.{os.environ['LITEMAAS_TEST_APPS_DOMAIN']}"
    here.rule(**{"ready-after": "4s", "objects": "litellm-.*"})
    here.rule(objects="postgres-.*")
    secret = {"LITELLM_MASTER_KEY": base64.b64encode(KEY.encode()).decode()}
    here.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "litellm-secret"},
            "data": secret,
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "litellm"},
            "spec": {
                "selector": {"app": "litellm"},
                "ports": [{"name": "http", "port": 4000, "targetPort": "http"}],
            },
        },
        {
            "apiVersion": "route.openshift.io/v1",
            "kind": "Route",
            "metadata": {"name": "litellm"},
            "spec": {
                "host": host,
                "to": {"kind": "Service", "name": "litellm"},
                "port": {"targetPort": "http"},
                "tls": {"termination": "edge"},
            },
        },
        database(),
    )
    eventually(lambda: here.ready("statefulsets", "postgres"), "the database")
    (claim,) = here.items("persistentvolumeclaims")
    path = f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}"
    volume = here.client.get(path)["spec"]
    assert volume["csi"]["driver"] == "ebs.csi.aws.com"
    assert "nodeAffinity" not in volume
    (pod,) = here.items("pods")
    assert pod["spec"]["nodeName"].startswith("simulated-")
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] >= 1_000_000_000

    here.apply(workload("Deployment", "litellm"))
    eventually(lambda: len(here.items("pods")) == 2, "the gateway's pod")
    assert not here.ready("deployments", "litellm")
    status, page = answer(host, "/health/readiness")
    assert (status, "Application is not available" in page) == (503, True)
    eventually(lambda: here.ready("deployments", "litellm"), "the gateway")
    healthy = (200, {"status": "healthy", "db": "connected"})
    eventually(lambda: answer(host, "/health/readiness") == healthy, "the stand-in")
    models = (200, {"data": [], "object": "list"})
    assert answer(host, "/v1/models", Authorization=f"Bearer {KEY}") == models
    assert answer(host, "/v1/models", x_litellm_api_key=f"Bearer {KEY}") == models
    status, said = answer(host, "/v1/models", Authorization="Bearer sk-of-another")
    assert (status, said["error"]["code"]) == (401, "401")

    here.client.delete(f"/apis/apps/v1/namespaces/{here.name}/deployments/litellm")
    eventually(lambda: answer(host, "/health/readiness")[0] == 503, "503 without endpoints")
    here.client.delete(f"/apis/apps/v1/namespaces/{here.name}/statefulsets/postgres")
    here.client.delete(
        f"/api/v1/namespaces/{here.name}/persistentvolumeclaims/{claim['metadata']['name']}"
    )
    eventually(lambda: here.client.find(path) is None, "the volume goes with its claim")


@pytest.mark.parametrize(
    "way", ["ImagePullBackOff", "CrashLoopBackOff", "OOMKilled", "ContainerCreating", "NotReady"]
)
def test_a_pod_fails_as_wanted_until_the_label_is_taken_away(here: Namespace, way: str) -> None:
    here.rule(objects="other-.*")
    rule = here.rule(fails=way, objects="litellm-.*")
    here.apply(workload("Deployment", "litellm"), workload("Deployment", "other"))

    def container() -> dict[str, Any]:
        (pod,) = (
            pod for pod in here.items("pods") if pod["metadata"]["labels"]["app"] == "litellm"
        )
        return dict((pod["status"].get("containerStatuses") or [{}])[0])

    eventually(lambda: len(here.items("pods")) == 2, "the pods")
    status = eventually(container, "a status")
    assert status["ready"] is False
    if way == "NotReady":
        assert "running" in status["state"]
    elif way == "OOMKilled":
        assert status["lastState"]["terminated"]["reason"] == way
    else:
        assert status["state"]["waiting"]["reason"] == way
    eventually(lambda: here.ready("deployments", "other"), "what no rule is for")
    eventually(lambda: "Warning" in json.dumps(here.items("events")), "an event")
    assert not here.ready("deployments", "litellm")

    here.forget(rule)
    for pod in here.items("pods"):
        path = _resources.object_path({"apiVersion": "v1", "kind": "Pod", **pod})
        here.client.request(
            "PATCH",
            path,
            body={"metadata": {"labels": {FAILS: None}}},
            content_type="application/merge-patch+json",
        )
    eventually(lambda: here.ready("deployments", "litellm"), "the mended pod")


def test_no_node_no_quota_no_volume(here: Namespace) -> None:
    for way, name in (
        ("Unschedulable", "nowhere-.*"),
        ("ExceededQuota", "refused-.*"),
        ("ProvisioningFailed", "data-postgres-.*"),
    ):
        here.rule(fails=way, objects=name)
    here.rule(objects="postgres-.*")
    here.apply(workload("Deployment", "nowhere"), workload("Deployment", "refused"), database())
    for words in ("didn't match Pod's node", "exceeded quota: lab", "failed to provision volume"):
        eventually(lambda words=words: words in here.events(), words)
    (claim,) = here.items("persistentvolumeclaims")
    assert claim["status"]["phase"] == "Pending"


def test_an_ordinary_pod_keeps_to_the_real_node_where_there_is_one(here: Namespace) -> None:
    try:
        here.client.get("/api/v1/nodes/node1")
        expected = "node1"
    except ApiError:
        expected = "simulated-"
    here.apply(workload("Deployment", "ordinary"))

    def scheduled() -> str:
        return "".join(pod["spec"].get("nodeName", "") for pod in here.items("pods"))

    assert str(eventually(scheduled, "a node")).startswith(expected)
