# SPDX-License-Identifier: MIT
"""What is seen of the namespaces of a deployment, against a real API server."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _labels,
    _namespaces,
)

from .conftest import Audit


@pytest.mark.parametrize("absent", [3, _namespaces.FEW + 5])
def test_a_foreign_namespace_is_seen_among_few_and_among_many(
    client: _client.Client, new_namespace: Callable[..., str], audit: Audit, absent: int
) -> None:
    deployment = f"seen-{uuid.uuid4().hex[:8]}"
    missing = [f"{deployment}{number}" for number in range(absent)]
    foreign = new_namespace()
    ours = new_namespace(labels=_labels.ownership(deployment, "user1"))
    audit.mark()
    survey = _namespaces.look(client, deployment, [*missing, foreign, ours], multi_user=True)
    assert [each.name for each in survey.found] == [*missing, foreign, ours]
    assert [each.name for each in survey.found if each.live] == [foreign, ours]
    assert survey.foreign == [foreign]
    assert all(each.readable for each in survey.found)
    asked = audit.entries(containing=[f"/namespaces/{deployment}"])
    assert len(asked) == (absent if absent <= _namespaces.FEW else 0)


def test_who_may_see_no_namespaces_is_told_so_of_each(kubeconfig: str) -> None:
    nobody = _client.connect({"kubeconfig": kubeconfig, "impersonate_user": "nobody"})
    names = [f"unseen-{uuid.uuid4().hex[:8]}" for _ in range(_namespaces.FEW + 1)]
    survey = _namespaces.look(nobody, "unseen", names, multi_user=True)
    assert [each.readable for each in survey.found] == [False] * len(names)
