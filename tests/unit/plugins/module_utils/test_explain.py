# SPDX-License-Identifier: MIT
"""Refusals of a real API server, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _explain
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError

FIXTURES = Path(__file__).parent / "fixtures"
CASES = yaml.safe_load((FIXTURES / "refusals.yml").read_text())
SECRETS = ("canary", "Y2FuYXJ5", "12345")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_explanation(case: dict[str, Any]) -> None:
    error = ApiError(
        "The text of the error itself.",
        status=case["status"],
        reason=case["reason"],
        message=case["message"],
        details={"causes": case["causes"]} if "causes" in case else {},
    )
    said = _explain.explain(error, case["wanted"], case["live"])
    assert said == case["said"]
    assert not any(secret in said for secret in SECRETS)


def test_without_the_live_object_the_servers_words_remain() -> None:
    case = CASES[0]
    error = ApiError("x", status=422, message=case["message"], details={"causes": case["causes"]})
    assert "updates to statefulset spec" in _explain.explain(error, case["wanted"], None)


def test_long_values_are_cut() -> None:
    causes = [{"field": "spec", "message": "field is immutable"}]
    error = ApiError("x", status=422, message="x", details={"causes": causes})
    live = {"kind": "X", "metadata": {"name": "x"}, "spec": {f"f{n}": "a" * 5000 for n in range(9)}}
    wanted = {**live, "spec": {f"f{n}": "b" * 5000 for n in range(9)}}
    said = _explain.explain(error, wanted, live)
    assert len(said) < 1500 and "and 6 more" in said
