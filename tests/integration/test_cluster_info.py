# SPDX-License-Identifier: MIT
"""cluster_info against a real API server, whichever kind of cluster it is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .conftest import RunModule

# A user with no rights beyond what everybody has who is logged in.
NOBODY = {"impersonate_user": "nobody", "impersonate_groups": ["system:authenticated"]}


@pytest.fixture(scope="module")
def groups(client: Client) -> set[str]:
    return {group["name"] for group in client.get("/apis")["groups"]}


def test_it_says_what_the_cluster_says(
    run_module: RunModule, client: Client, groups: set[str]
) -> None:
    result = run_module("cluster_info", {})
    assert not result["changed"]
    assert result["kubernetes_version"] == client.get("/version")["gitVersion"]
    assert result["openshift"] == ("config.openshift.io" in groups)
    assert result["routes"] == ("route.openshift.io" in groups)
    assert result["notes"] == []
    if result["openshift"]:
        config = "/apis/config.openshift.io/v1"
        infrastructure = client.get(f"{config}/infrastructures/cluster")["status"]
        ingress = client.get(f"{config}/ingresses/cluster")["spec"]
        assert result["platform"] == infrastructure["platformStatus"]["type"]
        assert result["apps_domain"] == (ingress.get("appsDomain") or ingress["domain"])
        assert result["api_url"] == infrastructure["apiServerURL"]
        assert result["openshift_version"]
    else:
        assert [result[key] for key in ("platform", "apps_domain", "openshift_version")] == [""] * 3
        assert result["api_url"] == client.connection.host


def test_a_user_without_rights_gets_notes_and_no_failure(
    run_module: RunModule, groups: set[str]
) -> None:
    result = run_module("cluster_info", NOBODY)
    assert result["openshift"] == ("config.openshift.io" in groups)
    assert result["routes"] == ("route.openshift.io" in groups)
    assert result["kubernetes_version"]
    if result["openshift"]:
        assert any("Platform unknown: not allowed (403)" in note for note in result["notes"])
    else:
        assert result["notes"] == []


def test_the_users_word_counts(run_module: RunModule) -> None:
    found = run_module("cluster_info", {})
    given = run_module("cluster_info", {"cloud_provider": "openshift_cnv"})
    assert (given["cloud_provider"], given["platform"]) == ("KubeVirt", found["platform"])


@pytest.mark.parametrize(
    "environment",
    [
        {"K8S_AUTH_HOST": "https://127.0.0.1:1", "K8S_AUTH_API_KEY": "none"},
        {"KUBECONFIG": "/nowhere/kubeconfig"},
    ],
)
def test_without_a_cluster_it_fails_in_words(
    run_module: RunModule, environment: dict[str, str]
) -> None:
    result: dict[str, Any] = run_module("cluster_info", {}, environment=environment)
    assert result["failed"]
    assert "cannot be reached" in result["msg"] or "does not exist" in result["msg"]
