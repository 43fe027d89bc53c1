# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module manifests: removal in slices with progress, everything else in one go."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.plugin_utils._progress_action import ProgressAction

_OBJECT = re.compile(r"^kind:", re.MULTILINE)


class ActionModule(ProgressAction):
    MODULE = "rhpds.litemaas.manifests"

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("state") == "absent":
            return self.in_slices(args, "litemaas: removing", task_vars)
        count = len(_OBJECT.findall(str(args.get("manifests"))))
        line = f"litemaas: applying {count} objects"
        return self.in_one_go(args, line, task_vars, packed="manifests")
