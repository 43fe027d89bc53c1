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
        assert [obj["n"] for obj in part] == sorted(obj["n"] for obj in part)
