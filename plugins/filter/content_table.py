# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter content_table: what gateways hold, or what was changed of it, for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: content_table
short_description: What gateways hold, or what was changed of it, as a table for people
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Lays out as text what M(rhpds.litemaas.litellm_info), M(rhpds.litemaas.gateway_content) or M(rhpds.litemaas.model_discovery)
    returned.
  - Of keys, users and teams it is what they have spent, their budgets, and whether they are refused, gateway
    by gateway. Gateways with the same models, or to which the same was done, are told once.
positional: width
options:
  _input:
    description: The result of the module.
    type: dict
    required: true
  width:
    description:
      - How many columns sentences may be wide. V(0) stands for the terminal's, or 79 where the output
        is no terminal.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: What was spent
  rhpds.litemaas.litellm_info:
    gateways: "{{ plan.instances }}"
    gather: [teams, users, virtual_keys]
  register: info

- name: Show it
  rhpds.litemaas.show:
    text: "{{ info | rhpds.litemaas.content_table }}"
"""

RETURN = r"""
_value:
  description: The tables, in lines.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_text


def content_table(result: Any, width: int | str = 0) -> str:
    """Return the tables."""
    if not isinstance(result, Mapping):
        raise AnsibleFilterError("content_table takes what a module returned, a dictionary")
    try:
        return _content_text.text(result, int(width) or Display().columns)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"content_table: {error!r}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return them by name."""
        return {"content_table": content_table}
