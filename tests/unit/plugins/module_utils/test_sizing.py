# SPDX-License-Identifier: MIT
"""What instances ask of a cluster, in figures and in words."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _instances, _sizing

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


def test_one_instance() -> None:
    found = _sizing.total(_instances.instances(copy.deepcopy(SETTINGS), 1))
    assert found == _sizing.Sizing(
        cpu_request=Decimal("0.7"),
        cpu_limit=Decimal(2),
        memory_request=Decimal(1536 * 2**20),
        memory_limit=Decimal(3 * 2**30),
        storage=Decimal(10 * 2**30),
        pods=2,
        volumes=1,
    )
    assert found.words() == {
        "cpu_request": "700m",
        "cpu_limit": "2",
        "memory_request": "1.5Gi",
        "memory_limit": "3Gi",
        "storage": "10Gi",
        "pods": 2,
        "volumes": 1,
    }


def test_replicas_count_for_the_gateway_only() -> None:
    settings = copy.deepcopy(SETTINGS)
    settings["litellm"]["replicas"] = 3
    found = _sizing.total(_instances.instances(settings, 1))
    assert (found.pods, found.volumes) == (4, 1)
    assert found.cpu_request == Decimal("1.1")
    assert found.storage == Decimal(10 * 2**30)


def test_eighty_users() -> None:
    settings = copy.deepcopy(SETTINGS) | {"multi_user": True}
    found = _sizing.total(_instances.instances(settings, 80)).words()
    assert found == {
        "cpu_request": "24",
        "cpu_limit": "80",
        "memory_request": "100Gi",
        "memory_limit": "200Gi",
        "storage": "800Gi",
        "pods": 160,
        "volumes": 80,
    }


@pytest.mark.parametrize(
    ("cores", "text"), [("0.25", "250m"), ("1", "1"), ("1.5", "1500m"), ("12.75", "12.8")]
)
def test_cpu(cores: str, text: str) -> None:
    assert _sizing.cpu(Decimal(cores)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (2**20, "1Mi"),
        (512 * 2**20, "512Mi"),
        (2**30, "1Gi"),
        (1280 * 2**20, "1.25Gi"),
        (100 * 2**30, "100Gi"),
    ],
)
def test_size(amount: int, text: str) -> None:
    assert _sizing.size(Decimal(amount)) == text
