# SPDX-License-Identifier: MIT
"""Manifests that a site adds: which are taken, and what an autoscaler among them means."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_connections,
    _extra,
    _instances,
)

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


def settings(*manifests: Any) -> Any:
    return copy.deepcopy(SETTINGS) | {"extra_manifests": list(manifests)}


def manifest(kind: str = "ConfigMap", name: str = "own", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def autoscaler(most: int, target: str = "litellm") -> dict[str, Any]:
    spec = {"maxReplicas": most, "scaleTargetRef": {"kind": "Deployment", "name": target}}
    return manifest("HorizontalPodAutoscaler", "gateway", spec=spec)


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        ([], []),
        ([manifest(), manifest(name="other")], []),
        ([manifest(), manifest()], ["has ConfigMap own twice"]),
        (["text", {"kind": "x"}], ["manifest 1 that lacks", "manifest 2 that lacks"]),
        ([manifest(metadata={"namespace": "a"})], ["names a namespace"]),
        ([manifest("Secret")], ["is a Secret"]),
        ([manifest("ClusterRole")], ["has no place in an instance"]),
        ([manifest("Service", "litellm")], ["is Service litellm, which the instance has already"]),
    ],
)
def test_problems(manifests: list[Any], words: list[str]) -> None:
    found = [str(problem) for problem in _extra.problems(settings(*manifests))]
    assert len(found) == len(words), found
    assert all(word in message for word, message in zip(words, found, strict=True)), found


def test_anything_but_a_list_is_refused() -> None:
    (problem,) = _extra.problems(settings() | {"extra_manifests": "x"})
    assert "must be a list" in str(problem)


def test_an_autoscaler_of_the_gateway_counts_as_so_many_pods() -> None:
    given = settings(autoscaler(5))
    assert _database_connections.demand(given).replicas == 5
    (instance,) = _instances.instances(given, 1)
    assert instance["litellm"]["several"] and instance["litellm"]["autoscaled"]


def test_an_autoscaler_of_something_else_does_not() -> None:
    (instance,) = _instances.instances(settings(autoscaler(5, "other"), manifest()), 1)
    assert not instance["litellm"]["several"] and not instance["litellm"]["autoscaled"]
