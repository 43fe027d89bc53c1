# SPDX-License-Identifier: MIT
"""Instances on a real API server whose pods and gateways are played by the test.

No node is needed: the pods ask for a scheduler that does not exist, and the tests play the kubelet
by writing their status. Everything derived from it, from ReplicaSets to conditions and events, is
the cluster's own doing.
"""

from __future__ import annotations

import base64
import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

MERGE = "application/merge-patch+json"
RUNNING = {"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "started": True}


class Instance:
    """One instance without pods that run: StatefulSet postgres and Deployment litellm."""

    def __init__(
        self, client: Client, namespace: str, *, deployment: str = "test", **pod: Any
    ) -> None:
        self.client, self.namespace, self.pod = client, namespace, pod
        self.labels = _labels.ownership(deployment, namespace)
        self.expose, self.host = "none", ""

    @property
    def planned(self) -> dict[str, Any]:
        """What the plan says of it."""
        return {
            "name": self.namespace,
            "namespace": self.namespace,
            "labels": self.labels,
            "expose": self.expose,
            "host": self.host,
            "url": f"https://{self.host}" if self.host else "",
        }

    def apply(self, api_version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self.namespace, "labels": self.labels}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
        path = _resources.object_path(body)
        return self.client.apply(path, body, field_manager="tests")[1]

    def workload(self, kind: str, name: str, *, revision: str = "1", **spec: Any) -> None:
        template = {
            "metadata": {
                "labels": {**self.labels, "app": name},
                "annotations": {"revision": revision},
            },
            "spec": {
                "schedulerName": "played-by-the-test",
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": name,
                        "image": "x",
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                    }
                ],
                **self.pod,
            },
        }
        selector = {"matchLabels": {"app": name}}
        self.apply("apps/v1", kind, name, spec={"selector": selector, "template": template, **spec})

    def deploy(self, *, revision: str = "1") -> Instance:
        self.workload("StatefulSet", "postgres", serviceName="postgres")
        self.workload("Deployment", "litellm", revision=revision)
        return self

    def pods(self, app: str, revision: str = "1") -> list[dict[str, Any]]:
        """The pods of a revision, once there are any."""
        for _attempt in range(100):
            path = _resources.collection_path("v1", "Pod", self.namespace)
            found = [
                pod
                for pod in self.client.list(path, label_selector=f"app={app}")
                if pod["metadata"]["annotations"]["revision"] == revision
            ]
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"no pod of {app} in {self.namespace}")

    def kubelet(
        self,
        app: str,
        container: dict[str, Any],
        *,
        ready: bool = False,
        revision: str = "1",
        address: str = "",
    ) -> None:
        """Say of the pods what a kubelet would."""
        for pod in self.pods(app, revision):
            state = {"restartCount": 0, "image": "x", "imageID": "", **container}
            conditions = [
                {"type": "PodScheduled", "status": "True"},
                {
                    "type": "Ready",
                    "status": str(ready),
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                },
            ]
            status = {
                "phase": "Running",
                "conditions": conditions,
                "containerStatuses": [{"name": app, "ready": ready, **state}],
            }
            if address:
                status |= {"podIP": address, "podIPs": [{"ip": address}]}
            path = f"{_resources.object_path(pod)}/status"
            self.client.request("PATCH", path, body={"status": status}, content_type=MERGE)

    def ready(self) -> Instance:
        """Deploy it with pods that are ready, and let the controllers see it."""
        self.deploy()
        for app in ("postgres", "litellm"):
            self.kubelet(app, RUNNING, ready=True)
        self.settle("Deployment", "litellm", "availableReplicas", 1)
        self.settle("StatefulSet", "postgres", "availableReplicas", 1)
        return self

    def answered_by(self, gateway: StandIn) -> Instance:
        """Give it a ready pod with the stand-in's address, its Service, and the Secret."""
        self.ready()
        self.kubelet("litellm", RUNNING, ready=True, address=gateway.address)
        # No selector: the controllers want a node behind a pod; the API server, for its proxy, a pod.
        self.apply("v1", "Service", "litellm", spec={"ports": [{"name": "http", "port": 4000}]})
        name = self.pods("litellm")[0]["metadata"]["name"]
        pod = {"kind": "Pod", "name": name, "namespace": self.namespace}
        subset = {
            "addresses": [{"ip": gateway.address, "targetRef": pod}],
            "ports": [{"name": "http", "port": gateway.port}],
        }
        self.apply("v1", "Endpoints", "litellm", subsets=[subset])
        key = base64.b64encode(gateway.key.encode()).decode()
        self.apply("v1", "Secret", "litellm-secret", data={"LITELLM_MASTER_KEY": key})
        return self

    def route(self, host: str) -> None:
        """Expose it under a host."""
        self.expose, self.host = "route", host
        target = {"kind": "Service", "name": "litellm"}
        spec = {"host": host, "to": target, "tls": {"termination": "edge"}}
        self.apply("route.openshift.io/v1", "Route", "litellm", spec=spec)

    def grant(self, user: str, *resources: str) -> None:
        """Let a user read these kinds in its namespace (all when none is named) and nothing else."""
        rules = [{"apiGroups": ["*"], "resources": [*resources] or ["*"], "verbs": ["get", "list"]}]
        group = "rbac.authorization.k8s.io"
        self.apply(f"{group}/v1", "Role", "reader", rules=rules)
        subject = {"kind": "User", "name": user, "apiGroup": group}
        role = {"kind": "Role", "name": "reader", "apiGroup": group}
        self.apply(f"{group}/v1", "RoleBinding", "reader", subjects=[subject], roleRef=role)

    def settle(self, kind: str, name: str, field: str, value: int) -> None:
        metadata = {"name": name, "namespace": self.namespace}
        path = _resources.object_path({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata})
        for _attempt in range(100):
            if self.client.get(path).get("status", {}).get(field) == value:
                return
            time.sleep(0.1)
        raise AssertionError(f"{field} of {kind} {name} does not become {value}")


class StandIn:
    """Answers like a gateway, at the address by which this machine reaches the API server.

    ``handler`` is for whoever serves it, and tells ``port``.
    """

    def __init__(self, api: str) -> None:
        url = urlsplit(api)
        with socket.create_connection((url.hostname, url.port), 10) as connection:
            self.address = connection.getsockname()[0]
        self.key, self.database = "sk-canary0123456789abcdef0123456789abcdef", "connected"
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                names = ("Authorization", "x-litellm-api-key")
                given = [self.headers[name] for name in names if self.headers[name]]
                status, body = 200, {"status": "healthy", "db": stand_in.database}
                if self.path == "/v1/models":
                    body = {"data": [{"id": "a"}, {"id": "b"}]}
                    if given != [f"Bearer {stand_in.key}"]:
                        error = {"message": f"Invalid key {given}", "type": "auth_error"}
                        status, body = 401, {"error": error}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.handler, self.port = Handler, 0
