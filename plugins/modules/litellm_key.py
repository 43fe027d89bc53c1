#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module litellm_key: virtual keys of a gateway."""

from __future__ import annotations

DOCUMENTATION = r"""
module: litellm_key
short_description: Issue a virtual key of a LiteLLM gateway that provably works
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Makes, changes in place, rotates, or deletes one virtual key.
  - The value is generated here and kept in a Secret, so that a second run returns the same key.
  - The names of its models are checked against those of the gateway, and the lists of its user and team
    are looked at. These are the causes of C(key not allowed to access model).
  - What is not given stays as it is. For many gateways, or many objects, M(rhpds.litemaas.gateway_content)
    does the same in one task.
options:
  key_alias:
    description:
      - The name by which the key is known. No two keys of a gateway share one.
    type: str
    required: true
    aliases:
      - alias
  models:
    description:
      - The models that the key may use. An empty list allows all. Left as it is when not given.
      - Clients send the public name of a model, so that is what counts. An upstream id such as V(openai/granite)
        is replaced by the public name; what could mean several models, or none, is refused with the candidates.
    type: list
    elements: str
  team_id:
    description:
      - The team the key belongs to, by its id or alias.
    type: str
    aliases:
      - team
  user_id:
    description:
      - The user the key belongs to.
    type: str
    aliases:
      - user
  max_budget:
    description:
      - What the key may spend, in US dollars. A number below zero takes the limit away.
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
  max_parallel_requests:
    description:
      - How many requests the key may have under way at once. A number below zero takes the limit away.
    type: int
  duration:
    description:
      - How long the key lives, such as V(30d), from the run that first says so. V(-1) lets it live for
        ever.
    type: str
  metadata:
    description:
      - Entries of the metadata. Other entries stay; V(null) takes one away.
    type: dict
  aliases:
    description:
      - Names that the key gives to models, by the name it gives.
    type: dict
  blocked:
    description:
      - Whether requests with the key are refused.
    type: bool
  value:
    description:
      - The value of the key, beginning with C(sk-). Generated when not given.
    type: str
  rotate:
    description:
      - Give the key a new value, at every run. Its settings and what was spent stay, the old value ends
        at once.
    type: bool
    default: false
  verify:
    description:
      - Make one real request with the key, and fail with the words of the gateway where it is refused.
        What another replica still remembers is waited out, for at most 75 seconds.
    type: bool
    default: false
  verify_model:
    description:
      - The model to ask then. By default the first of the models of the key that answers chats or embeddings.
    type: str
  repair_access:
    description:
      - Add the models of the key to the list of its team, or of its user when it is in no team, where
        that list would refuse them. LiteLLM's web form gives new users V(no-default-models), with which
        every key of theirs is refused.
      - With V(false) that is an error which says so. A list that is declared beside the key is never
        changed.
    type: bool
    default: true
  state:
    description:
      - Whether the key is there.
    type: str
    choices:
      - present
      - absent
    default: present
  key_secret:
    description:
      - The Secret in which values of keys are kept, so that a second run finds them. It is made with
        the ownership labels of the instance, and an existing one without them is refused.
    type: str
    default: litellm-virtual-keys
  key_secret_namespace:
    description:
      - The namespace of that Secret, by default that of the gateway.
    type: str
  return_values:
    description:
      - 'Whether the values of the keys are returned. Use C(no_log: true) on the task then.'
    type: bool
    default: false
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
- name: A key that is known to work
  rhpds.litemaas.litellm_key:
    gateway_namespace: litemaas
    alias: lab
    models: [granite]
    max_budget: 10
    verify: true

- name: Give it a new value
  rhpds.litemaas.litellm_key:
    gateway_namespace: litemaas
    alias: lab
    rotate: true
"""

RETURN = r"""
key:
  description: The key as M(rhpds.litemaas.gateway_content) returns it, with its C(action).
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
        **_content_options.KEY,
        **_content_options.KEY_STORE,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _content_module.one(module, "key", _content_options.KEY)


if __name__ == "__main__":
    main()
