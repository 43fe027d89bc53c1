#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies and removes manifests: any number of objects in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: manifests
short_description: Apply or remove any number of Kubernetes objects in one task
version_added: 0.2.0
description:
  - With O(state=present), sends the objects of one YAML text to the cluster by server-side apply, all of
    them concurrently and over kept-open connections. Namespaces come first, then what pods need, then
    what runs.
  - What is as wanted already is found with one request a kind and is not sent at all. Fields that were
    sent earlier and are gone from the text are removed; what others added to an object stays.
  - An object that carries the label C(app.kubernetes.io/managed-by=rhpds.litemaas) is never applied over
    one that exists and is somebody else's.
  - One object that fails does not keep the others from being applied; the task fails at the end and
    names each. It fails before anything is sent when the text itself is wrong.
  - With O(state=absent), removes everything with the given labels. Namespaces with these labels are
    deleted whole, in other namespaces only the objects with these labels. Prints a line of progress at
    least every ten seconds.
options:
  state:
    description:
      - Whether the objects shall be as the manifests say, or be gone.
    type: str
    choices: [present, absent]
    default: present
  manifests:
    description:
      - One YAML text with any number of documents, for instance of P(ansible.builtin.template#lookup).
        A text, because Ansible takes ten times as long to hand over the same objects as a list.
      - C(stringData) of Secrets is turned into C(data).
      - The text is not logged and not part of the result, as it may hold Secrets.
      - Required with O(state=present).
    type: str
  on_failure:
    description:
      - What becomes of a task some of whose objects failed. The others are done in either case.
      - V(fail) fails it, naming each of them. V(report) lets it pass and returns them in
        RV(failures) and RV(failed_namespaces). What stands in the way of all objects fails it
        always.
    type: str
    choices: [fail, report]
    default: fail
  stale:
    description:
      - What to do with objects that earlier manifests of this deployment held and these do not, because a
        part of an instance was switched off. They are known by the label C(rhpds.litemaas/optional), in
        the namespaces of O(manifests). A ConfigMap C(litemaas-parts-…) in each of these namespaces keeps a
        record of the parts and their kinds, so that they are found with few requests; it is applied and
        removed with them, but for V(ignore).
      - V(ignore) does not look for them. V(report) returns them in RV(stale). V(remove) deletes them.
      - Namespaces in which an object failed are left as they are.
    type: str
    choices: [ignore, report, remove]
    default: ignore
  selector:
    description:
      - Labels of what is to be removed, at least one. C(app.kubernetes.io/managed-by=rhpds.litemaas) is
        always added, so nothing is found that this collection did not make.
      - Required with O(state=absent).
    type: dict
  namespaces:
    description:
      - Namespaces to look in where listing the whole cluster is forbidden.
      - A namespace named here that exists, does not carry the labels and holds nothing that does, is
        refused unless O(existing_namespaces=true).
    type: list
    elements: str
    default: []
  within:
    description:
      - Namespaces to which the removal is limited, themselves and what is in them. Empty for all
        that have the labels.
    type: list
    elements: str
    default: []
  existing_namespaces:
    description:
      - Whether O(namespaces) were there before this collection used them. They are never deleted
        without the labels; with this option it is also no mistake that they hold nothing to remove.
    type: bool
    default: false
  keep_data:
    description:
      - Whether Namespaces, PersistentVolumeClaims and Secrets stay when the rest is removed. Without the
        Secrets the data on the volumes is useless.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until what was removed is gone.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for that, in seconds. What is left then is named, with what holds it.
    type: int
    default: 300
  _slice:
    description:
      - Internal. Set by the action plug-in, which removes in slices to print its progress.
    type: str
extends_documentation_fragment:
  - rhpds.litemaas.connection
author:
  - rhpds.litemaas contributors (@rhpds)
attributes:
  check_mode:
    description: Predicts with dry runs on the server; writes nothing.
    support: full
  diff_mode:
    description: Shows the fields that this module applies, never a Secret's values.
    support: full
"""

EXAMPLES = r"""
- name: Apply all instances, rendered once
  rhpds.litemaas.manifests:
    manifests: "{{ lookup('ansible.builtin.template', 'instance.yml.j2') }}"

- name: Apply two objects
  rhpds.litemaas.manifests:
    manifests: |
      apiVersion: v1
      kind: Namespace
      metadata:
        name: litemaas
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: greeting
        namespace: litemaas
      data:
        text: hello

- name: Apply, and remove what earlier manifests of the deployment held and these do not
  rhpds.litemaas.manifests:
    manifests: "{{ lookup('ansible.builtin.template', 'instance.yml.j2') }}"
    stale: remove

- name: Remove a deployment and keep its data
  rhpds.litemaas.manifests:
    state: absent
    selector:
      rhpds.litemaas/deployment: litemaas
    keep_data: true

- name: Remove a deployment without permission to list the cluster
  rhpds.litemaas.manifests:
    state: absent
    selector:
      rhpds.litemaas/deployment: litemaas
    namespaces: [litemaas]
"""

RETURN = r"""
objects:
  description:
    - Every object and what became of it. In check mode, what would become of it.
    - Of a namespace that is deleted whole only the namespace is listed.
  returned: when the cluster was reached
  type: list
  elements: dict
  contains:
    kind:
      description: The object's kind.
      type: str
    namespace:
      description: Its namespace; empty for a kind without.
      type: str
    name:
      description: Its name.
      type: str
    action:
      description:
        - V(created), V(configured) or V(unchanged) with O(state=present).
        - V(deleted), V(kept), or V(terminating) for what somebody else deleted before, with O(state=absent);
          V(deleted) with O(stale=remove) too.
        - V(failed), or V(skipped) for what was not sent because its namespace failed.
      type: str
  sample:
    - {kind: Namespace, namespace: "", name: litemaas, action: created}
    - {kind: Service, namespace: litemaas, name: litellm, action: created}
summary:
  description: How many objects had each action. Actions that did not occur are left out.
  returned: when the cluster was reached
  type: dict
  sample: {created: 12}
stale:
  description: The objects that O(stale=remove) would delete, with kind, namespace and name.
  returned: when O(stale=report) and the cluster was reached
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: litemaas, name: redis}]
failures:
  description: The objects that failed, as in RV(objects), with a RV(failures[].message) each.
  returned: when an object failed, and with O(on_failure=report)
  type: list
  elements: dict
  contains:
    message:
      description: What is wrong and what to do about it.
      type: str
