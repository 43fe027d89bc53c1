# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action show: prints text as it is."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()


class ActionModule(ActionBase):
    """Print on the controller; a host has nothing to do with it."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Print the text."""
        super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(
            argument_spec={"text": {"type": "str", "required": True}}
        )
        if not self._task.no_log:
            display.display(args["text"].rstrip("\n"))
        return {"changed": False}
