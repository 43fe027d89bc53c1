#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action show."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print text as it is
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Prints text of several lines, such as a table, without the quotes, the indentation and the
    escapes that M(ansible.builtin.debug) puts around it.
options:
  text:
    description: What to print.
    type: str
    required: true
attributes:
  action:
    support: full
    description: It is all done on the controller.
  check_mode:
    support: full
    description: Prints all the same.
  diff_mode:
    support: none
    description: Nothing is ever changed.
notes:
  - Nothing is printed with C(no_log).
"""

EXAMPLES = r"""
- name: Show the instances
  rhpds.litemaas.show:
    text: "{{ status.instances | rhpds.litemaas.status_table }}"
"""

RETURN = r""" # """
