# SPDX-License-Identifier: MIT
"""A PostgreSQL that is there already: a server of the site's with a database for each instance, and Secrets with their URLs."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any
from urllib.parse import quote

from . import in_pods

# The role's own image, so that nothing else has to be there.
IMAGE = "quay.io/sclorg/postgresql-16-c9s:20260923"
USER = "site"
PASSWORD = 'CanarySite-p@s:s/w#r?d&%+=;,"é$x'
_FOLDERS = {
    "home": "/var/lib/pgsql",
    "data": "/var/lib/pgsql/data",
    "run": "/var/run/postgresql",
    "tmp": "/tmp",  # noqa: S108
}


class SiteDatabase:
    """One server in a namespace of its own, without a volume."""

    def __init__(self, client: Any) -> None:
        self.client, self.namespace = client, f"site-{uuid.uuid4().hex[:8]}"

    def start(self) -> SiteDatabase:
        self._apply("/api/v1/namespaces", "v1", "Namespace", self.namespace)
        self._wait_for_ids()
        self.secret("server", password=PASSWORD)
        labels = {"app": "site-database"}
        self._apply(
            self._path("/api/v1", "services"),
            *("v1", "Service", "db"),
            spec={"selector": labels, "ports": [{"port": 5432}]},
        )
        self._apply(
            self._path("/apis/apps/v1", "deployments"),
            *("apps/v1", "Deployment", "db"),
            spec={
                "selector": {"matchLabels": labels},
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": labels}, "spec": self._pod()},
            },
        )
        deadline = time.monotonic() + 240
        ready = ("psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "site", "-c", "SELECT 1")
        while in_pods.run(self.namespace, "deploy/db", *ready).returncode:
            assert time.monotonic() < deadline, "the site's database does not come up"
            time.sleep(1)
        return self

    def database(self, name: str, query: str = "") -> str:
        """The URL of a new database."""
        self.sql(f'CREATE DATABASE "{name}" OWNER {USER}')
        return self.url(name, query)

    def url(self, name: str, query: str = "") -> str:
        user = f"{USER}:{quote(PASSWORD, safe='')}"
        return f"postgresql://{user}@db.{self.namespace}.svc:5432/{name}{query}"

    def secret(self, name: str, **data: str) -> None:
        """Write a Secret as its owner does."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        self._apply(self._path("/api/v1", "secrets"), "v1", "Secret", name, data=encoded)

    def sql(self, statement: str, database: str = "site") -> str:
        asked = ("psql", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-AtXc", statement)
        done = in_pods.run(self.namespace, "deploy/db", *asked)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        self.client.delete(f"/api/v1/namespaces/{self.namespace}")

    def _path(self, group: str, kind: str) -> str:
        return f"{group}/namespaces/{self.namespace}/{kind}"

    def _apply(self, path: str, version: str, kind: str, name: str, **content: Any) -> None:
        metadata = {"name": name} | ({} if kind == "Namespace" else {"namespace": self.namespace})
        body = {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
        self.client.apply(f"{path}/{name}", body, field_manager="tests")

    def _wait_for_ids(self) -> None:
        """The namespace's range of user IDs comes a moment after the namespace."""
        for _attempt in range(50):
            live = self.client.get(f"/api/v1/namespaces/{self.namespace}")["metadata"]
            if "openshift.io/sa.scc.uid-range" in live.get("annotations", {}):
                return
            time.sleep(0.2)

    def _pod(self) -> dict[str, Any]:
        password = {"secretKeyRef": {"name": "server", "key": "password"}}
        return {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "db",
                    "image": IMAGE,
                    "env": [
                        {"name": "POSTGRESQL_USER", "value": USER},
                        {"name": "POSTGRESQL_DATABASE", "value": "site"},
                        {"name": "POSTGRESQL_PASSWORD", "valueFrom": password},
                    ],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "128Mi"},
                        "limits": {"cpu": "1", "memory": "512Mi"},
                    },
                    "volumeMounts": [
                        {"name": name, "mountPath": path} for name, path in _FOLDERS.items()
                    ],
                }
            ],
            "volumes": [{"name": name, "emptyDir": {}} for name in _FOLDERS],
        }
