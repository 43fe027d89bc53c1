# SPDX-License-Identifier: MIT
"""Secrets whose content a site gives: written once, changed with the content, never shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_states,
    _labels,
    _site_secrets,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

from .secret_cluster import INSTANCE, LABELS, FakeCluster, path

TLS, PULL = "litellm-tls", "litemaas-pull-secret"
AUTH = base64.b64encode(b"robot:c4n4ry").decode()
GIVEN = {
    "tls_certificate": "CERTIFICATE\r\n",
    "tls_key": "c4n4ry-key",
    "pull_secret": {"auths": {"mirror.example.com": {"auth": AUTH}}},
}


def present(
    cluster: FakeCluster, *, dry_run: bool = False, report: bool = False, **given: Any
) -> Any:
    values = {"tls_certificate": "", "tls_key": "", "pull_secret": "", **given}
    return _credential_states.present(
        cluster, [INSTANCE], "", Wanted(), _site_secrets.given(values),  # type: ignore[arg-type]
        dry_run=dry_run, diff=True, report=report,
    )  # fmt: skip


def actions(result: Any) -> dict[str, str]:
    return {each["name"]: each["action"] for each in result["secrets"]}


def test_they_are_written_beside_the_credentials_and_once() -> None:
    cluster = FakeCluster()
    first = present(cluster, **GIVEN)
    assert actions(first) == dict.fromkeys(
        ["litellm-secret", "postgres-secret", TLS, PULL], "created"
    )
    assert cluster.data(TLS) == {"tls.crt": "CERTIFICATE\n", "tls.key": "c4n4ry-key\n"}
    assert json.loads(cluster.data(PULL)[".dockerconfigjson"]) == GIVEN["pull_secret"]
    kinds = {cluster.objects[path(name)]["type"] for name in (TLS, PULL)}
    assert kinds == {"kubernetes.io/tls", "kubernetes.io/dockerconfigjson"}
    for name, part in ((TLS, "certificate"), (PULL, "pull-secret")):
        assert cluster.objects[path(name)]["metadata"]["labels"] == {
            **LABELS,
            _labels.OPTIONAL: part,
        }
    cluster.requests.clear()
    second = present(cluster, **GIVEN)
    assert not second["changed"] and second["instances"] == first["instances"]
    assert cluster.requests == [("LIST", "/api/v1/secrets")]
    assert "c4n4ry" not in f"{first}{second}" and AUTH not in f"{first}{second}"


def test_who_gives_nothing_costs_nothing() -> None:
    cluster = FakeCluster()
    present(cluster)
    assert cluster.writes() == 2 and path(TLS) not in cluster.objects
    assert not [where for _method, where in cluster.requests if where in (path(TLS), path(PULL))]


def test_other_content_changes_its_secret_alone() -> None:
    cluster = FakeCluster()
    first = present(cluster, **GIVEN)
    predicted = present(cluster, **{**GIVEN, "tls_key": "another"}, dry_run=True)
    assert cluster.data(TLS)["tls.key"] == "c4n4ry-key\n"
    second = present(cluster, **{**GIVEN, "tls_key": "another"})
    assert actions(second) == actions(predicted) == {
        "litellm-secret": "unchanged", "postgres-secret": "unchanged", TLS: "configured", PULL: "unchanged",
    }  # fmt: skip
    assert [each["updated"] for each in second["secrets"]] == [[], [], ["tls.key"], []]
    assert "tls.key: (another value)" in second["diff"][0]["after"]
    assert second["instances"] == first["instances"], "no pod is rolled for it"
    assert cluster.data(TLS)["tls.key"] == "another\n"


def test_a_foreign_one_is_left_alone() -> None:
    cluster = FakeCluster()
    cluster.put(PULL, {"a": "b"}, labels={})
    result = present(cluster, **GIVEN, report=True)
    (failed,) = result["failed_instances"]
    assert (
        "the Secret litemaas-pull-secret in the namespace litemaas-user1 is left untouched"
        in failed["reason"]
    )
    assert cluster.data(PULL) == {"a": "b"}


def test_a_write_in_between_is_read_again() -> None:
    cluster, met = FakeCluster(), []

    def another(where: str) -> None:
        if where == path(TLS) and not met:
            met.append(where)
            present(cluster, **GIVEN)

    cluster.before_apply = another
    assert actions(present(cluster, **GIVEN))[TLS] == "unchanged"  # the other run did it


def test_endless_conflicts_end() -> None:
    cluster = FakeCluster()

    def refuse(where: str) -> None:
        if where == path(TLS):
            raise ApiError("modified", status=409)

    cluster.before_apply = refuse
    (failed,) = present(cluster, **GIVEN, report=True)["failed_instances"]
    assert "changed by somebody else all the time" in failed["reason"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tls_key": "c4n4ry"}, "tls_certificate and tls_key are given together"),
        ({"tls_certificate": "x"}, "tls_certificate and tls_key are given together"),
        ({"pull_secret": "c4n4ry"}, "pull_secret is no JSON: Give the text"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(LitemaasError, match=words) as raised:
        present(FakeCluster(), **given)
    assert "c4n4ry" not in str(raised.value)
