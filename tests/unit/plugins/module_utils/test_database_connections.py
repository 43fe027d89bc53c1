# SPDX-License-Identifier: MIT
"""The arithmetic of connections: what is asked for at most, and what is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_connections as connections,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_config, _instances

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


def settings(pool: int = 10, replicas: int = 1, most: int = 100) -> Any:
    found = copy.deepcopy(SETTINGS)
    found["litellm"] |= {"database_connections": pool, "replicas": replicas}
    found["postgres"]["max_connections"] = most
    return found


@pytest.mark.parametrize(
    ("pool", "replicas", "total"),
    [(10, 1, 28), (10, 2, 38), (10, 3, 48), (10, 5, 68), (2, 1, 12), (15, 5, 98), (50, 5, 308)],
)
def test_demand(pool: int, replicas: int, total: int) -> None:
    asked = connections.demand(settings(pool, replicas))
    assert asked.total == total
    assert asked.words().endswith(f"= {total}")


@pytest.mark.parametrize(
    ("pool", "replicas", "most", "words"),
    [
        (10, 5, 100, ""),
        (10, 5, 68, ""),
        (10, 5, 67, "Set it to 68, or ocp4_workload_litemaas_litellm_database_connections to 9."),
        (10, 3, 20, "Set it to 48, or ocp4_workload_litemaas_litellm_database_connections to 3."),
        (10, 1, 8, "Set it to 28."),
        (50, 5, 100, "is less than the gateway may ask for: 50 x (5 pods + 1 while"),
        (1, 1, 100, "must be 2 or more, got 1"),
        (0, 1, 100, "must be 2 or more, got 0"),
        (10, 1, 5000, "must be 1000 at most, got 5000"),
    ],
)
def test_problems(pool: int, replicas: int, most: int, words: str) -> None:
    found = [str(problem) for problem in connections.problems(settings(pool, replicas, most))]
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found


@pytest.mark.parametrize("replicas", range(1, 6))
def test_the_advice_is_followed_by_no_further_refusal(replicas: int) -> None:
    for most in range(20, 200, 7):
        fits = connections.Demand(10, replicas).largest_pool(most)
        if fits >= connections.LEAST_POOL:
            assert not list(connections.problems(settings(fits, replicas, most)))
            assert list(connections.problems(settings(fits + 1, replicas, most)))


def test_both_sides_are_told() -> None:
    (instance,) = _instances.instances(settings(20, 2, 150), 1)
    assert instance["postgres"]["max_connections"] == 150
    assert instance["litellm"]["config"]["general_settings"] == {
        "database_connection_pool_limit": 20
    }
    # LiteLLM's own number needs no file.
    assert _gateway_config.config(settings()) == {}


def test_the_backend_is_counted_with_its_successor() -> None:
    found = settings(most=49) | {"deploy_backend": True}
    asked = connections.demand(found)
    assert (asked.backend, asked.total) == (22, 50)
    assert "22 of the LiteMaaS backend" in asked.words()
    (problem,) = connections.problems(found)
    assert "Set it to 50, or ocp4_workload_litemaas_litellm_database_connections to 9." in str(
        problem
    )
    assert not list(connections.problems(settings(most=50) | {"deploy_backend": True}))
