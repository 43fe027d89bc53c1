# SPDX-License-Identifier: MIT
"""The lab enforces NetworkPolicies: real pods, real connections to a real PostgreSQL."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

IMAGE = "quay.io/sclorg/postgresql-16-c9s:20260923"
PASSWORD = "not-a-secret"  # noqa: S105
HOST_NETWORK = {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}


def pod(namespace: str, name: str, **container: Any) -> dict[str, Any]:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {"name": "main", "image": IMAGE, "securityContext": security, **container}
            ],
        },
    }


def database(namespace: str) -> dict[str, Any]:
    environment = {
        "POSTGRESQL_USER": "app",
        "POSTGRESQL_PASSWORD": PASSWORD,
        "POSTGRESQL_DATABASE": "app",
    }
    return pod(
        namespace,
        "postgres",
        env=[{"name": name, "value": value} for name, value in environment.items()],
        ports=[{"name": "postgresql", "containerPort": 5432}],
        # Comes from the node, which no policy keeps out.
        readinessProbe={"tcpSocket": {"port": 5432}, "periodSeconds": 1},
    )


def policy(namespace: str, *peers: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "postgres", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": {"app": "postgres"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": list(peers), "ports": [{"port": "postgresql"}]}],
        },
    }


def eventually(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)
    return found


class Pods:
    """The pods of two namespaces."""

    def __init__(self, client: Client, one: str, two: str) -> None:
        self.client, self.one, self.two = client, one, two

    def apply(self, *objects: dict[str, Any]) -> None:
        for item in objects:
            self.client.apply(_resources.object_path(item), item, field_manager="tests")

    def ready(self, namespace: str) -> bool:
        items = self.client.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        states = [
            {item["type"]: item["status"] for item in pod["status"].get("conditions") or ()}
            for pod in items
        ]
        return all(state.get("Ready") == "True" for state in states)

    def connects(self, namespace: str, name: str, host: str) -> str:
        """ "yes" when this pod gets an answer of the database at `host`, else what psql says."""
        shell = f"PGCONNECT_TIMEOUT=3 PGPASSWORD={PASSWORD} psql -h {host} -U app -d app -Atc 'select 42'"
        command = ["kubectl", f"--kubeconfig={os.environ['LITEMAAS_TEST_KUBECONFIG']}"]
        command += ["exec", "-n", namespace, name, "--", "/bin/bash", "-c", shell]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return "yes" if done.stdout.strip() == "42" else done.stderr


@pytest.fixture
def cluster(client: Client, new_namespace: Callable[..., str]) -> Pods:
    """In both namespaces a gateway, in the first a database that only gateways of its namespace may reach."""
    found = Pods(client, new_namespace(), new_namespace())
    for name in (found.one, found.two):
        path = f"/api/v1/namespaces/{name}"
        eventually(
            lambda path=path: "openshift.io/sa.scc.uid-range"
            in client.get(path)["metadata"].get("annotations", {}),
            "a range of user ids",
        )
    sleep = {"command": ["/bin/sleep", "3600"]}
    found.apply(
        policy(found.one, {"podSelector": {"matchLabels": {"app": "litellm"}}}),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "postgres", "namespace": found.one},
            "spec": {
                "selector": {"app": "postgres"},
                "ports": [{"name": "postgresql", "port": 5432, "targetPort": "postgresql"}],
            },
        },
        database(found.one),
        *(pod(found.one, name, **sleep) for name in ("litellm", "other")),
        pod(found.two, "litellm", **sleep),
    )
    for name in (found.one, found.two):
        eventually(lambda name=name: found.ready(name), "pods")
    return found


def through_the_router(host: str) -> int:
    """The status of a request; PostgreSQL does not speak HTTP, which the router calls a bad gateway."""
    context = ssl.create_default_context(cafile=os.environ["LITEMAAS_TEST_ROUTER_CA"])
    try:
        with urllib.request.urlopen(f"https://{host}/", timeout=60, context=context) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_only_gateways_of_the_same_namespace_reach_the_database(cluster: Pods) -> None:
    path = f"/api/v1/namespaces/{cluster.one}/pods/postgres"
    address = cluster.client.get(path)["status"]["podIP"]
    service = f"postgres.{cluster.one}.svc.cluster.local"
    # PostgreSQL may still be starting when its port is open.
    for host in (address, service):
        eventually(lambda host=host: cluster.connects(cluster.one, "litellm", host) == "yes", host)
    for namespace, name in ((cluster.one, "other"), (cluster.two, "litellm")):
        for host in (address, service):
            assert "timeout expired" in cluster.connects(namespace, name, host), (name, host)

    host = f"t{uuid.uuid4().hex[:8]}.{os.environ['LITEMAAS_TEST_APPS_DOMAIN']}"
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "postgres", "namespace": cluster.one},
        "spec": {
            "host": host,
            "to": {"kind": "Service", "name": "postgres"},
            "tls": {"termination": "edge"},
        },
    }
    cluster.apply(route)
    time.sleep(3)
    assert through_the_router(host) == 503
    cluster.apply(policy(cluster.one, {"namespaceSelector": HOST_NETWORK}))
    eventually(lambda: through_the_router(host) == 502, "the router's way to the pod")
    assert "timeout expired" in cluster.connects(cluster.one, "litellm", address)

    cluster.client.delete(
        f"/apis/networking.k8s.io/v1/namespaces/{cluster.one}/networkpolicies/postgres"
    )
    eventually(lambda: cluster.connects(cluster.two, "litellm", address) == "yes", "no policy")
