#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module instance_info: which instances there are, and how each of them is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: Tell which LiteMaaS instances there are and how each of them is
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Finds every instance of the cluster by its ownership labels, of whichever deployment, and needs
    to know nothing of how it was deployed.
  - Judges each as M(rhpds.litemaas.readiness) does, and asks each gateway once. One that is not
    ready has a reason that says what to do.
  - The number of requests to the API server does not grow with the instances that are ready. Those
    that are not cost a few more, for the reason.
  - The module does not fail for an instance that is not ready. It does when the API server cannot
    be reached, or lets this user see nothing.
options:
  namespaces:
    description:
      - Look in these namespaces only. Needed by a user who may not list the whole cluster.
      - One that holds no instance is left out. One that may not be read is in the result, not
        ready and with the reason.
    type: list
    elements: str
    default: []
  deployment:
    description:
      - Only the instances of this deployment, the value of the label
        C(rhpds.litemaas/deployment). That is the namespace, such as V(litemaas), or with many users
        the first part of their namespaces, such as V(litemaas-user).
    type: str
    default: ""
  gateway:
    description:
      - Whether to ask the gateways. When not, an instance is ready when its workloads are rolled
        out and its Route is admitted.
      - The key for that is read from the Secret C(litellm-secret). Set to V(false) where Secrets
        may not be read.
    type: bool
    default: true
  gateway_ca:
    description:
      - CA certificates that are trusted too when the gateways are asked, as PEM text or as the path of a
        file.
    type: str
    default: ""
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.read_only
seealso:
  - module: rhpds.litemaas.readiness
  - plugin: rhpds.litemaas.status_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at all instances of the cluster
  rhpds.litemaas.instance_info:
  register: status

- name: Show them
  rhpds.litemaas.show:
    text: "{{ status.instances | rhpds.litemaas.status_table }}"

- name: Look where the cluster may not be listed and Secrets may not be read
  rhpds.litemaas.instance_info:
    namespaces: [litemaas-user1, litemaas-user2]
    gateway: false
"""

RETURN = r"""
ready:
  description: Whether all that were found are ready. Also when there are none.
  returned: always
  type: bool
  sample: true
instances:
  description: The instances, by deployment and name.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the instance.
      type: str
      sample: user1
    namespace:
      description: Its namespace.
      type: str
      sample: litemaas-user1
    deployment:
      description: The deployment it is of.
      type: str
      sample: litemaas-user
    ready:
      description: Whether it is ready.
      type: bool
    phase:
      description: Where it stands, in the words of M(rhpds.litemaas.readiness).
      type: str
      sample: ready
    component:
      description: The part that holds it up, empty when it is ready.
      type: str
      sample: litellm
    reason:
      description: Why it is not ready and what to do, empty when it is ready.
      type: str
    url:
      description: The address of its gateway, empty where its Route is missing.
      type: str
      sample: https://litellm-user1-rhpds.apps.example.com
    frontend_url:
      description: The address of its LiteMaaS application. Empty where it has none.
      type: str
      sample: ""
    via:
      description:
        - How its gateway was asked, V(route), V(ingress) or V(proxy). Empty when it was not, or
          did not answer as it should.
      type: str
      sample: route
    via_reason:
      description: Why it was asked through the proxy and not at its address.
      type: str
    models:
      description: How many models it lists, C(null) when its gateway did not say.
      type: int
      sample: 2
    version:
      description: The tag of the gateway's image, or the beginning of its digest.
      type: str
      sample: v1.106.0
    litemaas_version:
      description: The LiteMaaS release it was deployed as, empty where nothing says so.
      type: str
      sample: 0.2.0
    created:
      description: When its gateway was first deployed, empty where there is none.
      type: str
      sample: "2026-03-02T08:15:00Z"
    age:
      description: The same in seconds before now, C(null) where there is none.
      type: int
      sample: 86400
    restarts:
      description: How often containers of its pods were restarted, C(null) where pods may not be read.
      type: int
      sample: 0
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _connection,
    _pem,
    _status,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def argument_spec() -> dict:
    """Return the options."""
    return {
        **_connection.ARGUMENT_SPEC,
        "namespaces": {"type": "list", "elements": "str", "default": []},
        "deployment": {"type": "str", "default": ""},
        "gateway": {"type": "bool", "default": True},
        "gateway_ca": {"type": "str", "default": ""},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        instances = _status.read(
            _client.connect(module.params),
            namespaces=module.params["namespaces"],
            deployment=module.params["deployment"],
            gateway=module.params["gateway"],
            authorities=_pem.pem(module.params["gateway_ca"], "gateway_ca"),
        )
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    ready = all(instance["ready"] for instance in instances)
    module.exit_json(changed=False, ready=ready, instances=instances)


if __name__ == "__main__":
    main()
