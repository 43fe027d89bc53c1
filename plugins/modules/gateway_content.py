#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module gateway_content: models, teams, users and keys of many gateways at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_content
short_description: Bring many gateways to the same models, teams, users and keys
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Gives each of any number of LiteLLM gateways the models, teams, users and virtual keys that are declared,
    all gateways at once.
  - Works with LiteLLM 1.81 and 1.106. Objects that are not declared stay as they are, and so do fields
    that are not given.
  - Models are known by an id of their own, teams by theirs, users by their id, keys by their alias. A
    second run changes nothing.
  - The value of a key is generated here and kept in a Secret before the gateway learns of it, so that
    every run finds the same key.
  - One bad gateway, or one bad object, takes nothing from the others. They are done, and the module fails
    at the end and names each problem.
options:
  gateways:
    description:
      - The gateways, such as the C(instances) of M(rhpds.litemaas.plan). Each is a dictionary with a
        C(namespace), where its key is read from the Secret O(gateway_secret), or with a C(url), whose
        key is O(gateway_key), or with both.
      - Of an instance its C(name), C(expose) and C(labels) are used too; other entries are ignored.
    type: list
    elements: dict
    required: true
  models:
    description:
      - The models.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The public name, which clients ask for.
        type: str
        required: true
        aliases:
          - model_name
      model:
        description:
          - What LiteLLM asks for behind it, with the provider in front, such as V(openai/granite-3-8b).
            V(openai/) and O(models[].name) when only O(models[].api_base) is given.
        type: str
      api_base:
        description:
          - The address of the model server, such as V(https://granite.example.com/v1).
        type: str
      api_key:
        description:
          - The credential for the model server. It is stored encrypted by the gateway and returned by
            nobody; a changed one is noticed by a keyed hash.
        type: str
      api_key_secret:
        description:
          - A Secret of the cluster that holds the credential, instead of O(models[].api_key).
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
          - The id of the deployment. Made of the name when not given; needed where several deployments
            share a name, and to take over a model that was made by others.
        type: str
      state:
        description:
          - Whether the model is there.
        type: str
        choices:
          - present
          - absent
        default: present
  teams:
    description:
      - The teams.
    type: list
    elements: dict
    default: []
    suboptions:
      team_alias:
        description:
          - The name of the team.
        type: str
        aliases:
          - alias
      team_id:
        description:
          - The team's id. Without it the one team with this O(teams[].team_alias) is meant, and a new one
            gets the alias as its id.
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
          - What all keys of the team together may spend, in US dollars. A number below zero takes the
            limit away.
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
  users:
    description:
      - The users of the gateway.
    type: list
    elements: dict
    default: []
    suboptions:
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
          - The public names of the models that keys of the user may use which are in no team. An empty
            list allows all.
        type: list
        elements: str
      max_budget:
        description:
          - What the keys of the user together may spend, in US dollars. A number below zero takes the
            limit away.
        type: float
      budget_duration:
        description:
          - After which time the spend counts from zero again, such as V(30d). V(-1) takes that away,
            which LiteLLM 1.81 cannot.
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
  virtual_keys:
    description:
      - The virtual keys.
    type: list
    elements: dict
    default: []
    suboptions:
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
            is replaced by the public name; what could mean several models, or none, is refused with the
            candidates.
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
          - After which time the spend counts from zero again, such as V(30d). V(-1) takes that away,
            which LiteLLM 1.81 cannot.
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
          - How many requests the key may have under way at once. A number below zero takes the limit
            away.
        type: int
      duration:
        description:
          - How long the key lives, such as V(30d), from the run that first says so. V(-1) lets it live
            for ever.
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
          - Give the key a new value, at every run. Its settings and what was spent stay, the old value
            ends at once.
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
          - The model to ask then. By default the first of the models of the key that answers chats or
            embeddings.
        type: str
      repair_access:
        description:
          - Add the models of the key to the list of its team, or of its user when it is in no team, where
            that list would refuse them. LiteLLM's web form gives new users V(no-default-models), with
            which every key of theirs is refused.
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
  on_failure:
    description:
      - What to do when something could not be done for some of the gateways. V(fail) fails the
        task, with the result of all; V(report) leaves that to the caller, who finds them in
        C(failed_instances).
    type: str
    choices:
      - fail
      - report
    default: fail
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
  surplus_metadata:
    description:
      - Entries of metadata by which keys, teams and users of an earlier run are known, such as
        V(made_for=class). Those that have all of them and are not declared are surplus. None is
        looked for where it is empty.
    type: dict
    default: {}
  remove_surplus:
    description:
      - Whether what is surplus is deleted, with what it had spent, or only returned.
    type: bool
    default: false
  return_values:
    description:
      - 'Whether the values of keys and the passwords of users are returned. Use C(no_log: true) on the
        task then.'
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
notes:
  - O(gateway_url) and O(gateway_namespace) have no meaning here; the entries of O(gateways) take their
    place. O(gateway_key) is the key of all of them.
seealso:
  - module: rhpds.litemaas.litellm_model
  - module: rhpds.litemaas.litellm_team
  - module: rhpds.litemaas.litellm_user
  - module: rhpds.litemaas.litellm_key
  - module: rhpds.litemaas.litellm_info
"""

EXAMPLES = r"""
- name: Give every instance its models and a key
  rhpds.litemaas.gateway_content:
    gateways: "{{ plan.instances }}"
    models:
      - name: granite
        model: openai/granite-3-8b-instruct
        api_base: https://granite.example.com/v1
        api_key: "{{ granite_key }}"
      - name: embed
        model: openai/nomic-embed
        api_base: https://embed.example.com/v1
        api_key_secret:
          name: embed-credentials
          key: token
        mode: embedding
    virtual_keys:
      - alias: lab
        models: [granite, embed]
        max_budget: 10
        duration: 7d
        verify: true
  register: content

- name: A gateway elsewhere
  rhpds.litemaas.gateway_content:
    gateways:
      - name: shared
        url: https://litellm.example.com
    gateway_key: "{{ master_key }}"
    teams:
      - alias: students
        models: [granite]
        max_budget: 100
        members:
          - id: ann
    users:
      - id: ann
        email: ann@example.com
        login_password: "{{ ann_password }}"
"""

RETURN = r"""
failed_instances:
  description: The gateways for which something could not be done.
  returned: when the declaration is valid
  type: list
  elements: dict
  contains:
    name:
      description: The name of the gateway.
      type: str
    namespace:
      description: Its namespace.
      type: str
    reason:
      description: What could not be done and why.
      type: str
gateways:
  description: Each gateway in the order given, and what was done there.
  returned: when the declaration is valid
  type: list
  elements: dict
  contains:
    name:
      description: The name of the gateway.
      type: str
      sample: user1
    namespace:
      description: Its namespace, empty when it is known by its address alone.
      type: str
      sample: litemaas-user1
    url:
      description: Its address.
      type: str
    via:
      description: How it was asked, V(route), V(ingress), V(address) or V(proxy).
      type: str
      sample: route
    via_reason:
      description: Why it was asked through the proxy and not at its address.
      type: str
    changed:
      description: Whether something was changed there.
      type: bool
    failed:
      description: Whether something could not be done there.
      type: bool
    problems:
      description: What could not be done and why, a sentence each.
      type: list
      elements: str
    notes:
      description: What should be known, such as a name that was resolved. Ansible prints them as warnings.
      type: list
      elements: str
    served:
      description: The public names of all models of the gateway.
      type: list
      elements: str
      sample: [granite]
    models:
      description: The declared models with C(name), C(id) and C(action).
      type: list
      elements: dict
      sample: [{name: granite, id: 0b6a6a0e-3d1b-5b3f-8c35-3b6d6b1fd6f5, action: created}]
    teams:
      description: The declared teams with C(team_alias), C(team_id) and C(action).
      type: list
      elements: dict
      sample: [{team_alias: students, team_id: students, action: unchanged}]
    users:
      description:
        - The declared users, and those whose list was repaired, with C(user_id) and C(action). Where a
          user has a password, where it is kept, as of a key; with C(password) where values are asked for.
      type: list
      elements: dict
      sample: [{user_id: ann, action: updated}]
    surplus:
      description:
        - What is surplus, with its C(kind) (V(key), V(team) or V(user)), C(name), C(id), C(spend) in US
          dollars, and C(action), V(kept) or V(deleted).
      type: list
      elements: dict
      sample: [{kind: user, name: user4, id: user4, spend: 0.12, action: kept}]
    virtual_keys:
      description:
        - The declared keys with C(key_alias), C(token) (the SHA-256 by which the gateway knows it),
          C(action), their C(models), and where the value is kept (C(secret_namespace), C(secret),
          C(secret_key)). With C(value) where that was asked for, and C(verified_model).
        - An action is V(created), V(updated), V(replaced), V(deleted) or V(unchanged).
      type: list
      elements: dict
      sample: [{key_alias: lab, action: created, models: [granite], secret: litellm-virtual-keys}]
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
        **_content_options.CONTENT,
        **_content_options.KEY_STORE,
        **_content_options.SURPLUS,
        "gateways": {"type": "list", "elements": "dict", "required": True},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    given = module.params["gateways"]
    content = {kind: module.params[kind] for kind in _content_options.CONTENT}
    _content_module.run(module, lambda: _gateways.many(given, module.params), content)


if __name__ == "__main__":
    main()
