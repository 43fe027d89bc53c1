#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module credentials: passwords and keys of all instances, born once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials
short_description: Keep the passwords and keys of LiteMaaS instances in their Secrets
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Reads the Secrets C(litellm-secret) and C(postgres-secret) of any number of instances with one
    LIST, generates what is missing, and writes what is new, concurrently. No value passes through
    Ansible.
  - Credentials are born once. What is stored stays; what is given replaces it and changes only
    what uses it; what was lost is derived from what is left, or generated. The first run and the
    thousandth end with the same credentials, also when a run is killed in the middle or two run
    at once.
  - A master key or salt that differs from the one in use is refused, since changing them locks
    out or makes data unreadable. A Secret of the same name that this collection did not make is
    refused. All refusals are found before anything is written.
  - C(DATABASE_URL) is percent-encoded, so that passwords may hold any character but control
    characters.
options:
  state:
    description:
      - V(present) makes the Secrets complete.
      - V(read) returns what the users of the instances are told. Such a task needs C(no_log).
    type: str
    choices: [present, read]
    default: present
  instances:
    description:
      - The instances, as the module M(rhpds.litemaas.plan) returns them in C(instances).
      - Of each the C(name), the C(namespace) it lives in and the ownership C(labels) of its
        objects are used, and whether it has a C(redis), C(pgbouncer) or C(backend), which then get a Secret each;
        other keys are ignored.
      - Where it has an C(external_database), that Secret's value becomes its C(DATABASE_URL), in place of
        one for a PostgreSQL of its own.
    type: list
    elements: dict
    required: true
  recipients:
    description:
      - Who is told how to log in, as the module M(rhpds.litemaas.plan) returns them in C(recipients). Used with
        O(state=read).
    type: list
    elements: dict
    default: []
  contents:
    description:
      - What the gateways hold, as the module M(rhpds.litemaas.gateway_content) returns it in C(gateways). Used with
        O(state=read).
    type: list
    elements: dict
    default: []
  on_failure:
    description:
      - What becomes of a task some of whose instances could not be served. The others are in
        either case.
      - V(fail) fails it, naming each of them. V(report) lets it pass and returns them in
        RV(failed_instances). What stands in the way of all instances fails it always.
    type: str
    choices: [fail, report]
    default: fail
  namespaces:
    description:
      - Manifests of namespaces as YAML text, applied first, so that the Secrets have a home.
    type: str
    default: ""
  database_user:
    description:
      - The role that owns the database. It is made once, and another name than before is refused.
    type: str
    default: litellm
  database_name:
    description:
      - The name of the database. It is made once, and another name than before is refused.
    type: str
    default: litellm
  database_password:
    description:
      - The password of O(database_user). Empty to keep what is stored, else to generate one.
      - The database takes a changed one at its next start, which the changed hash brings about.
    type: raw
    default: ""
  ui_username:
    description:
      - The user name of the web UI. Empty to keep what is stored, else V(admin).
    type: raw
    default: ""
  ui_password:
    description:
      - The password of the web UI, the same for all instances. Empty to keep what is stored, else
        to generate an own one for each.
    type: raw
    default: ""
  master_key:
    description:
      - The master key of the gateways, C(sk-) and 13 characters at least. Empty to keep what is
        stored, else to generate an own one for each.
    type: raw
    default: ""
  salt_key:
    description:
      - What the gateways encrypt model credentials in their databases with, 16 characters at
        least. Empty to keep what is stored, else to generate an own one for each.
      - An instance that was made without salt encrypts with its master key, which then becomes
        its salt.
    type: raw
    default: ""
  tls_certificate:
    description:
      - The certificate behind the addresses of the gateways in PEM, those between it and its CA behind
        it. Kept with O(tls_key) in a Secret C(litellm-tls) of each instance.
    type: str
    default: ""
  tls_key:
    description:
      - The private key of O(tls_certificate) in PEM.
    type: str
    default: ""
  pull_secret:
    description:
      - Logins to registries, as text or mapping in the form of C(.dockerconfigjson). Kept in a Secret
        C(litemaas-pull-secret) of each instance.
    type: raw
    default: ""
