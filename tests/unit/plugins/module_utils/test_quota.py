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
