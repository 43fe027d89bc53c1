# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module credentials, and says that it still works where that takes long."""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.plugin_utils import _arguments
from ansible_collections.rhpds.litemaas.plugins.plugin_utils._progress_action import ProgressAction

# What the module knows of an instance, whole or whether there is one.
KEYS = ("name", "namespace", "labels", "external_database", "backend")
PARTS = ("redis", "pgbouncer")


class ActionModule(ProgressAction):
    MODULE = "rhpds.litemaas.credentials"

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        instances = _arguments.instances(self._task.args.get("instances"), KEYS, _parts)
        count = len(instances)
        line = (
            f"litemaas: namespaces and credentials of {count} instance{'s' if count != 1 else ''}"
        )
        args = {**self._task.args, "instances": instances}
        return self.in_one_go(args, line, task_vars, packed="namespaces")


def _parts(instance: dict[str, Any]) -> dict[str, Any]:
    bundle = (instance.get("litellm") or {}).get("ca_bundle")
    found = {part: bool(instance.get(part)) for part in PARTS}
    return {**found, "litellm": {"ca_bundle": bool(bundle)}}
