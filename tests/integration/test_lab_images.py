# SPDX-License-Identifier: MIT
"""The lab's images in pods of the cluster, under the restrictions that the role's pods have.

LiteLLM's image is tested with the role, which is what it is there for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from lablib.images import model_server, postgresql

MANIFEST = (
    Path(__file__).resolve().parents[1] / "lab" / "images" / "model-server" / "model-server.yaml"
)
FIELD_MANAGER = "tests"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
RESOURCES = {
    "requests": {"cpu": "10m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}
PASSWORD = "p@s:s/w#r?d&%+=; ,\"é$x'\\"

# Through the pod's own address, which asks for the password; 127.0.0.1 does not.
QUERY = """
until pg_isready -q; do sleep 0.2; done
psql -v ON_ERROR_STOP=1 -Atc "CREATE TABLE IF NOT EXISTS kept (word text)" \
  -c "INSERT INTO kept VALUES ('$WORD')" -c "SELECT count(*) FROM kept" || exit 1
if PGPASSWORD=wrong psql -Atc "SELECT 1"; then exit 2; fi
"""


@pytest.fixture
def restricted(client: Client, new_namespace: Callable[..., str]) -> str:
    """A namespace in which only restricted pods may run, on nodes that have the lab's images."""
    names = {
        name
        for node in client.list("/api/v1/nodes")
        for image in node["status"].get("images", [])
        for name in image["names"] or ()  # none when a newer image took them over
    }
    if model_server.IMAGE.reference not in names:
        pytest.skip("the cluster's nodes do not have the lab's images")
    name = new_namespace(labels=RESTRICTED)
    if on_openshift(client):
        # The namespace's range of user IDs comes a moment after the namespace.
        annotation = "openshift.io/sa.scc.uid-range"
        path = f"/api/v1/namespaces/{name}"
        wait_for(lambda: annotation in client.get(path)["metadata"].get("annotations", {}))
    return name


def on_openshift(client: Client) -> bool:
    return client.find("/apis/route.openshift.io/v1") is not None


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not after {seconds:.0f} s"
        time.sleep(0.5)
    return found


def pod_security(client: Client) -> dict[str, Any]:
    """OpenShift fills in the namespace's user and group; elsewhere the pod names some."""
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if on_openshift(client):
        return security
    return security | {"runAsUser": 1000650000, "fsGroup": 1000650000}


def postgres_pod(client: Client, namespace: str, name: str, password: str) -> dict[str, Any]:
    volumes = {"home": "/var/lib/pgsql", "run": "/var/run/postgresql", "tmp": "/tmp"}  # noqa: S108
    image = postgresql.IMAGE.reference
    login = {"PGUSER": "litellm", "PGDATABASE": "litellm", "PGPASSWORD": password, "WORD": name}
    address = {"name": "PGHOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    server = {
        "name": "postgres",
        "image": image,
        "args": ["run-postgresql", "-c", "work_mem=8MB"],
        "env": [
            {"name": f"POSTGRESQL_{variable}", "value": value}
            for variable, value in {
                "USER": "litellm",
                "DATABASE": "litellm",
                "PASSWORD": password.replace("$", "$$"),
            }.items()
        ],
        "volumeMounts": [
            *({"name": volume, "mountPath": path} for volume, path in volumes.items()),
            {"name": "data", "mountPath": "/var/lib/pgsql/data"},
        ],
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sh", "-c", "kill -INT 1"]}}},
    }
    query = {
        "name": "query",
        "image": image,
        "command": ["/bin/bash", "-c", QUERY],
        "env": [
            address,
            *(
                {"name": variable, "value": value.replace("$", "$$")}
                for variable, value in login.items()
            ),
        ],
    }
    for container in (server, query):
        container |= {"securityContext": CONTAINER, "resources": RESOURCES}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": pod_security(client),
            "containers": [server, query],
            "volumes": [
                *({"name": volume, "emptyDir": {}} for volume in volumes),
                {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            ],
        },
    }


def ended(client: Client, path: str, container: str) -> dict[str, Any] | None:
    """How a container ended, when it did."""
    statuses = client.get(path).get("status", {}).get("containerStatuses", [])
    state = next((each["state"] for each in statuses if each["name"] == container), {})
    return state.get("terminated")


def run_query(client: Client, namespace: str, name: str, password: str) -> str:
    """Run PostgreSQL and the query beside it, remove both, and return what the query said."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    pod = postgres_pod(client, namespace, name, password)
    client.apply(path, pod, field_manager=FIELD_MANAGER)
    state = wait_for(lambda: ended(client, path, "query"))
    said = client.text(f"{path}/log", container="query")
    assert state["exitCode"] == 0, said + client.text(f"{path}/log", container="postgres")
    client.delete(path)
    wait_for(lambda: client.find(path) is None)
    return said


def test_postgresql_keeps_data_and_takes_up_a_new_password(client: Client, restricted: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": restricted},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    path = f"/api/v1/namespaces/{restricted}/persistentvolumeclaims/data"
    client.apply(path, claim, field_manager=FIELD_MANAGER)

    def answers(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.isdigit()]

    assert answers(run_query(client, restricted, "first", PASSWORD)) == ["1"]
    assert answers(run_query(client, restricted, "second", "another")) == ["2"]


def test_model_server_answers_through_its_service(client: Client, restricted: str) -> None:
    for document in yaml.safe_load_all(MANIFEST.read_text()):
        if document["kind"] == "Namespace":
            continue
        document["metadata"]["namespace"] = restricted
        if document["kind"] == "Deployment":
            document["spec"]["template"]["spec"]["securityContext"] = pod_security(client)
        group = {
            "Deployment": f"/apis/apps/v1/namespaces/{restricted}/deployments",
            "Service": f"/api/v1/namespaces/{restricted}/services",
        }[document["kind"]]
        name = document["metadata"]["name"]
        client.apply(f"{group}/{name}", document, field_manager=FIELD_MANAGER)

    deployment = f"/apis/apps/v1/namespaces/{restricted}/deployments/model-server"
    wait_for(lambda: client.get(deployment).get("status", {}).get("readyReplicas"))

    service = f"/api/v1/namespaces/{restricted}/services/model-server:http/proxy/v1"
    assert [model["id"] for model in client.get(f"{service}/models")["data"]] == ["lab-model"]
    body = {"model": "lab-model", "messages": [{"role": "user", "content": "hello"}]}
    _, answer = client.request("POST", f"{service}/chat/completions", body=body)
    answer = json.loads(answer) if isinstance(answer, str) else answer
    assert answer["choices"][0]["message"]["content"] == "Hello from lab-model. You said: hello"
