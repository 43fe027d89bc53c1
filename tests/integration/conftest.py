# SPDX-License-Identifier: MIT
"""What tests against a real API server share.

`make test` sets the environment from the lab. Another cluster works too, where its owner says so by
LITEMAAS_TEST_KUBECONFIG; a KUBECONFIG that happens to be set is never touched. No cluster is a
failure and not a skip.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _client

from .. import loopback
from .played import Instance, StandIn

ROOT = Path(__file__).resolve().parents[2]
MODULES = "ansible_collections.rhpds.litemaas.plugins.modules"
WRITES = ("create", "update", "patch", "delete", "deletecollection")
REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")
USER_AGENT = "rhpds.litemaas"

RunModule = Callable[..., dict[str, Any]]


def _required(name: str, what: str) -> str:
    value = os.environ.get(name, "")
    if not Path(value).is_file():
        pytest.fail(
            f"{name} must be the path of {what}, got {value!r}: run `make test`, which sets it"
        )
    return value


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """The path of a kubeconfig with the rights of an administrator."""
    return _required("LITEMAAS_TEST_KUBECONFIG", "a kubeconfig")


@pytest.fixture(scope="session")
def client(kubeconfig: str) -> _client.Client:
    """Our own client, as administrator."""
    return _client.connect({"kubeconfig": kubeconfig})


@pytest.fixture
def new_namespace(client: _client.Client) -> Iterator[Callable[..., str]]:
    """Makes namespaces with names nobody else has; they are deleted after the test."""
    made: list[str] = []

    def make(*, create: bool = True, labels: dict[str, str] | None = None) -> str:
        name = f"test-{uuid.uuid4().hex[:10]}"
        made.append(name)
        if create:
            metadata = {"name": name, "labels": labels or {}}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            client.apply(f"/api/v1/namespaces/{name}", body, field_manager="tests")
        return name

    yield make
    client.each(lambda name: client.delete(f"/api/v1/namespaces/{name}"), made)


@pytest.fixture
def namespace(new_namespace: Callable[..., str]) -> str:
    """A fresh namespace that does not carry our labels."""
    return new_namespace()


class Audit:
    """What the API server wrote down since a mark: one entry a request, as it saw it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._offset = 0
        self.mark()

    def mark(self) -> None:
        """Forget everything so far."""
        self._offset = os.path.getsize(self._path)

    def entries(
        self, *, user_agent: str = USER_AGENT, containing: str | Sequence[str] = ""
    ) -> list[dict[str, Any]]:
        """Return a client's finished requests, those whose URI contains one of the texts.

        A test names its own namespaces and labels: others may use the same cluster.
        """
        texts = [containing] if isinstance(containing, str) else containing
        with open(self._path, encoding="utf-8") as stream:
            stream.seek(self._offset)
            lines = [line for line in stream if line.endswith("\n")]
        return [
            entry
            for entry in map(json.loads, lines)
            if entry.get("stage") == "ResponseComplete"
            and entry.get("userAgent", "").startswith(user_agent)
            and any(text in entry["requestURI"] for text in texts)
        ]

    def writes(
        self, *, user_agent: str = USER_AGENT, containing: str | Sequence[str] = ""
    ) -> list[str]:
        """Return "verb URI" of what wrote: neither dry runs nor access reviews, which store nothing."""
        return [
            f"{entry['verb']} {entry['requestURI']}"
            for entry in self.entries(user_agent=user_agent, containing=containing)
            if entry["verb"] in WRITES
            and "dryRun=All" not in entry["requestURI"]
            and not entry["requestURI"].startswith(REVIEWS)
        ]


@pytest.fixture
def audit() -> Audit:
    """The API server's audit log from now on."""
    return Audit(_required("LITEMAAS_TEST_AUDIT_LOG", "the API server's audit log"))


@pytest.fixture(scope="session")
def run_module(kubeconfig: str) -> RunModule:
    """Runs a module of this collection in a process of its own: run_module("manifests", {…}).

    Its arguments go through its standard input, as with Ansible's pipelining. Returns the module's
    result; with ``failed`` when it failed. Anything else on its output is a failure of the test.
    """

    def run(
        name: str,
        args: dict[str, Any],
        *,
        check: bool = False,
        diff: bool = False,
        environment: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        internal = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_version": ""}
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("K8S_AUTH_") and key != "KUBECONFIG"
        }
        finished = subprocess.run(
            [sys.executable, "-m", f"{MODULES}.{name}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": {**args, **internal}}),
            env={
                **inherited,
                "PYTHONPATH": str(ROOT / "collections"),
                **({"KUBECONFIG": kubeconfig} if environment is None else environment),
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert not finished.stderr, finished.stderr
        result = json.loads(finished.stdout)
        assert bool(finished.returncode) == bool(result.get("failed")), finished.stdout
        return result

    return run


@pytest.fixture
def gateway(client: _client.Client, domain: str) -> Iterator[StandIn]:
    """A gateway that the cluster can reach."""
    try:
        socket.getaddrinfo(f"gateway.{domain}", 443)
    except socket.gaierror:
        pytest.skip("the cluster cannot reach a server of this test: run it by tests/on-lab")
    stand_in = StandIn(client.connection.host)
    with loopback.serving(stand_in.handler, address=stand_in.address) as url:
        stand_in.port = urlsplit(url).port or 0
        yield stand_in


@pytest.fixture
def domain() -> str:
    """The domain below which hosts lead to the cluster's router."""
    return os.environ["LITEMAAS_TEST_APPS_DOMAIN"]


@pytest.fixture
def make(client: _client.Client, new_namespace: Callable[..., str]) -> Callable[..., Instance]:
    """make(deployment="…", **pod) is an instance in a namespace of its own, not deployed yet."""
    return lambda **more: Instance(client, new_namespace(), **more)
