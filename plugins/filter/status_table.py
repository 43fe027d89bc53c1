# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter status_table: instances as a table for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: status_table
short_description: Instances as a table for people
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Lays out what M(rhpds.litemaas.instance_info) found as text, each deployment under a line of its
    own and, below an instance that is not ready, the reason.
positional: width
options:
  _input:
    description: The instances, as RV(rhpds.litemaas.instance_info#module:instances).
    type: list
    elements: dict
    required: true
  width:
    description:
      - How many columns the text may be wide. With fewer than the table needs, the addresses go
        into lines of their own.
      - V(0) stands for the terminal's, or 79 where the output is no terminal.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Look
  rhpds.litemaas.instance_info:
  register: status

- name: Show the instances
  rhpds.litemaas.show:
    text: "{{ status.instances | rhpds.litemaas.status_table }}"
"""

RETURN = r"""
_value:
  description: The table, in lines.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.module_utils import _status_text


def status_table(instances: Any, width: int | str = 0) -> str:
    """Return the table."""
    if not isinstance(instances, list) or not all(isinstance(i, Mapping) for i in instances):
        raise AnsibleFilterError("status_table takes the instances of instance_info, a list")
    try:
        return _status_text.text(instances, int(width) or Display().columns)
    except (KeyError, ValueError) as error:
        raise AnsibleFilterError(f"status_table: {error!r}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return them by name."""
        return {"status_table": status_table}
