# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module credentials, and says that it still works where that takes long."""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.plugin_utils._progress_action import ProgressAction


class ActionModule(ProgressAction):
    MODULE = "rhpds.litemaas.credentials"

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        count = len(self._task.args.get("instances") or ())
        line = (
            f"litemaas: namespaces and credentials of {count} instance{'s' if count != 1 else ''}"
        )
        return self.in_one_go(dict(self._task.args), line, task_vars)