extends_documentation_fragment:
  - rhpds.litemaas.connection
attributes:
  check_mode:
    support: full
    description: Predicts without generating anything; refuses what the real run would refuse.
  diff_mode:
    support: full
    description: Shows which keys of which Secrets change, never their values.
notes:
  - Credentials that are no text are refused, because YAML reads V(0123) as another number. Quote
    them.
  - The Secrets may be edited by hand. Whatever was put into them is kept, and the pods that use it
    are rolled by the next run.
"""

EXAMPLES = r"""
- name: Keep or make the credentials of all instances
  rhpds.litemaas.credentials:
    instances: "{{ plan.instances }}"
    namespaces: "{{ lookup('ansible.builtin.template', 'namespaces.yml.j2') }}"
  register: credentials

- name: Say which Secrets are new
  ansible.builtin.debug:
    msg: "{{ credentials.secrets | selectattr('action', 'eq', 'created') | map(attribute='namespace') }}"

- name: Give all users the same password for the web UI
  rhpds.litemaas.credentials:
    instances: "{{ plan.instances }}"
    ui_password: "{{ common_password }}"

- name: Read what the users are told
  rhpds.litemaas.credentials:
    state: read
    instances: "{{ plan.instances }}"
  register: published
  no_log: true
"""

RETURN = r"""
secrets:
  description: Each Secret and what was done with it, in the order of the instances.
  returned: when O(state=present)
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace it is in.
      type: str
      sample: litemaas-user1
    name:
      description: Its name.
      type: str
      sample: litellm-secret
    action:
      description: V(created), V(configured) or V(unchanged).
      type: str
      sample: created
    generated:
      description: The keys that got a new random value.
      type: list
      elements: str
      sample: [LITELLM_MASTER_KEY, LITELLM_SALT_KEY, UI_PASSWORD]
    updated:
      description: Other keys of a Secret that was there which are new or changed.
      type: list
      elements: str
      sample: [DATABASE_URL]
instances:
  description:
    - Each instance, in the order given, with a hash of each Secret for an annotation of the pods
      that use it. It is keyed with the salt, so that it tells nothing about a weak password.
  returned: when O(state=present)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the instance.
      type: str
      sample: user1
    hashes:
      description:
        - By the name of the workload that uses the Secret, and as C(backend_database) of what the
          database takes from the backend's. V(unknown-until-created) in check mode where something
          would be generated.
      type: dict
      sample: {litellm: 5f70bf18a086007016e948b04aed3b82, postgres: 098f6bcd4621d373cade4e832627b4f6}
objects:
  description: The namespaces of O(namespaces), with kind, namespace, name and action.
  returned: when O(state=present)
  type: list
  elements: dict
  sample: [{kind: Namespace, namespace: "", name: litemaas-user1, action: created}]
notes:
  description: What could not be read as usual, and what was done instead.
  returned: always
  type: list
  elements: str
  sample: ["Not allowed (403) to list Secrets in all namespaces: read one by one."]
failed_instances:
  description: The instances that could not be served, and why. The others are done.
  returned: always, and on failure when it is about instances
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
      description: What is wrong and what to do about it.
      type: str
credentials:
  description: By the name of the instance what its user is told. These are secrets.
  returned: when O(state=read)
  type: dict
  contains:
    username:
      description: The user name of the web UI.
      type: str
      sample: admin
    password:
      description: The password of the web UI.
      type: str
    api_key:
      description: The master key of the gateway.
      type: str
    virtual_keys:
      description: The values of its virtual keys, by their key in the Secret C(litellm-virtual-keys).
      type: dict
    passwords:
      description: The passwords of its users, by their key in the Secret C(litellm-user-passwords).
      type: dict
