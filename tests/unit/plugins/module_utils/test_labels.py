# SPDX-License-Identifier: MIT
"""What is ours is known by its labels."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels


@pytest.mark.parametrize(
    ("labels", "deployment", "ours"),
    [
        (None, "", False),
        ({}, "", False),
        ({"app.kubernetes.io/managed-by": "Helm"}, "", False),
        ({"app.kubernetes.io/part-of": "litemaas"}, "", False),
        ({"app.kubernetes.io/managed-by": "rhpds.litemaas"}, "", True),
        ({"app.kubernetes.io/managed-by": "rhpds.litemaas"}, "litemaas", False),
        (_labels.ownership("litemaas", "litemaas"), "litemaas", True),
        (_labels.ownership("litemaas", "litemaas"), "litemaas-user", False),
    ],
)
def test_is_ours(labels: Any, deployment: str, ours: bool) -> None:
    assert _labels.is_ours({"metadata": {"labels": labels}}, deployment) is ours


def test_an_object_without_metadata_is_not_ours() -> None:
    assert not _labels.is_ours({})


def test_all_objects_of_a_deployment_are_selected_by_labels_they_carry() -> None:
    selected = _labels.deployment_labels("litemaas-user")
    assert selected.items() <= _labels.ownership("litemaas-user", "user1").items()
    assert _labels.selector(selected) == (
        "app.kubernetes.io/managed-by=rhpds.litemaas,rhpds.litemaas/deployment=litemaas-user"
    )
