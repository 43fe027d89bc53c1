#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module readiness: waits until instances answer, or says what holds each of them up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness
short_description: Wait until LiteMaaS instances answer
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Waits for any number of instances at once. A look at the cluster is one LIST per kind,
    whatever the number of instances.
  - Ready means that it answers. The workloads have rolled out their last change, the Route is
    admitted, and the gateway itself says that its database is connected and lists its models to
    the holder of the master key. A pod that is C(Running) counts for nothing.
  - An instance that is not ready has a reason that says what to do. It is taken from its pods,
    claims, events, the end of its log, or the gateway's answer, whichever tells most.
  - One bad instance takes nothing from the others. They are waited for, and the module fails at
    the end with the name and the reason of each that is not ready.
  - Trouble that waiting cannot end, such as an invalid image name or a host that another Route
    has, ends the wait for that instance early.
  - Prints a line of progress at least every ten seconds.
options:
  instances:
    description:
      - The instances to wait for, as the module M(rhpds.litemaas.plan) returns them in
        C(instances). Other keys than these are ignored.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the instance.
        type: str
        required: true
      namespace:
        description: The namespace it lives in.
        type: str
        required: true
      labels:
        description:
          - The ownership labels of its objects. What all instances share is the selector of the
            lists.
        type: dict
        required: true
      expose:
        description: What makes it reachable from outside the cluster.
        type: str
        choices: [route, ingress, none]
        default: none
      host:
        description: Its host name.
        type: str
        default: ""
      url:
        description: The address of its gateway.
        type: str
        default: ""
      external_database:
        description: Where the URL of the site's database is kept, in place of a PostgreSQL to wait for.
        type: dict
      switched_off:
        description:
          - Parts that it has no more, such as V(redis), although they may still be there. What is left of them
            is not waited for. Taken from the parts of the plan's result that are null.
        type: list
        elements: str
        default: []
      frontend:
        description:
          - The frontend of its LiteMaaS application, if it has one, of which the C(host) and the C(url) are used.
            The instance is ready when its page is served and the backend behind it says that it is.
        type: dict
  failed:
    description:
      - What went wrong before, as the module M(rhpds.litemaas.credentials) returns it in
        C(failed_instances) and M(rhpds.litemaas.manifests) in C(failed_namespaces). Of each the
        C(namespace) and the C(reason) are used.
      - Such an instance is not waited for. It is not ready, with that reason.
    type: list
    elements: dict
    default: []
  on_failure:
    description:
      - What becomes of the task when an instance is not ready. V(fail) fails it, naming each of
        them. V(report) lets it pass with RV(ready=false).
    type: str
    choices: [fail, report]
    default: fail
  timeout:
    description:
      - The number of seconds to wait. V(0) looks once.
    type: int
    default: 600
  gateway:
    description:
      - Whether to ask the gateways too.
      - The address (Route or Ingress) is asked over TLS, verified with the certificates of this
        machine and, on OpenShift, those of the cluster's router. Where it cannot be used from
        here, the service proxy of the API server is, which needs the permission to get
        C(services/proxy).
      - The master key is read from the Secret C(litellm-secret). It is never returned.
    type: bool
    default: true
  gateway_ca:
    description:
      - CA certificates that are trusted too when the gateways are asked, as PEM text or as the path of a
        file.
    type: str
    default: ""
  _slice:
    description:
      - Internal. Set by the action plug-in, which runs this module in slices to print its progress.
    type: str
extends_documentation_fragment:
  - rhpds.litemaas.connection
attributes:
  check_mode:
    support: full
    description: Looks once and reports, without waiting and without failing.
  diff_mode:
    support: none
    description: Nothing is ever changed.
notes:
  - Nothing is written to the cluster, and the result is never C(changed).
  - Where a kind may not be listed in the whole cluster, it is listed in each namespace.
seealso:
  - module: rhpds.litemaas.plan
