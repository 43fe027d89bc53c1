#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module litellm_info: what a gateway holds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: litellm_info
short_description: List models, teams, users and keys of LiteLLM gateways
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Lists what one or many gateways hold, with what was spent. All pages of each list are read.
  - No value of a key and no credential is ever returned; LiteLLM does not have them in a form that could
    be.
options:
  gateways:
    description:
      - Several gateways, as in M(rhpds.litemaas.gateway_content), instead of one.
    type: list
    elements: dict
  gather:
    description:
      - What to list.
    type: list
    elements: str
    choices:
      - models
      - teams
      - users
      - virtual_keys
    default:
      - models
      - teams
      - users
      - virtual_keys
  on_failure:
    description:
      - What becomes of the task when a gateway cannot be asked. V(fail) fails it, with what the others
        hold in the result; V(report) lets it pass.
    type: str
    choices:
      - fail
      - report
    default: fail
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.gateway
  - rhpds.litemaas.read_only
notes:
  - LiteLLM writes down what was spent in batches, every 10 to 15 seconds. What was spent since is not in
    the figures yet.
  - What is spent with the master key is that of the user C(default_user_id) and of no key.
seealso:
  - module: rhpds.litemaas.gateway_content
  - plugin: rhpds.litemaas.content_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: What every instance has spent
  rhpds.litemaas.litellm_info:
    gateways: "{{ plan.instances }}"
    gather: [virtual_keys]
  register: info

- name: Show it
  rhpds.litemaas.show:
    text: "{{ info | rhpds.litemaas.content_table }}"
"""

RETURN = r"""
spend:
  description: What the keys of all gateways have spent, in US dollars. With keys in O(gather).
  returned: when keys are listed
  type: float
  sample: 1.25
gateways:
  description: Each gateway in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the gateway.
      type: str
    namespace:
      description: Its namespace.
      type: str
    url:
      description: Its address.
      type: str
    via:
      description: How it was asked.
      type: str
    via_reason:
      description: Why it was asked through the proxy and not at its address.
      type: str
    problems:
      description: Why it could not be asked.
      type: list
      elements: str
    spend:
      description: What its keys have spent, in US dollars. With keys in O(gather).
      type: float
    models:
      description: Its models with C(name), C(id), C(model), C(api_base), C(mode) and C(parameters).
      type: list
      elements: dict
    teams:
      description: Its teams with C(team_id), C(team_alias), C(models), C(spend) and limits. C(remaining) is
        what is left of the budget, V(null) without one, and C(exhausted) whether nothing is.
      type: list
      elements: dict
    users:
      description: Its users with C(user_id), C(user_email), C(models), C(spend) and limits, and the same of
        the budget.
      type: list
      elements: dict
    virtual_keys:
      description: Its keys with C(key_alias), C(token), C(models), C(spend), C(expires) and limits, and the
        same of the budget.
      type: list
      elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _connection,
    _content_info,
    _content_module,
    _gateways,
)


def argument_spec() -> dict:
    kinds = ["models", "teams", "users", "virtual_keys"]
    return {
        **_connection.ARGUMENT_SPEC,
        **_gateways.OPTIONS,
        "gateways": {"type": "list", "elements": "dict"},
        "gather": {"type": "list", "elements": "str", "choices": kinds, "default": kinds},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _content_module.finish(module, lambda: _content_info.run(module.params))


if __name__ == "__main__":
    main()
