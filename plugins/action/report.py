# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action report: prints the end of a run as a table, and fails where instances did."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.module_utils._outcome import Outcome

display = Display()


class ActionModule(ActionBase):
    """Everything is known already: no module runs and no request is sent."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the action on the controller."""
        super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(
            argument_spec={
                "instances": {"type": "list", "elements": "dict", "required": True},
                "late": {"type": "list", "elements": "dict", "default": []},
                "leftovers": {"type": "list", "elements": "dict", "default": []},
                "phases": {"type": "dict", "default": {}},
                "title": {"type": "str", "default": "LiteMaaS"},
                "notes": {"type": "list", "elements": "str", "default": []},
                "on_failure": {"choices": ["fail", "report"], "default": "fail"},
                "quiet": {"type": "bool", "default": False},
            }
        )
        outcome = Outcome(
            given["instances"],
            _by_name(given["late"], given["instances"]),
            {each["namespace"]: each["reason"] for each in given["leftovers"]},
            {name: float(seconds) for name, seconds in given["phases"].items()},
            predicted=bool(self._task.check_mode),
        )
        lines = [
            *outcome.table(),
            *filter(None, given["notes"]),
            *outcome.left(),
            f"{given['title']}: {outcome.counts()}",
        ]
        if not given["quiet"]:
            for line in lines:
                display.display(line)
        failure = outcome.failure()
        result = {"changed": False, "lines": lines, "failed_instances": outcome.failed()}
        if failure and given["on_failure"] == "fail":
            return {**result, "failed": True, "msg": failure}
        return {**result, "msg": failure or outcome.counts()}


def _by_name(late: list[dict[str, Any]], instances: list[dict[str, Any]]) -> dict[str, str]:
    """The reason by the name of the instance, which may be known by its namespace only."""
    names = {each["namespace"]: each["name"] for each in instances}
    return {each.get("name") or names[each["namespace"]]: each["reason"] for each in late}
