#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action agnosticd_user_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agnosticd_user_info
short_description: Tell the catalog and the lab guide what was deployed
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Prints messages and data for the users of a deployment and keeps them in files, in the form of
    the action C(agnosticd.core.agnosticd_user_info), for places where that is not installed.
  - The files are in the folder that the variable C(output_dir) names, else beside the playbook.
    Their names begin with the value of the variable C(ACTION), else with C(provision).
  - C(provision-user-info.yaml) is a list of messages, C(provision-user-body.yaml) a list of bodies.
    C(provision-user-data.yaml) is a mapping of data, in which C(users) holds what is for one user.
  - What other workloads wrote is kept. Data replaces the value of the same key, and a text that is
    there already is not added again, so that a run can be repeated. The files are replaced as a
    whole, under a lock, and only their owner can read them.
options:
  msg:
    description:
      - A message, or several.
      - Without O(user) each is printed behind C(user.info:).
    type: raw
  body:
    description:
      - Text for the body of the mail or page that accompanies a deployment. Not together with
        O(msg).
    type: str
  data:
    description:
      - Names and values.
    type: dict
  data_prefix:
    description:
      - What to put before each name of O(data) in the file.
    type: str
  user:
    description:
      - The user whom all this is for. Without it, it is for everybody.
    type: str
attributes:
  action:
    support: full
    description: It is all done on the controller.
  check_mode:
    support: full
    description: Prints the same and writes nothing.
  diff_mode:
    support: none
    description: What is printed is what is written.
notes:
  - The result holds the data, passwords included, because the catalog reads it from there.
"""

EXAMPLES = r"""
- name: Tell everybody where the gateway is
  rhpds.litemaas.agnosticd_user_info:
    msg: "The gateway is at https://litellm.apps.cluster.example.com"
    data:
      litellm_admin_url: https://litellm.apps.cluster.example.com

- name: Tell one user
  rhpds.litemaas.agnosticd_user_info:
    user: user1
    msg:
      - "Gateway: https://litellm-user1.apps.cluster.example.com"
      - "User name: admin"
    data:
      litemaas_url: https://litellm-user1.apps.cluster.example.com
      litemaas_username: admin
"""

RETURN = r"""
msg:
  description:
    - The messages, each behind C(user.info:), or the body behind C(user.body:). With O(user) the
      messages as they are.
  returned: when O(msg) or O(body) is given
  type: raw
  sample: "user.info: The gateway is at https://litellm.apps.cluster.example.com"
data:
  description: The data as given.
  returned: when O(data) is given
  type: dict
  sample: {litellm_admin_url: https://litellm.apps.cluster.example.com}
user:
  description: The user as given.
  returned: when O(user) is given
  type: str
  sample: user1
error:
  description: What went wrong, as in RV(msg).
  returned: on failure
  type: str
  sample: msg and body are mutually exclusive.
"""
