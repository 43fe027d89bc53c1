# SPDX-License-Identifier: MIT
"""What comes before what."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _inventory, _stages


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Namespace", "ServiceAccount"),
        ("CustomResourceDefinition", "Widget"),
        ("ServiceAccount", "Deployment"),
        ("Secret", "StatefulSet"),
        ("NetworkPolicy", "Deployment"),
        ("Service", "Deployment"),
        ("RoleBinding", "Job"),
        ("PersistentVolumeClaim", "Deployment"),
        ("ResourceQuota", "StatefulSet"),
        ("Service", "Route"),
    ],
)
def test_order(earlier: str, later: str) -> None:
    assert _stages.stage({"kind": earlier}) < _stages.stage({"kind": later})


def test_everything_is_sent_once_in_the_given_order() -> None:
    objects = [{"kind": kind, "n": n} for n in range(3) for _api, kind in _inventory.KINDS]
    stages = _stages.stages(objects)
    assert sorted(map(id, sum(stages, []))) == sorted(map(id, objects))
    for part in stages:
        of_kinds: dict[str, list[int]] = {}
        for obj in part:
            of_kinds.setdefault(obj["kind"], []).append(obj["n"])
        assert all(numbers == [0, 1, 2] for numbers in of_kinds.values())


def test_what_makes_work_is_sent_last() -> None:
    kinds = ["ServiceAccount", "NetworkPolicy", "ServiceAccount", "Service"]
    sent = _stages.stages([{"kind": kind} for kind in kinds])[1]
    assert [obj["kind"] for obj in sent] == [
        *("NetworkPolicy", "Service"),
        *("ServiceAccount", "ServiceAccount"),
    ]


def test_what_makes_pods_is_sent_last() -> None:
    kinds = ["Deployment", "Route", "StatefulSet", "PodDisruptionBudget", "Job", "Ingress"]
    sent = _stages.stages([{"kind": kind} for kind in kinds])[2]
    assert [obj["kind"] for obj in sent] == [
        *("Route", "PodDisruptionBudget", "Ingress"),
        *("Deployment", "StatefulSet", "Job"),
    ]


def test_a_token_comes_after_whose_it_is() -> None:
    token = {"kind": "Secret", "type": "kubernetes.io/service-account-token"}
    account, pods = {"kind": "ServiceAccount"}, {"kind": "Deployment"}
    assert _stages.stages([pods, token, account]) == [[], [account], [token, pods]]
