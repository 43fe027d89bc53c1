#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Print what became of each LiteMaaS instance
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Prints a table with a row for each instance, those that failed last, and a line with the counts
    and the time of each part of the run.
  - Fails when an instance failed, with the name and the reason of each, unless told to only report.
options:
  instances:
    description:
      - What became of the instances, as the module M(rhpds.litemaas.readiness) returns it in
        C(instances).
    type: list
    elements: dict
    required: true
  late:
    description:
      - What went wrong after an instance was ready, as the module M(rhpds.litemaas.credentials)
        returns it in C(failed_instances), or M(rhpds.litemaas.manifests) in C(failed_namespaces). The
        C(name), or without it the C(namespace), and the C(reason) are used.
    type: list
    elements: dict
    default: []
  leftovers:
    description:
      - Namespaces that were to be removed and could not be, as the module
        M(rhpds.litemaas.manifests) returns them in C(failed_namespaces).
    type: list
    elements: dict
    default: []
  phases:
    description:
      - The seconds that each part of the run took, by the part's name.
    type: dict
    default: {}
  title:
    description:
      - What stands before the counts.
    type: str
    default: LiteMaaS
  notes:
    description:
      - Lines to print between the table and the counts. Empty ones are left out.
    type: list
    elements: str
    default: []
  on_failure:
    description:
      - V(fail) fails the task when an instance failed or something is left over. V(report) only
        says so.
    type: str
    choices: [fail, report]
    default: fail
  quiet:
    description:
      - Whether to print nothing. The result is the same.
    type: bool
    default: false
attributes:
  action:
    support: full
    description: It is all done on the controller.
  check_mode:
    support: full
    description: Instances that are not ready are no failure; those that could not be deployed are.
  diff_mode:
    support: none
    description: Nothing is ever changed.
seealso:
  - module: rhpds.litemaas.readiness
"""

EXAMPLES = r"""
- name: Wait until every gateway answers
  rhpds.litemaas.readiness:
    instances: "{{ plan.instances }}"
    on_failure: report
  register: readiness

- name: Say what there is now, and fail where there is not all
  rhpds.litemaas.report:
    instances: "{{ readiness.instances }}"
"""

RETURN = r"""
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
  sample:
    - "Instance  State   Seconds  URL                                          Reason"
    - "user1     ready      14.2  https://litellm-user1-rhpds.apps.example.com"
    - "LiteMaaS: 1 of 1 ready."
failed_instances:
  description: The instances that failed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the instance.
      type: str
      sample: user7
    namespace:
      description: Its namespace.
      type: str
      sample: litemaas-user7
    reason:
      description: Why it is not ready and what to do.
      type: str
msg:
  description: The instances that failed and why, or the counts.
  returned: always
  type: str
  sample: 1 of 1 ready.
"""
