# SPDX-License-Identifier: MIT
"""The action report: what it prints, and when it fails."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible_collections.rhpds.litemaas.plugins.action import report

from ..module_utils.test_outcome import instance

BOTH = [instance(1), instance(2, "image")]


def run(
    monkeypatch: pytest.MonkeyPatch, check: bool = False, **args: Any
) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    task = MagicMock(args=args, check_mode=check)
    plugin = report.ActionModule(
        task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock()
    )
    monkeypatch.setattr(report.ActionBase, "run", lambda *_args: {})
    monkeypatch.setattr(report.display, "display", said.append)
    return plugin.run(task_vars={}), said


def test_it_prints_the_table_the_notes_and_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = run(monkeypatch, instances=BOTH[:1], notes=["a note", ""], title="LiteMaaS 1")
    assert said == result["lines"]
    assert said[1].startswith("user1 ")
    assert said[2:] == ["a note", "LiteMaaS 1: 1 of 1 ready."]
    assert "failed" not in result and result["msg"] == "1 of 1 ready."


def test_one_bad_instance_fails_the_run_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = run(monkeypatch, instances=BOTH)
    assert result["failed"]
    assert "- user2 (namespace litemaas-user2): litellm (image): no such image" in result["msg"]
    assert [each["name"] for each in result["failed_instances"]] == ["user2"]
    assert said[-1] == "LiteMaaS: 1 of 2 ready, 1 failed (user2)."


def test_or_is_only_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = run(monkeypatch, instances=BOTH, on_failure="report")
    assert "failed" not in result
    assert [each["name"] for each in result["failed_instances"]] == ["user2"]
    assert said[-1] == "LiteMaaS: 1 of 2 ready, 1 failed (user2)."


@pytest.mark.parametrize("known_by", [{"name": "user1"}, {"namespace": "litemaas-user1"}], ids=str)
def test_late_failures_and_leftovers_count_too(
    monkeypatch: pytest.MonkeyPatch, known_by: dict[str, str]
) -> None:
    late = [{**known_by, "reason": "gone"}]
    left = [{"namespace": "litemaas-user9", "reason": "held"}]
    result, said = run(monkeypatch, instances=BOTH[:1], late=late, leftovers=left)
    assert result["failed"]
    assert "user1 is not ready: gone" in result["msg"]
    assert "litemaas-user9 could not be removed: held" in result["msg"]
    assert said[-2] == "litemaas-user9 could not be removed: held"


def test_quiet_prints_nothing_and_fails_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = run(monkeypatch, instances=BOTH, quiet=True)
    assert not said
    assert result["failed"] and result["lines"]


def test_check_mode_does_not_fail_for_what_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, said = run(monkeypatch, check=True, instances=[instance(1, "absent")])
    assert "failed" not in result
    assert said[-1] == "LiteMaaS: 1 instance: this is what a run would deploy."
