# SPDX-License-Identifier: MIT
"""Ten users' credentials and objects, while one request in ten meets trouble on its way to a real API server.

What one client makes of one answer is in test_client.py; here is what must hold of the whole: everything comes to be, nothing
twice, no credential is born anew, and the next run finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Inventory

from .conftest import Audit, RunModule
from .faults import BROKEN, DROPPED, LOST, Fault, FaultyServer, faulty
from .test_credentials import LITELLM, POSTGRES, Deployment
from .test_manifests import instance

USERS = 10
BORN = ("Namespace", "Secret")  # by the module credentials
# What one request in ten meets, in turn.
FAULTS = {
    "refused": (Fault(429, retry_after="1"), Fault(500)),
    "cut off": (Fault(DROPPED), Fault(LOST), Fault(BROKEN)),
    "late": (Fault(delay=1.0),),
}
SLOW_LIST = Fault(delay=3.0)

Run = Callable[..., dict[str, Any]]
Decide = Callable[[int, str, str], Fault | None]


def in_turn(name: str) -> Decide:
    """One request in ten meets trouble; where all are late, so is every LIST."""
    faults = FAULTS[name]

    def meets(count: int, method: str, path: str) -> Fault | None:
        if name == "late" and method == "GET" and "labelSelector=" in path:
            return SLOW_LIST
        return faults[count // 10 % len(faults)] if count % 10 == 0 else None

    return meets


@pytest.fixture(name="trouble")
def _trouble(client: Client) -> Iterator[FaultyServer]:
    with faulty(client.connection) as server:
        yield server


@pytest.fixture(name="run")
def _run(run_module: RunModule, trouble: FaultyServer) -> Run:
    """run("module", …options): its result, on the way through the trouble."""
    reach = {"host": trouble.url, "api_key": "held-by-the-proxy"}
    return lambda module, **options: run_module(module, {**reach, **options}, environment={})


@pytest.fixture(name="deployment")
def _deployment(client: Client, new_namespace: Callable[..., str]) -> Deployment:
    return Deployment(client, new_namespace, USERS)


def manifests(deployment: Deployment) -> str:
    """All objects of all users but what the credentials module makes."""
    documents = [
        document
        for home in deployment.homes
        for document in yaml.safe_load_all(instance(home, deployment.homes[0]))
        if document and document["kind"] not in BORN
    ]
    return yaml.safe_dump_all(documents)


def planned(deployment: Deployment) -> list[dict[str, Any]]:
    """The instances, with the labels that the objects of `manifests` bear."""
    labels = _labels.deployment_labels(deployment.homes[0])
    return [
        {"name": each["name"], "namespace": each["namespace"], "labels": labels}
        for each in deployment.instances
    ]


def wanted(deployment: Deployment, text: str) -> list[tuple[str, str, str]]:
    """(kind, namespace, name) of everything there is to be."""
    found = [
        (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
        for each in yaml.safe_load_all(text)
    ]
    for home in deployment.homes:
        found += [("Secret", home, name) for name in (LITELLM, POSTGRES)]
        found.append(("Namespace", "", home))
    return sorted(found)


def there_is(deployment: Deployment) -> list[tuple[str, str, str]]:
    selector = f"rhpds.litemaas/deployment={deployment.homes[0]}"
    found = Inventory(deployment.client, selector, ()).find()
    return sorted((each.kind, each.namespace, each.name) for each in found)


@pytest.mark.parametrize("name", FAULTS)
def test_ten_users_come_and_go_once(
    name: str, trouble: FaultyServer, run: Run, deployment: Deployment, audit: Audit
) -> None:
    trouble.fault = in_turn(name)
    text = manifests(deployment)
    selector = {"rhpds.litemaas/deployment": deployment.homes[0]}

    assert run("credentials", **deployment.arguments)["changed"]
    assert run("manifests", manifests=text)["changed"]
    assert there_is(deployment) == wanted(deployment, text)
    born = deployment.everything()
    assert all(born)

    time.sleep(0.5)  # the audit log is written after the answer
    audit.mark()
    assert not run("credentials", **deployment.arguments)["changed"]
    assert not run("manifests", manifests=text)["changed"]
    assert deployment.everything() == born
    assert deployment.writes(audit) == []

    looked = run("instance_info", deployment=deployment.homes[0], gateway=False)
    assert [each["namespace"] for each in looked["instances"]] == deployment.homes
    waited = run("readiness", instances=planned(deployment), timeout=0, gateway=False)
    # As the fixture has them: every object was seen, none got lost on the way.
    assert all("is scaled to 0 pods" in each["reason"] for each in waited["instances"])

    removed = run("manifests", state="absent", selector=selector, wait_timeout=300)
    assert not removed.get("failed"), removed
    assert there_is(deployment) == []
    assert trouble.met > 5, "hardly anything was injected"
