#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module litellm_team: teams of a gateway."""

from __future__ import annotations

DOCUMENTATION = r"""
module: litellm_team
short_description: Manage a team of a LiteLLM gateway
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Makes, changes in place, or deletes one team of a gateway.
  - What is not given stays as it is. For many gateways, or many objects, M(rhpds.litemaas.gateway_content)
    does the same in one task.
options:
  team_alias:
    description:
      - The name of the team.
    type: str
    aliases:
      - alias
  team_id:
    description:
      - The team's id. Without it the one team with this O(team_alias) is meant, and a new one gets the
        alias as its id.
    type: str
    aliases:
      - id
  models:
    description:
      - The public names of the models that the team may use. An empty list allows all.
    type: list
    elements: str
  max_budget:
    description:
      - What all keys of the team together may spend, in US dollars. A number below zero takes the limit
        away.
    type: float
  budget_duration:
    description:
      - After which time the spend counts from zero again, such as V(30d). V(-1) takes that away.
    type: str
  tpm_limit:
    description:
      - Tokens a minute. A number below zero takes the limit away.
    type: int
  rpm_limit:
    description:
      - Requests a minute. A number below zero takes the limit away.
    type: int
  metadata:
    description:
      - Entries of the metadata. Other entries stay; V(null) takes one away.
    type: dict
  members:
    description:
      - The users who are members of the team, and no others, but LiteLLM's own C(default_user_id).
        Left as they are when not given.
    type: list
    elements: dict
    suboptions:
      user_id:
        description:
          - The id of the user.
        type: str
        required: true
        aliases:
          - id
      role:
        description:
          - An administrator of a team manages its members and keys, which needs a licence of LiteLLM
            Enterprise.
        type: str
        choices:
          - user
          - admin
        default: user
  blocked:
    description:
      - Whether all requests with keys of the team are refused.
    type: bool
  state:
    description:
      - Whether the team is there. Keys of a team that is deleted end with it.
    type: str
    choices:
      - present
      - absent
    default: present
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.gateway
attributes:
  check_mode:
    support: full
    description: Says what would be done. Nothing is written, to the gateway or to the cluster, and no
      key is verified.
  diff_mode:
    support: full
    description: Shows the fields that change, and of credentials and keys only that they change.
seealso:
  - module: rhpds.litemaas.gateway_content
  - module: rhpds.litemaas.litellm_info
"""

EXAMPLES = r"""
- name: A team with a budget
  rhpds.litemaas.litellm_team:
    gateway_namespace: litemaas
    alias: students
    models: [granite]
    max_budget: 100
    budget_duration: 30d
"""

RETURN = r"""
team:
  description: The team as M(rhpds.litemaas.gateway_content) returns it, with its C(action).
  returned: success
  type: dict
gateway:
  description: The gateway as M(rhpds.litemaas.gateway_content) returns it.
  returned: when the declaration is valid
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _connection,
    _content_module,
    _content_options,
    _gateways,
)


def argument_spec() -> dict:
    return {
        **_connection.ARGUMENT_SPEC,
        **_gateways.OPTIONS,
        **_content_options.TEAM,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _content_module.one(module, "team", _content_options.TEAM)


if __name__ == "__main__":
    main()
