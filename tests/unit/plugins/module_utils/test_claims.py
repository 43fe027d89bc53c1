# SPDX-License-Identifier: MIT
"""Volumes that exist keep their class, size and access mode."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _claims

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
CLAIM = _claims.Claim("gp3-csi", "10Gi", "ReadWriteOnce")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"storage_class": "gp3-csi"}, ""),
        ({"storage_size": "10240Mi"}, ""),
        ({"storage_size": "nonsense"}, ""),
        (
            {"storage_class": "gp2-csi"},
            "ocp4_workload_litemaas_postgres_storage_class cannot be changed: the volume in "
            "litemaas has gp3-csi, got 'gp2-csi'. Set it back.",
        ),
        (
            {"storage_size": "20Gi"},
            "ocp4_workload_litemaas_postgres_storage_size cannot be changed: the volume in "
            "litemaas has 10Gi, got '20Gi'. Set it back. To grow it instead",
        ),
        ({"storage_size": "5Gi"}, "has 10Gi, got '5Gi'"),
        ({"storage_access_mode": "ReadWriteMany"}, "has ReadWriteOnce, got 'ReadWriteMany'"),
    ],
)
def test_problems(changes: dict[str, str], words: str) -> None:
    postgres = copy.deepcopy(SETTINGS["postgres"]) | changes
    found = _claims.problems({"litemaas": CLAIM}, postgres)
    assert [words in str(problem) for problem in found] == ([True] if words else [])


def test_many_volumes_make_one_problem() -> None:
    claims = {f"litemaas-user{n}": CLAIM for n in range(1, 81)}
    postgres = copy.deepcopy(SETTINGS["postgres"]) | {"storage_size": "20Gi"}
    (problem,) = _claims.problems(claims, postgres)
    assert "litemaas-user4 and 76 more has 10Gi" in str(problem)


@pytest.mark.parametrize(
    ("spec", "claim"),
    [
        (
            {
                "storageClassName": "gp3-csi",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
            CLAIM,
        ),
        ({}, _claims.Claim("", "", "")),
    ],
)
def test_parse(spec: dict[str, Any], claim: _claims.Claim) -> None:
    assert _claims.parse(spec) == claim
