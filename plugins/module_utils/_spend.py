# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was spent of a budget.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import number


def of(row: Mapping[str, Any]) -> dict[str, Any]:
    """``spend``, ``max_budget``, ``remaining`` and ``exhausted`` of a team, user or key of LiteLLM.

    A budget that several share stands in a table of its own, and the row's own is empty then.
    """
    table = row.get("litellm_budget_table") or {}
    spend = float(number(row.get("spend")) or 0.0)
    budget = number(row.get("max_budget"))
    if budget is None:
        budget = number(table.get("max_budget"))
    if budget is None:
        return {"spend": spend, "max_budget": None, "remaining": None, "exhausted": False}
    return {
        "spend": spend,
        "max_budget": budget,
        "remaining": max(0.0, budget - spend),
        "exhausted": spend >= budget,
    }
