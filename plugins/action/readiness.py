# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module readiness in slices and prints a line of progress between them."""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.plugin_utils import _arguments
from ansible_collections.rhpds.litemaas.plugins.plugin_utils._progress_action import ProgressAction

# What the module knows of an instance; the rest of the plan need not travel to it at every slice.
KEYS = ("name", "namespace", "labels", "expose", "host", "url", "external_database", "frontend")


class ActionModule(ProgressAction):
    MODULE = "rhpds.litemaas.readiness"

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        instances = _arguments.instances(self._task.args.get("instances"), KEYS, _switched_off)
        args = {**self._task.args, "instances": instances}
        return self.in_slices(args, _waiting(len(instances)), task_vars)


def _switched_off(instance: dict[str, Any]) -> dict[str, Any]:
    return {"switched_off": [part for part, value in instance.items() if value is None]}


def _waiting(count: int) -> str:
    return f"litemaas: waiting for {count} instance{'s' if count != 1 else ''}"
