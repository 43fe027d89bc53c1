# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action agnosticd_user_info: tells the catalog and the lab guide what was deployed."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.rhpds.litemaas.plugins.module_utils import _user_info, _user_info_file
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 and earlier trust every text

    def trust_as_template(value: str) -> str:
        """Return the text as it is."""
        return value


# As AgnosticD's own action reads them: the play's variables, else those of localhost.
ACTION = '{{ ACTION | default(hostvars.localhost.ACTION) | default("provision", true) }}'
OUTPUT_DIR = (
    "{{ output_dir | default(hostvars.localhost.output_dir, true) | default(playbook_dir, true)"
    ' | default(".", true) }}'
)


class ActionModule(ActionBase):
    """Return what is told, so that it is printed, and keep it in files."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("msg", "body", "data", "data_prefix", "user"))
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the action on the controller."""
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_always"] = True
        try:
            told = _user_info.entry(self._task.args)
            result.update(told.result())
            result["changed"] = _user_info_file.write(
                self._variable(OUTPUT_DIR),
                self._variable(ACTION),
                told,
                dry_run=bool(self._task.check_mode),
            )
        except LitemaasError as error:
            result.update(failed=True, msg=str(error), error=str(error))
        return result

    def _variable(self, template: str) -> str:
        return str(_user_info.plain(self._templar.template(trust_as_template(template))))