failed_namespaces:
  description: The namespaces in which objects failed.
  returned: when an object failed, and with O(on_failure=report)
  type: list
  elements: dict
  contains:
    namespace:
      description: Its name.
      type: str
      sample: litemaas-user7
    reason:
      description: What is wrong with the first of them and what to do about it.
      type: str
"""

import math
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _apply,
    _client,
    _connection,
    _manifest,
    _packed,
    _remove,
    _resources,
    _stale,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice


def argument_spec() -> dict[str, Any]:
    """The module's own options and those of the connection."""
    return {
        **_connection.ARGUMENT_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        # no_log: a text may hold Secrets, and the module logs its parameters to the system's
        # journal and returns them. Only the text as a whole is hidden, so nothing else suffers.
        "manifests": {"type": "str", "no_log": True},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "stale": {
            "type": "str",
            "choices": ["ignore", "report", "remove"],
            "default": "ignore",
        },
        "selector": {"type": "dict"},
        "namespaces": {"type": "list", "elements": "str", "default": []},
        "within": {"type": "list", "elements": "str", "default": []},
        "existing_namespaces": {"type": "bool", "default": False},
        "keep_data": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        "_slice": {"type": "str"},
    }


def apply(params: dict[str, Any], *, check_mode: bool, diff: bool) -> ChangeSet:
    """Send the manifests. Raises LitemaasError before anything was changed."""
    client = _client.connect(params)
    text = _packed.unpack(params["manifests"] or "")
    objects = _manifest.load(text, partial(_resources.resolve, client))
    if params["stale"] == "ignore":
        return _apply.apply(client, objects, dry_run=check_mode, diff=diff)
    objects = [*_stale.records(objects), *objects]
    beside: list[Any] = []
    changes = _apply.apply(client, objects, dry_run=check_mode, diff=diff, beside=beside)
    remove = params["stale"] == "remove"
    _stale.settle(client, objects, changes, beside, remove=remove, dry_run=check_mode)
    return changes


def removal(params: dict[str, Any], part: Slice, *, check_mode: bool) -> _remove.Removal:
    """The removal that the options ask for, where the last slice left it."""
    request = _remove.Request(
        selector={name: str(value) for name, value in (params["selector"] or {}).items()},
        namespaces=tuple(params["namespaces"]),
        within=frozenset(params["within"]),
        existing_namespaces=params["existing_namespaces"],
        keep_data=params["keep_data"],
        wait=params["wait_timeout"] if params["wait"] else 0,
    )
    return _remove.Removal(
        _client.connect(params),
        request,
        dry_run=check_mode,
        elapsed=part.elapsed,
        state=part.state,
    )


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_if=[("state", "present", ["manifests"]), ("state", "absent", ["selector"])],
    )
    result: dict[str, Any] = {}
    try:
        if module.params["state"] == "present":
            changes = apply(module.params, check_mode=module.check_mode, diff=module._diff)
        else:
            part = Slice.parse(module.params["_slice"], math.inf)
            going = removal(module.params, part, check_mode=module.check_mode)
            over = going.run(part.until)
            result["progress"] = going.line()
            if not over:
                module.exit_json(changed=False, slice=going.state(), **result)
            changes = going.changes()
        if module._diff:
            result["diff"] = changes.diff()
        if module.params["on_failure"] == "report":
            module.exit_json(**changes.report(), **result)
        changes.check()
    except LitemaasError as error:
        module.fail_json(msg=str(error), **{**error.result, **result})
    module.exit_json(**changes.result(), **result)


if __name__ == "__main__":
    main()
