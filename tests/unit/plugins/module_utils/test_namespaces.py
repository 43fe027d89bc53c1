# SPDX-License-Identifier: MIT
"""Which namespaces may be used: ours, absent ones, and those of others when the user says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _namespaces

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "namespaces.yml").read_text())


def live(name: str, owner: str) -> dict[str, Any]:
    """An object's metadata; *owner*: the deployment it belongs to, or ``foreign``."""
    labels = {} if owner == "foreign" else _labels.ownership(owner, owner)
    return {"metadata": {"name": name, "labels": labels or None}}


def found(case: dict[str, Any]) -> _namespaces.Found:
    state = case["namespace"]
    objects = {
        (kind, name): live(name, owner)
        for kind, name, owner in case.get("objects", [])
        if (kind, name) in {entry[1:] for entry in _labels.OBJECTS}
    }
    if state in ("absent", "unreadable"):
        return _namespaces.Found("litemaas", None, state == "absent", objects)
    namespace = live("litemaas", "foreign" if state == "terminating" else state)
    if state == "terminating":
        namespace["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return _namespaces.Found("litemaas", namespace, True, objects)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_problems(case: dict[str, Any]) -> None:
    survey = _namespaces.Survey([found(case)], [], [])
    problems = _namespaces.problems(
        survey, "litemaas", use_existing=case.get("use_existing", False)
    )
    assert len(problems) == ("problem" in case), problems
    for problem in problems:
        assert problem.variable == "ocp4_workload_litemaas_namespace"
        assert all(text in str(problem) for text in case["problem"]), str(problem)


def test_namespaces_with_the_same_problem_are_named_together() -> None:
    foreign = [
        _namespaces.Found(f"litemaas-user{n}", live(f"litemaas-user{n}", "foreign"))
        for n in range(1, 81)
    ]
    survey = _namespaces.Survey(foreign, [], [])
    (problem,) = _namespaces.problems(survey, "litemaas-user", use_existing=False)
    assert "litemaas-user4 and 76 more" in problem.value


@pytest.mark.parametrize(("going", "refused"), [((), False), ((2,), False), ((1, 2, 3), True)])
def test_some_that_are_going_away_are_no_problem_of_the_others(
    going: tuple[int, ...], refused: bool
) -> None:
    every = {n: live(f"litemaas-user{n}", "litemaas-user") for n in (1, 2, 3)}
    for number in going:
        every[number]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = [_namespaces.Found(f"litemaas-user{n}", each) for n, each in every.items()]
    survey = _namespaces.Survey(found, [], [])
    problems = _namespaces.problems(survey, "litemaas-user", use_existing=False)
    assert bool(problems) is refused


def test_a_deployment_of_the_other_mode_under_the_same_label_is_refused() -> None:
    survey = _namespaces.Survey([], [], ["litemaas-user1", "litemaas-user2"])
    (problem,) = _namespaces.problems(survey, "litemaas-user", use_existing=False)
    assert "which exists in another mode, got litemaas-user1, litemaas-user2" in str(problem)
