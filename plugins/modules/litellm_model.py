#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module litellm_model: register models with a gateway."""

from __future__ import annotations

DOCUMENTATION = r"""
module: litellm_model
short_description: Register a model with a LiteLLM gateway
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Makes, changes in place, or deletes one model (a deployment) of a gateway.
  - What is not given stays as it is. For many gateways, or many objects, M(rhpds.litemaas.gateway_content)
    does the same in one task.
options:
  name:
    description:
      - The public name, which clients ask for.
    type: str
    required: true
    aliases:
      - model_name
  model:
    description:
      - What LiteLLM asks for behind it, with the provider in front, such as V(openai/granite-3-8b). V(openai/)
        and O(name) when only O(api_base) is given.
    type: str
  api_base:
    description:
      - The address of the model server, such as V(https://granite.example.com/v1).
    type: str
  api_key:
    description:
      - The credential for the model server. It is stored encrypted by the gateway and returned by nobody;
        a changed one is noticed by a keyed hash.
    type: str
  api_key_secret:
    description:
      - A Secret of the cluster that holds the credential, instead of O(api_key).
    type: dict
    suboptions:
      name:
        description:
          - Its name.
        type: str
        required: true
      key:
        description:
          - The key in it.
        type: str
        required: true
      namespace:
        description:
          - Its namespace, by default that of the gateway.
        type: str
  credentials:
    description:
      - Further credentials among the parameters, such as C(aws_secret_access_key).
    type: dict
  parameters:
    description:
      - Further parameters of LiteLLM's C(litellm_params), such as C(rpm), C(timeout) or C(input_cost_per_token).
      - One that an earlier run set and that is no longer given, or is V(null), is taken away. LiteLLM
        cannot clear a parameter, so the model is then made anew under the same id.
    type: dict
  litellm_params:
    description:
      - The same in the form of LiteLLM's own configuration, with C(model), C(api_base) and C(api_key)
        in it.
    type: dict
  mode:
    description:
      - What the model does, such as V(chat) or V(embedding).
    type: str
  info:
    description:
      - Further entries of C(model_info).
    type: dict
    aliases:
      - model_info
  id:
    description:
      - The id of the deployment. Made of the name when not given; needed where several deployments share
        a name, and to take over a model that was made by others.
    type: str
  state:
    description:
      - Whether the model is there.
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
- name: Register a model with one instance
  rhpds.litemaas.litellm_model:
    gateway_namespace: litemaas
    name: granite
    model: openai/granite-3-8b-instruct
    api_base: https://granite.example.com/v1
    api_key: "{{ granite_key }}"
    parameters:
      rpm: 60

- name: Take it away
  rhpds.litemaas.litellm_model:
    gateway_namespace: litemaas
    name: granite
    state: absent
"""

RETURN = r"""
model:
  description: The model as M(rhpds.litemaas.gateway_content) returns it, with its C(action).
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
        **_content_options.MODEL,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _content_module.one(module, "model", _content_options.MODEL)


if __name__ == "__main__":
    main()
