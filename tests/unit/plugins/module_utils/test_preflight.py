# SPDX-License-Identifier: MIT
"""Settings judged by themselves: each wrong value gives one message, and all are found at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _preflight, _problem

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = yaml.safe_load((FIXTURES / "settings.yml").read_text())
CASES = yaml.safe_load((FIXTURES / "preflight.yml").read_text())


def changed(**changes: Any) -> Any:
    """The usual settings with other values, by path; as Ansible hands them over: text is text."""
    settings = copy.deepcopy(SETTINGS)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = settings
        for parent in parents:
            place = place[parent]
        place[last] = str(value) if isinstance(place[last], str) else value
    return settings


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_check(case: dict[str, Any]) -> None:
    settings = changed(**case.get("set", {}))
    count, problems = _preflight.users(settings)
    found, warnings = _preflight.check(settings, count)
    messages = [str(problem) for problem in problems + found]
    wanted = case.get("problems", [])
    assert len(messages) == len(wanted), messages
    for message, (beginning, *parts) in zip(messages, wanted, strict=True):
        assert message.startswith(beginning), message
        assert all(part in message for part in parts), message
        # Variable, what is wrong, what to do: never less.
        assert message.count(". ") >= 1, message
    texts = case.get("warnings", [])
    assert len(warnings) == len(texts), warnings
    assert all(text in warning for text, warning in zip(texts, warnings, strict=True)), warnings


def test_the_message_numbers_all_problems_and_the_result_takes_them_apart() -> None:
    settings = changed(namespace="X", **{"litellm.replicas": 9})
    problems, _warnings = _preflight.check(settings, 1)
    error = _problem.refusal(problems)
    head, first, second = str(error).splitlines()
    assert head == "2 problems found before the start; nothing was created or changed."
    assert first.startswith("1. ocp4_workload_litemaas_namespace is no DNS label, got 'X'. Use ")
    assert second.startswith("2. ocp4_workload_litemaas_litellm_replicas must be 1 to 5, got 9. ")
    assert error.result["problems"][1] == {
        "variable": "ocp4_workload_litemaas_litellm_replicas",
        "value": "9",
        "problem": "must be 1 to 5",
        "remedy": "More would need more database connections than the database gives.",
    }


def test_no_message_shows_a_credential() -> None:
    secret = "c4n4ry-\n-value"
    names = list(_preflight._secrecy.VARIABLES)
    settings = changed(credentials=dict.fromkeys(names, secret))
    problems, warnings = _preflight.check(settings, 1)
    assert len(problems) == len(names)
    assert "c4n4ry" not in f"{_problem.refusal(problems)} {problems} {warnings}"


@pytest.mark.parametrize(("value", "count"), [("abc", 1), (None, 1), (2000, 1), ("20", 20)])
def test_users(value: Any, count: int) -> None:
    found, problems = _preflight.users(changed(multi_user=True, num_users=value))
    assert found == count
    assert [problem.variable for problem in problems] == ([] if count == 20 else ["num_users"])


def test_num_users_means_nothing_without_users() -> None:
    assert _preflight.users(changed(num_users="abc")) == (1, [])


@pytest.mark.parametrize(
    ("asked", "detected", "result"),
    [
        ("", "AWS", "AWS"),
        ("kubevirt", "AWS", "KubeVirt"),
        ("none", "AWS", "None"),
        ("", "", ""),
        (" gcp ", "", "GCP"),
    ],
)
def test_platform(asked: str, detected: str, result: str) -> None:
    settings = changed(cloud_provider=asked, **{"cluster.platform": detected})
    assert _preflight.platform(settings) == result


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b", "c", "d", "e"], "a, b, c, d, e"),
        (["a", "b", "c", "d", "e", "f"], "a, b, c, d and 2 more"),
    ],
)
def test_listed(names: list[str], text: str) -> None:
    assert _problem.listed(names) == text
