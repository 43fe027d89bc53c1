# SPDX-License-Identifier: MIT
"""What is left of a budget."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _spend


@pytest.mark.parametrize(
    ("row", "spend", "budget", "remaining", "exhausted"),
    [
        ({}, 0.0, None, None, False),
        ({"spend": 2.5}, 2.5, None, None, False),
        ({"spend": 2.5, "max_budget": 10}, 2.5, 10, 7.5, False),
        ({"spend": 10.0, "max_budget": 10}, 10.0, 10, 0.0, True),
        ({"spend": 12, "max_budget": 10}, 12.0, 10, 0.0, True),
        ({"spend": "0.003", "max_budget": "0.001"}, 0.003, 0.001, 0.0, True),
        ({"spend": 1, "litellm_budget_table": {"max_budget": 4}}, 1.0, 4, 3.0, False),
        ({"spend": None, "max_budget": 0}, 0.0, 0, 0.0, True),
    ],
)
def test_what_is_left(
    row: dict[str, Any], spend: float, budget: Any, remaining: Any, exhausted: bool
) -> None:
    assert _spend.of(row) == {
        "spend": spend,
        "max_budget": budget,
        "remaining": remaining,
        "exhausted": exhausted,
    }
