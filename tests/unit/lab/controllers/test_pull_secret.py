# SPDX-License-Identifier: MIT
"""Pull secrets of ServiceAccounts."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers.api import ApiError
from lablib.controllers.pull_secret import REFERENCE, PullSecrets, change, name_for, secret


def account(namespace: str = "a", **changes: Any) -> dict[str, Any]:
    metadata = {
        "namespace": namespace,
        "name": "web",
        "uid": "2e395bf4-024d",
        "resourceVersion": "3",
    }
    return {"metadata": {**metadata, **changes.pop("metadata", {})}, **changes}


NAME = "web-dockercfg-2e395"


def test_name_and_owner() -> None:
    assert name_for(account()) == NAME
    made = secret(account())
    assert made["metadata"]["ownerReferences"][0]["uid"] == "2e395bf4-024d"
    assert made["type"] == "kubernetes.io/dockercfg"


def test_what_others_refer_to_stays() -> None:
    wanted = change(account(imagePullSecrets=[{"name": "mine"}]))
    assert wanted == {
        "imagePullSecrets": [{"name": "mine"}, {"name": NAME}],
        "secrets": [{"name": NAME}],
        "metadata": {"annotations": {REFERENCE: NAME}, "resourceVersion": "3"},
    }


def complete() -> dict[str, Any]:
    return account(
        metadata={"annotations": {REFERENCE: NAME}},
        imagePullSecrets=[{"name": NAME}],
        secrets=[{"name": NAME}],
    )


def test_a_complete_account_is_left_alone() -> None:
    assert change(complete()) is None


def test_a_reference_that_was_taken_away_comes_back() -> None:
    item = complete()
    item["imagePullSecrets"] = [{"name": "mine"}]
    assert change(item) == {
        "imagePullSecrets": [{"name": "mine"}, {"name": NAME}],
        "metadata": {"resourceVersion": "3"},
    }


class Cluster:
    def __init__(self, item: dict[str, Any] | None, error: ApiError | None = None) -> None:
        self.item, self.error = item, error
        self.calls: list[str] = []

    def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
        return self.item

    def create(self, path: str, body: dict[str, Any]) -> None:
        if self.error:
            raise self.error
        self.calls.append(path)

    def patch(self, path: str, body: dict[str, Any]) -> None:
        self.calls.append(path)


SECRETS, ACCOUNT = "/api/v1/namespaces/a/secrets", "/api/v1/namespaces/a/serviceaccounts/web"


@pytest.mark.parametrize(
    ("item", "error", "calls"),
    [
        (account(), None, [SECRETS, ACCOUNT]),
        (account(), ApiError(409, "exists"), [ACCOUNT]),
        (account(), ApiError(403, "namespace a is being terminated"), []),
        (account(), ApiError(404, "namespaces a not found"), []),
        (complete(), None, []),
        (None, None, []),
        (account(metadata={"deletionTimestamp": "now"}), None, []),
        (account("kube-system"), None, []),
    ],
)
def test_reconcile(item: dict[str, Any] | None, error: ApiError | None, calls: list[str]) -> None:
    cluster = Cluster(item, error)
    namespace = item["metadata"]["namespace"] if item else "a"
    PullSecrets(cluster, cluster).reconcile("ServiceAccount", (namespace, "web"))  # type: ignore[arg-type]
    assert cluster.calls == calls


def test_another_error_means_again_later() -> None:
    cluster = Cluster(account(), ApiError(500, "no"))
    with pytest.raises(ApiError):
        PullSecrets(cluster, cluster).reconcile("ServiceAccount", ("a", "web"))  # type: ignore[arg-type]
