# SPDX-License-Identifier: MIT
"""Master keys of all instances with one LIST, and why one cannot be had."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._keys import Keys
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import Observer

from .readiness_cluster import Cluster

HOMES = ["lab-user1", "lab-user2", "lab-user3"]


def secret(home: str, name: str = "litellm-secret", **values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": home}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def keys(cluster: Cluster) -> Keys:
    observer = Observer(cluster, HOMES, "a=b")  # type: ignore[arg-type]
    found = Keys(cluster, observer, HOMES)  # type: ignore[arg-type]
    found.read(HOMES)
    return found


def test_one_list_for_all() -> None:
    secrets = [secret(home, LITELLM_MASTER_KEY=f"sk-{home}") for home in HOMES]
    cluster = Cluster(*secrets)
    found = keys(cluster)
    assert [found.master_key(home) for home in HOMES] == [f"sk-{home}" for home in HOMES]
    assert cluster.calls == ["/api/v1/secrets"]


def test_of_few_that_are_asked_for_nobody_elses_are_read() -> None:
    cluster = Cluster(*[secret(home, LITELLM_MASTER_KEY=f"sk-{home}") for home in HOMES])
    observer = Observer(cluster, HOMES, "a=b")  # type: ignore[arg-type]
    found = Keys(cluster, observer, HOMES)  # type: ignore[arg-type]
    for _again in range(2):
        found.read({"lab-user2"})
        assert found.master_key("lab-user2") == "sk-lab-user2"
        assert cluster.calls == ["/api/v1/namespaces/lab-user2/secrets"]
    found.read(HOMES)
    assert [found.master_key(home) for home in HOMES] == [f"sk-{home}" for home in HOMES]
    assert "/api/v1/namespaces/lab-user2/secrets" not in cluster.calls[1:]


def test_by_name_where_secrets_may_not_be_listed() -> None:
    cluster = Cluster(secret("lab-user1", LITELLM_MASTER_KEY="sk-1"))
    cluster.refused = {"/api/v1/secrets": 403}
    cluster.refused |= {f"/api/v1/namespaces/{home}/secrets": 403 for home in HOMES[1:]}
    found = keys(cluster)
    assert found.master_key("lab-user1") == "sk-1"
    with pytest.raises(LitemaasError, match="litellm-secret cannot be read: answered 403"):
        found.master_key("lab-user2")


def test_what_is_missing_is_named() -> None:
    found = keys(Cluster(secret("lab-user1", UI_PASSWORD="x")))
    with pytest.raises(LitemaasError, match="has no LITELLM_MASTER_KEY"):
        found.master_key("lab-user1")
    with pytest.raises(LitemaasError, match="does not exist in namespace lab-user2"):
        found.master_key("lab-user2")


def test_an_instances_secrets_go_out_of_its_texts_and_names_stay() -> None:
    cluster = Cluster(
        secret("lab-user1", LITELLM_MASTER_KEY="master-value", UI_USERNAME="administrator"),
        secret("lab-user1", "postgres-secret", POSTGRES_PASSWORD="database-value"),
        secret("lab-user1", "foreign", WORD="common"),
    )
    redact = keys(cluster).redactor("lab-user1")
    text = "administrator common master-value database-value"
    assert redact(text) == "administrator common *** ***"
    assert keys(cluster).redactor("lab-user2")("master-value") == "master-value"