handed_out:
  description:
    - By the name of each of O(recipients) how to log in. Who cannot be served yet is left out. These are secrets.
    - On a gateway that users share the master key is told to none of them.
  returned: when O(state=read)
  type: dict
  contains:
    username:
      description: The user name of the web UI.
      type: str
      sample: user1
    password:
      description: The password of the web UI.
      type: str
    api_key:
      description: The master key of the gateway, or on one that users share the user's own virtual key.
      type: str
    virtual_key:
      description: The value of the user's first virtual key. Empty where there is none.
      type: str
    models:
      description: The models of that key, or of the gateway, separated by commas.
      type: str
      sample: granite
missing:
  description:
    - The instances that have no credentials yet. Outside check mode there being any is an error.
  returned: when O(state=read)
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _connection,
    _credential_states,
    _packed,
    _password,
    _secrecy,
    _site_secrets,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

SHORTEST_BLANKED = 4  # characters; the text of a shorter value is everywhere and tells nothing


def argument_spec() -> dict:
    """Return the options: the connection's, the instances, and the values that may be given."""
    return {
        **_connection.ARGUMENT_SPEC,
        "state": {"type": "str", "choices": ["present", "read"], "default": "present"},
        # Without suboptions: those would forbid the keys that are not used here.
        "instances": {"type": "list", "elements": "dict", "required": True},
        "recipients": {"type": "list", "elements": "dict", "default": []},
        "contents": {"type": "list", "elements": "dict", "default": []},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "namespaces": {"type": "str", "default": ""},
        **{name: {"type": "str", "default": "litellm"} for name in _password.IDENTIFIERS},
        # raw: that YAML made a number of a password must be said, not hidden by a conversion.
        **{
            name: {"type": "raw", "default": "", "no_log": name in _password.SECRETS}
            for name in _password.TEXTS
        },
        **_site_secrets.OPTIONS,
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    wanted = _taken(module)
    instances = module.params["instances"]
    # Ansible returns the parameters, after a look for secrets at each word of them.
    module.params["instances"] = [each.get("name") for each in instances]
    site = {name: module.params.pop(name) for name in _site_secrets.OPTIONS}
    # Returned nowhere; and a registry's user name may be a word of any message.
    module.no_log_values.difference_update(_secrecy.texts(site))
    report = module.params["on_failure"] == "report"
    try:
        given = _site_secrets.given(site)
        client = _client.connect(module.params)
        if module.params["state"] == "read":
            result = _credential_states.read(
                client,
                instances,
                module.params["recipients"],
                module.params["contents"],
                dry_run=module.check_mode,
                report=report,
            )
        else:
            result = _credential_states.present(
                client,
                instances,
                _packed.unpack(module.params["namespaces"]),
                wanted,
                given,
                dry_run=module.check_mode,
                diff=module._diff,
                report=report,
            )
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**result)


def _taken(module: AnsibleModule) -> Wanted:
    """Take the given values out of the parameters, which Ansible returns, and judge them.

    Ansible also blanks them wherever their text occurs in the result. There are no values in it,
    but names: a password `litemaas` would blank what the next task reads, and that of one letter
    each message. So such values need no blanking.
    """
    given = {name: module.params.pop(name) for name in _password.TEXTS}
    given |= {name: module.params[name] for name in _password.IDENTIFIERS}
    secrets = {name: given[name] for name in _password.SECRETS}
    problems = _password.problems(given)
    if problems:
        module.no_log_values.difference_update(_secrecy.texts(secrets))
        for name in _site_secrets.OPTIONS:
            module.params.pop(name)
        module.fail_json(msg="\n".join(problems))
    names = "\n".join(_secrecy.texts(module.params["instances"]))
    module.no_log_values.difference_update(
        text for text in _secrecy.texts(secrets) if text in names or len(text) < SHORTEST_BLANKED
    )
    return Wanted(**{name: value or "" for name, value in given.items()})


if __name__ == "__main__":
    main()
