# SPDX-License-Identifier: MIT
"""A Job that others wait for: done, at work, trying again, given up."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_job import job_verdict

JOB: dict[str, Any] = {
    "kind": "Job",
    "metadata": {"name": "migrate-1", "namespace": "a", "uid": "job"},
    "spec": {},
}


def job(*conditions: dict[str, str]) -> dict[str, Any]:
    return {**JOB, "status": {"conditions": list(conditions)}}


def pod(name: str, phase: str, code: int | None, created: str = "1") -> dict[str, Any]:
    """A pod of the Job whose init container `migrate` ended with *code*, or runs."""
    state: dict[str, Any] = {"running": {}}
    if code is not None:
        state = {"terminated": {"exitCode": code, "reason": "Error"}}
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "ownerReferences": [{"uid": "job", "controller": True}],
        },
        "spec": {"nodeName": "n", "containers": [{"name": "record"}]},
        "status": {
            "phase": phase,
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "initContainerStatuses": [{"name": "migrate", "state": state}],
        },
    }


FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}


@pytest.mark.parametrize(
    ("conditions", "pods", "severity", "words"),
    [
        ([{"type": "Complete", "status": "True"}], [], v.Severity.READY, ""),
        ([], [], v.Severity.WAITING, "has not begun"),
        ([], [pod("p", "Running", None)], v.Severity.WAITING, "migrate has not finished"),
        (
            [],
            [pod("p", "Failed", 2)],
            v.Severity.TROUBLE,
            "tries again: container migrate ended with 2",
        ),
        ([FAILED], [pod("p", "Failed", 2)], v.Severity.PERMANENT, "container migrate ended with 2"),
        ([FAILED], [], v.Severity.PERMANENT, "failed: limit"),
    ],
)
def test_job(
    conditions: list[dict[str, str]], pods: list[Any], severity: v.Severity, words: str
) -> None:
    verdict = job_verdict(job(*conditions), "migration", pods)
    assert (verdict.component, verdict.severity) == ("migration", severity)
    assert words in verdict.reason


def test_a_second_try_that_runs_still_tells_of_the_first() -> None:
    pods = [pod("first", "Failed", 2, "1"), pod("second", "Running", None, "2")]
    verdict = job_verdict(job(), "migration", pods)
    assert verdict.severity == v.Severity.TROUBLE
    assert verdict.log == v.LogSource("first", "migrate", previous=False)


def test_the_log_is_that_of_the_last_try_and_it_is_given_up_at_once() -> None:
    pods = [pod("second", "Failed", 1, "2"), pod("first", "Failed", 2, "1")]
    verdict = job_verdict(job(FAILED), "migration", pods)
    assert verdict.log == v.LogSource("second", "migrate", previous=False)
    assert verdict.patience == 0


def test_pods_of_others_do_not_count() -> None:
    other = pod("p", "Failed", 2)
    other["metadata"]["ownerReferences"][0]["uid"] = "another"
    assert "has not begun" in job_verdict(job(), "migration", [other]).reason
