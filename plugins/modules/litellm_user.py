#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module litellm_user: users of a gateway."""

from __future__ import annotations

DOCUMENTATION = r"""
module: litellm_user
short_description: Manage a user of a LiteLLM gateway
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Makes, changes in place, or deletes one user of a gateway.
  - What is not given stays as it is. For many gateways, or many objects, M(rhpds.litemaas.gateway_content)
    does the same in one task.
options:
  user_id:
    description:
      - The id of the user.
    type: str
    required: true
    aliases:
      - id
  user_alias:
    description:
      - The name of the user.
    type: str
    aliases:
      - alias
  user_email:
    description:
      - The e-mail address, which is also the name to enter the web UI with. Any text will do.
    type: str
    aliases:
      - email
  user_role:
    description:
      - What the user may do in the web UI. New users get LiteLLM's V(internal_user).
    type: str
    choices:
      - proxy_admin
      - proxy_admin_viewer
      - internal_user
      - internal_user_viewer
    aliases:
      - role
  login:
    description:
      - Whether the user gets a password for the web UI, generated once and kept in the Secret
        C(litellm-user-passwords) of the gateway's namespace. A password that the user changes there
        is left alone.
      - V(false) leaves things as they are.
    type: bool
    default: false
  login_password:
    description:
      - The password to give the user in place of a generated one. LiteLLM 1.106 asks for 12
        characters with a capital and a small letter, a digit and a sign.
      - It is set when it differs from the one that was set last. It works as it is, though LiteLLM
        1.106 has users change a password that an administrator set.
    type: str
  models:
    description:
      - The public names of the models that keys of the user may use which are in no team. An empty list
        allows all.
    type: list
    elements: str
  max_budget:
    description:
      - What the keys of the user together may spend, in US dollars. A number below zero takes the limit
        away.
    type: float
  budget_duration:
    description:
      - After which time the spend counts from zero again, such as V(30d). V(-1) takes that away, which
        LiteLLM 1.81 cannot.
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
  state:
    description:
      - Whether the user is there.
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
- name: A user who may use every model
  rhpds.litemaas.litellm_user:
    gateway_url: https://litellm.example.com
    gateway_key: "{{ master_key }}"
    id: ann
    email: ann@example.com
    models: []

- name: The same with a password for the web UI, kept in a Secret beside the gateway
  rhpds.litemaas.litellm_user:
    gateway_namespace: litemaas
    id: ann
    email: ann@example.com
    login: true
"""

RETURN = r"""
user:
  description: The user as M(rhpds.litemaas.gateway_content) returns it, with its C(action).
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
        **_content_options.USER,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _content_module.one(module, "user", _content_options.USER)


if __name__ == "__main__":
    main()
