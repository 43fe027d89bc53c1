# SPDX-License-Identifier: MIT
"""What is read about an instance that stands still, and what of a log is worth showing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _details
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor

from .readiness_cluster import Cluster, instance

HOST = "litellm-rhpds.apps.example.com"
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "lab-user1"}}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab-user1"}}
SOURCE = v.LogSource("postgres-0", "postgres", True)


def read(cluster: Cluster, *verdicts: v.Verdict) -> _details.Details:
    target = instance("user1", host=HOST)
    return _details.details(cluster, target, list(verdicts))  # type: ignore[arg-type]


def route(namespace: str, created: str, host: str = HOST) -> dict[str, Any]:
    metadata = {"name": "gateway", "namespace": namespace, "creationTimestamp": created}
    return {"kind": "Route", "metadata": metadata, "spec": {"host": host}}


def test_events_and_the_namespace() -> None:
    cluster = Cluster(EVENT, NAMESPACE)
    found = read(cluster, v.trouble("litellm", v.CRASHING, "x"))
    assert (found.events, found.namespace, found.namespace_read) == ((EVENT,), NAMESPACE, True)
    assert cluster.calls == [
        "/api/v1/namespaces/lab-user1/events",
        "/api/v1/namespaces/lab-user1",
    ]


def test_a_namespace_that_is_gone() -> None:
    cluster = Cluster(EVENT)
    cluster.gone = {"lab-user1"}
    found = read(cluster, v.permanent("litellm", v.ABSENT, "x", 10))
    assert (found.namespace, found.namespace_read) == (None, True)


def test_nothing_may_be_read() -> None:
    cluster = Cluster(EVENT, NAMESPACE)
    cluster.refused = {"/api/v1": 403}
    assert read(cluster, v.permanent("litellm", v.ABSENT, "x", 10)) == _details.Details()


@pytest.mark.parametrize(
    ("refused", "expected"), [(0, "team-a/gateway"), (400, ""), (403, "")], ids=str
)
def test_who_has_our_host(refused: int, expected: str) -> None:
    cluster = Cluster(
        route("lab-user1", "2026-01-01T00:00:00Z"),
        route("team-b", "2026-01-03T00:00:00Z"),
        route("team-a", "2026-01-02T00:00:00Z"),
        route("team-c", "2026-01-01T00:00:00Z", "other.example.com"),
    )
    if refused:
        cluster.refused = {"/apis/route.openshift.io": refused}
    claimed = v.permanent("route", v.EXPOSING, "HostAlreadyClaimed", 15)
    assert read(cluster, claimed).holder == expected
    assert len([path for path in cluster.calls if "routes" in path]) == (2 if refused else 1)


LITELLM = """\
INFO:     Started server process [1]
Traceback (most recent call last):
  File "/app/proxy_server.py", line 1, in startup
    raise ValueError("no key")
    ^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: LITELLM_MASTER_KEY is weak

ERROR:    Application startup failed. Exiting.
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", ""),
        ("\n  \n", ""),
        ("one\ntwo\n", "two"),
        (LITELLM, "ValueError: LITELLM_MASTER_KEY is weak"),
        ("FATAL: data directory has wrong ownership\nHINT: start as its owner\n", "FATAL: data"),
        ("\x1b[1;31mError: boom\x1b[0m\n", "Error: boom"),
    ],
)
def test_the_line_that_tells_most(log: str, expected: str) -> None:
    assert _details.telling_line(log).startswith(expected)
    assert bool(_details.telling_line(log)) is bool(expected)


def test_a_log_line_is_bounded_and_without_secrets() -> None:
    cluster = Cluster()
    password = "x y" * 200
    cluster.logs["postgres-0"] = f"FATAL: {password} {'long ' * 200}"
    redact = Redactor([password])
    line = _details.last_line(cluster, "lab-user1", SOURCE, redact)  # type: ignore[arg-type]
    assert line.startswith("FATAL: *** long long")
    assert len(line) == 300


def test_no_log_is_no_error() -> None:
    line = _details.last_line(Cluster(), "lab-user1", SOURCE, Redactor())  # type: ignore[arg-type]
    assert line == ""
