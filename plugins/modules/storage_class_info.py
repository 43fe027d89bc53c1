#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module storage_class_info: which storage class databases get, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_class_info
short_description: Choose the storage class for databases
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Chooses a storage class and says why. O(name) counts most; then the class the cluster marks as
    its default, of several the newest; then the names known for the platform, in order of
    preference; then those known for other platforms.
  - A class meant for virtual machines (C(storageclass.kubevirt.io/is-default-virt-class)) is chosen
    only when no other fits, a shared file system (NFS, CephFS, EFS and the like) last of all.
  - A class that makes no volumes is never chosen and refused when asked for. That is one with the
    provisioner C(kubernetes.io/no-provisioner), or one for object buckets.
  - When nothing fits, or O(name) does not exist, the module fails and lists what there is.
options:
  name:
    description:
      - The class that the user wants. Empty to have one chosen.
      - A user who may not list storage classes has to name one. It is then taken as given, and
        RV(notes) says so.
    type: str
    default: ""
  platform:
    description:
      - The platform, as M(rhpds.litemaas.cluster_info) returns it in C(cloud_provider).
      - On V(AWS) the known classes are C(gp3-csi) and C(gp2-csi), on V(VSphere) C(thin-csi), on
        V(Azure) C(managed-csi), on V(GCP) C(standard-csi). On V(BareMetal), V(None), V(KubeVirt)
        and V(External) they are C(ocs-external-storagecluster-ceph-rbd),
        C(ocs-storagecluster-ceph-rbd), any C(hostpath-csi*) and C(hostpath-provisioner).
      - Everywhere the names of the other platforms follow, and any C(lvms-*).
    type: str
    default: ""
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.read_only
"""

EXAMPLES = r"""
- name: Look at the cluster
  rhpds.litemaas.cluster_info:
  register: cluster

- name: Choose a storage class
  rhpds.litemaas.storage_class_info:
    platform: "{{ cluster.cloud_provider }}"
  register: storage

- name: Say which and why
  ansible.builtin.debug:
    msg: "{{ storage.storage_class.name }}: {{ storage.storage_class.reason }}"

- name: Make sure that a class exists and can be used
  rhpds.litemaas.storage_class_info:
    name: gp3-csi
"""

RETURN = r"""
storage_class:
  description: The class to use.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: gp3-csi
    provisioner:
      description: What makes its volumes. Empty, as all that follows, when RV(storage_class.verified) is false.
      type: str
      sample: ebs.csi.aws.com
    volume_binding_mode:
      description: V(Immediate) or V(WaitForFirstConsumer).
      type: str
      sample: WaitForFirstConsumer
    allow_volume_expansion:
      description: Whether a volume can grow later.
      type: bool
      sample: true
    reclaim_policy:
      description: What becomes of a volume whose claim is deleted, V(Delete) or V(Retain).
      type: str
      sample: Delete
    reason:
      description: Why it was chosen, in words.
      type: str
      sample: the cluster's default storage class
    verified:
      description: Whether the cluster confirmed that the class exists.
      type: bool
      sample: true
storage_classes:
  description: All classes of the cluster, by name. Empty when they may not be listed.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: gp3-csi
    provisioner:
      description: What makes its volumes.
      type: str
      sample: ebs.csi.aws.com
    default:
      description: Whether the cluster marks it as default.
      type: bool
      sample: true
    usable:
      description: Whether a database can have a volume of it.
      type: bool
      sample: true
notes:
  description: What could not be read and why, in words.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _connection,
    _storage_class,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def argument_spec() -> dict:
    """Return the options."""
    return {
        **_connection.ARGUMENT_SPEC,
        "name": {"type": "str", "default": ""},
        "platform": {"type": "str", "default": ""},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        client = _client.connect(module.params)
        choice, classes, notes = _storage_class.read(
            client, module.params["name"], module.params["platform"]
        )
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    module.exit_json(
        changed=False,
        storage_class=choice.result(),
        storage_classes=[each.result() for each in classes],
        notes=notes,
    )


if __name__ == "__main__":
    main()
