# SPDX-License-Identifier: MIT
"""Whether an instance fits into what others allow in their namespace."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _instances, _quota

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = yaml.safe_load((FIXTURES / "settings.yml").read_text())
CASES = yaml.safe_load((FIXTURES / "quota.yml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_problems(case: dict[str, Any]) -> None:
    settings = copy.deepcopy(SETTINGS)
    settings["postgres"]["storage_class"] = "gp3-csi"
    (instance,) = _instances.instances(settings, 1)
    rules: list[dict[str, Any]] = []
    if "quota" in case:
        hard, used = case["quota"].pop("hard"), case["quota"].pop("used", {})
        rules.append(
            {
                "kind": "ResourceQuota",
                "metadata": {"name": "q"},
                "spec": {"hard": hard, **case["quota"]},
                "status": {"hard": hard, "used": used},
            }
        )
    if "range" in case:
        spec = {"limits": case["range"]}
        rules.append({"kind": "LimitRange", "metadata": {"name": "l"}, "spec": spec})
    present = [tuple(each) for each in case.get("present", [])]
    found = [str(each) for each in _quota.problems(settings, instance, rules, present)]
    wanted = case.get("problems", [])
    assert len(found) == len(wanted), found
    for message, texts in zip(found, wanted, strict=True):
        assert all(text in message for text in texts), message


def test_a_quota_without_a_status_yet_counts_as_unused() -> None:
    (instance,) = _instances.instances(copy.deepcopy(SETTINGS), 1)
    quota = {
        "kind": "ResourceQuota",
        "metadata": {"name": "q"},
        "spec": {"hard": {"pods": "1"}},
    }
    (problem,) = _quota.problems(SETTINGS, instance, [quota], [])
    assert "pods 2, 1 of 1 left" in str(problem)


@pytest.mark.parametrize(
    ("hard", "present", "words"),
    [
        ({"pods": "6", "requests.memory": "10Gi"}, [], ""),
        ({"pods": "5"}, [], "pods 6, 5 of 5 left"),
        ({"requests.memory": "3Gi"}, [], "requests.memory 3.75Gi, 3Gi of 3Gi left"),
        ({"pods": "4"}, [("Deployment", "litellm"), ("StatefulSet", "postgres")], ""),
    ],
)
def test_a_quota_over_several_namespaces_counts_them_together(
    hard: dict[str, str], present: list[tuple[str, str]], words: str
) -> None:
    settings = copy.deepcopy(SETTINGS) | {"multi_user": True}
    instances = _instances.instances(settings, 3)
    quota = {
        "kind": "AppliedClusterResourceQuota",
        "metadata": {"name": "team"},
        "spec": {"quota": {"hard": hard}, "selector": {"labels": None}},
        "status": {"total": {"hard": hard, "used": {"pods": "0"}}},
    }
    rules = {each["namespace"]: [quota] for each in instances}
    there = {"litemaas-user1": present}
    found = [str(each) for each in _quota.shared_problems(instances, rules, there)]
    assert len(found) == bool(words)
    for problem in found:
        assert (
            "litemaas-user1, litemaas-user2, litemaas-user3 under a ClusterResourceQuota team"
            in problem
        )
        assert words in problem
    assert _quota.problems(settings, instances[0], [quota], []) == []