"""

EXAMPLES = r"""
- name: Wait until every gateway answers
  rhpds.litemaas.readiness:
    instances: "{{ plan.instances }}"
    timeout: 900
  register: readiness

- name: Say which way each was asked
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.models }} models, asked through {{ item.via }}"
  loop: "{{ readiness.instances }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
ready:
  description: Whether all instances are ready.
  returned: always
  type: bool
  sample: true
instances:
  description: Each instance in the order given, ready or not.
  returned: when the cluster could be read
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
    ready:
      description: Whether it is ready.
      type: bool
    phase:
      description:
        - Where it stands. V(failed) (as told by O(failed)), V(absent), V(refused) (by quota, Pod Security or a security context
          constraint), V(pending) (no node or no volume), V(image), V(starting), V(crashing),
          V(unready) (its probe fails), V(rolling out), V(exposing) (the Route is not admitted),
          V(terminating), V(verifying) (the gateway does not answer as it should), V(unknown) (it
          may not be read), or V(ready).
      type: str
      sample: image
    component:
      description: The part that holds it up, empty when it is ready.
      type: str
      sample: litellm
    reason:
      description: Why it is not ready and what to do, empty when it is ready.
      type: str
    url:
      description: The address of its gateway.
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
      description: How many models it lists.
      type: int
      sample: 2
    waited:
      description: Seconds until it was ready, or until the end of the wait.
      type: float
      sample: 14.2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import _pem, _progress
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import (
    ARGUMENT_SPEC,
    load,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._readiness import Wait
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice


def argument_spec() -> dict:
    instance = {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "labels": {"type": "dict", "required": True},
        "expose": {"type": "str", "choices": ["route", "ingress", "none"], "default": "none"},
        "host": {"type": "str", "default": ""},
        "url": {"type": "str", "default": ""},
        "external_database": {"type": "dict"},
        "switched_off": {"type": "list", "elements": "str", "default": []},
        "frontend": {"type": "dict"},
    }
    return {
        **ARGUMENT_SPEC,
        "instances": {"type": "list", "elements": "dict", "required": True, "options": instance},
        "failed": {"type": "list", "elements": "dict", "default": []},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "timeout": {"type": "int", "default": 600},
        "gateway": {"type": "bool", "default": True},
        "gateway_ca": {"type": "str", "default": ""},
        "_slice": {"type": "str"},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    deadline = 0 if module.check_mode else module.params["timeout"]
    part = Slice.parse(module.params["_slice"], deadline)
    given = module.params["instances"]
    # Ansible returns the parameters, after a look for secrets at each word of them.
    module.params["instances"] = [each.get("name") for each in given]
    try:
        # Fewer and shorter tries than elsewhere: the wait is the retry, and progress is due.
        client = Client(load(module.params), timeout=8, retries=2, patience=6)
        wait = Wait(
            client,
            given,
            failed=_reasons(module.params["failed"]),
            gateway=module.params["gateway"],
            authorities=_pem.pem(module.params["gateway_ca"], "gateway_ca"),
            elapsed=part.elapsed,
            state=part.state,
        )
        over = wait.run(part.until, deadline)
        progress = _progress.line(wait.standings, wait.elapsed, wait.trouble)
        if not over:
            state, rest = wait.state(), wait.rest
            module.exit_json(changed=False, progress=progress, slice=state, rest=rest)
    except LitemaasError as error:
        module.fail_json(msg=str(error), ready=False, **error.result)
    instances = [_progress.result(standing, wait.elapsed) for standing in wait.standings]
    ready = all(instance["ready"] for instance in instances)
    result = {"ready": ready, "instances": instances, "progress": progress}
    if not ready and not module.check_mode and module.params["on_failure"] == "fail":
        module.fail_json(msg=_progress.failure(wait.standings, wait.elapsed), **result)
    module.exit_json(changed=False, **result)


def _reasons(failed: list) -> dict:
    """The first reason of each namespace: what came later is its consequence."""
    return {each["namespace"]: each["reason"] for each in reversed(failed)}


if __name__ == "__main__":
    main()
