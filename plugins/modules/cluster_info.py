#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cluster_info: which cluster this is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Tell what kind of cluster this is
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Returns the platform, the domain of applications, the versions, and whether there are Routes.
  - Works on OpenShift and on plain Kubernetes, and with few permissions. What the cluster does not
    have or the user may not read is empty in the result, and RV(notes) says why. The module fails
    only when the API server cannot be reached or does not accept the credentials.
options:
  cloud_provider:
    description:
      - The cloud provider as the user knows it, which counts more than what the cluster says. It
        is returned in RV(cloud_provider), while RV(platform) stays what was found.
      - The names of platforms are known in any spelling, so V(vsphere) becomes V(VSphere), and so
        are those of AgnosticD, so V(openshift_cnv) becomes V(KubeVirt).
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

- name: Say what it is
  ansible.builtin.debug:
    msg: "{{ cluster.platform | default('plain Kubernetes', true) }} {{ cluster.kubernetes_version }}"

- name: Look at the cluster, as a user who knows better
  rhpds.litemaas.cluster_info:
    cloud_provider: openshift_cnv
"""

RETURN = r"""
openshift:
  description: Whether the cluster is OpenShift.
  returned: always
  type: bool
  sample: true
platform:
  description:
    - The platform type of OpenShift's C(infrastructures.config.openshift.io), such as V(AWS),
      V(Azure), V(BareMetal), V(External), V(GCP), V(KubeVirt), V(None) or V(VSphere).
    - Empty on plain Kubernetes, and where it could not be read.
  returned: always
  type: str
  sample: AWS
cloud_provider:
  description: O(cloud_provider) where it is given, else RV(platform).
  returned: always
  type: str
  sample: AWS
apps_domain:
  description:
    - The domain under which applications get their host names, from
      C(ingresses.config.openshift.io). Its C(appsDomain) counts more than its C(domain).
    - Where that may not be read it is taken from the address of the web console.
    - Empty on plain Kubernetes, and where neither could be read.
  returned: always
  type: str
  sample: apps.cluster.example.com
kubernetes_version:
  description: The version of the API server.
  returned: always
  type: str
  sample: v1.34.4
openshift_version:
  description: The version of OpenShift. Empty on plain Kubernetes, and where it may not be read.
  returned: always
  type: str
  sample: 4.21.3
routes:
  description: Whether the cluster has Routes (C(route.openshift.io)).
  returned: always
  type: bool
  sample: true
api_url:
  description:
    - The address of the API server. OpenShift's public one where that may be read, else the one
      this module was connected to.
  returned: always
  type: str
  sample: https://api.cluster.example.com:6443
notes:
  description: What could not be read and why, in words.
  returned: always
  type: list
  elements: str
  sample: []
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _connection,
    _platform,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def argument_spec() -> dict:
    """Return the options."""
    return {**_connection.ARGUMENT_SPEC, "cloud_provider": {"type": "str", "default": ""}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        client = _client.connect(module.params)
        cluster = _platform.read(client, cloud_provider=module.params["cloud_provider"])
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    module.exit_json(changed=False, **asdict(cluster))


if __name__ == "__main__":
    main()
