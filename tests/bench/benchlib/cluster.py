# SPDX-License-Identifier: MIT
"""The lab with simulated nodes, and commands run inside its view of the network."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchlib.audit import Audit

ROOT = Path(__file__).resolve().parents[3]
LAB = ROOT / "tests" / "lab" / "lab"
# Few and large: nodes cost heartbeats, and 1,000 users have 2,000 pods and 1,000 volumes.
NODE_SIZE = "cpu=500,memory=2Ti,pods=500,volumes=500"
SELECTOR = "app.kubernetes.io/managed-by=rhpds.litemaas"


class Cluster:
    """The lab of this checkout, without a real node unless that is asked for."""

    def __init__(self, nodes: int) -> None:
        self._nodes = nodes

    def fresh(self, *, real: bool = False) -> None:
        """An empty cluster in place of whatever this checkout's lab holds. *real*: whose pods run."""
        self.remove()
        simulated = ("--simulated-nodes", str(self._nodes), "--simulated-node-size", NODE_SIZE)
        nodes = ("--simulated-nodes", "0") if real else ("--no-real-node", *simulated)
        subprocess.run([LAB, "up", *nodes], check=True)
        status = subprocess.run([LAB, "status", "--json"], check=True, capture_output=True)
        self._facts = json.loads(status.stdout)

    def remove(self) -> None:
        """End the lab, its data too: faster than to have Kubernetes delete thousands of objects."""
        subprocess.run([LAB, "down", "--purge"], check=True)

    @property
    def ca_file(self) -> str:
        """The CA of the router's certificate."""
        return str(self._facts["ca_file"])

    def audit(self) -> Audit:
        """The audit log from now on."""
        return Audit(Path(self._facts["audit_log"]))

    def inside(self, *command: str | Path) -> list[str]:
        """The command line of a command that sees the lab as a machine beside the cluster would."""
        return [str(LAB), "run", "--", *map(str, command)]

    def kubectl(self, *arguments: str, timeout: float = 1800) -> str:
        return subprocess.run(
            self.inside("kubectl", *arguments),
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ,
        ).stdout

    def secret(self, namespace: str, name: str, key: str) -> str:
        """One value of a Secret."""
        path = "jsonpath={.data." + key + "}"
        found = self.kubectl("get", "secret", name, "-n", namespace, "-o", path)
        return base64.b64decode(found).decode()

    def host(self, namespace: str) -> str:
        """The host of an instance's Route."""
        return self.kubectl(
            "get", "route", "litellm", "-n", namespace, "-o", "jsonpath={.spec.host}"
        )

    def objects(self, deployment: str) -> list[dict[str, Any]]:
        """Pods, Deployments and Routes of a deployment: what shows when an instance was complete."""
        selector = f"{SELECTOR},rhpds.litemaas/deployment={deployment}"
        kinds = "pods,deployments.apps,routes.route.openshift.io"
        found = self.kubectl("get", kinds, "--all-namespaces", "-l", selector, "-o", "json")
        return list(json.loads(found)["items"])

    @contextmanager
    def watch_namespaces(self, deployment: str) -> Iterator[list[float]]:
        """The moments, in seconds since 1970, when namespaces of a deployment were gone."""
        selector = f"{SELECTOR},rhpds.litemaas/deployment={deployment}"
        command = ("kubectl", "get", "namespaces", "-l", selector, "--watch-only")
        gone: list[float] = []
        with subprocess.Popen(
            self.inside(*command, "--output-watch-events", "--no-headers"),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:

            def read() -> None:
                for line in process.stdout or ():
                    if line.startswith("DELETED"):
                        gone.append(time.time())

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            time.sleep(2)  # until it watches
            try:
                yield gone
            finally:
                time.sleep(1)
                process.terminate()
                reader.join()

    def settle(self, deployment: str) -> None:
        """Wait until the cluster has done all that follows from the objects of a deployment."""
        selector = f"{SELECTOR},rhpds.litemaas/deployment={deployment}"
        every = ("-l", selector, "--all-namespaces", "--timeout=1200s")
        self.kubectl("wait", "--for=condition=Available", "deployments.apps", *every)
        self.kubectl("wait", "--for=condition=Ready", "pods", *every)
