#!/usr/bin/python
# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module model_discovery: which models model servers serve, as entries for gateways."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_discovery
short_description: Ask model servers which models they serve
version_added: 0.2.0
author:
  - rhpds.litemaas contributors (@rhpds)
description:
  - Asks servers of the OpenAI API, such as vLLM, and the InferenceServices of a cluster, as OpenShift AI
    deploys them, which models they serve, and tries each with one small request.
  - Returns entries that O(rhpds.litemaas.gateway_content#module:models) and the role variable C(ocp4_workload_litemaas_models)
    take as they are, under the names that the servers report.
  - All servers are asked at once. One that cannot be asked takes nothing from the others, and has a problem
    that says what to do.
  - A server inside the cluster whose address cannot be used from here is asked through the service proxy
    of the API server, which needs the permission for C(services/proxy) and passes no key on.
options:
  endpoints:
    description:
      - Servers of the OpenAI API.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description:
          - The address, with or without scheme, port, C(/v1), a slash at its end, or the path of a call.
            C(/v1), C(/openai/v1) and the path as it is given are tried in this order.
          - Without a scheme it is C(https://), and C(http://) for a Service of the cluster such as V(granite-predictor.models.svc.cluster.local:8080).
        type: str
        required: true
      name:
        description:
          - What it is called in messages, by default its address.
        type: str
      api_key:
        description:
          - The key it wants.
        type: str
      api_key_secret:
        description:
          - A Secret of the cluster that holds the key, instead of O(endpoints[].api_key). The entries then
            name that Secret.
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
            default: token
          namespace:
            description:
              - Its namespace. There is no default for endpoints.
            type: str
      ca:
        description:
          - CA certificates to trust for this server too, as PEM text or as the path of a file.
        type: str
      models:
        description:
          - Only these models. One that is not served is a problem that names those that are.
        type: list
        elements: str
        default: []
      mode:
        description:
          - What its models do, such as V(chat) or V(embedding). Found out by trying when not given, the
            likelier by its name first.
        type: str
      parameters:
        description:
          - Parameters for the entries of all its models, such as C(rpm) or C(input_cost_per_token).
        type: dict
        default: {}
  inference_services:
    description:
      - Look for InferenceServices of KServe. An empty dictionary means all that may be seen.
      - One that serves nothing over the OpenAI API, or is stopped, is left out with a note, unless O(inference_services.names)
        names it.
      - Where OpenShift AI protects a model by tokens, the key is read from the Secret with the token of
        its service account, and the entry names that Secret.
    type: dict
    suboptions:
      namespaces:
        description:
          - Only in these namespaces. Needed by a user who may not list the cluster.
        type: list
        elements: str
        default: []
      names:
        description:
          - Only those of these names.
        type: list
        elements: str
        default: []
      selector:
        description:
          - Only those with these labels, such as V(team=genai).
        type: str
        default: ""
      address:
        description:
          - Which of the two addresses that KServe tells is registered. V(external) is that of the Route,
            V(internal) that of the Service. Where there is only one it is taken.
        type: str
        choices:
          - external
          - internal
        default: external
      api_key_secret:
        description:
          - The Secret with their key, instead of the token of the service account. Used for all.
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
            default: token
          namespace:
            description:
              - Its namespace, by default that of each InferenceService.
            type: str
      ca:
        description:
          - CA certificates to trust for them too, as PEM text or as the path of a file. That of the cluster's
            router is trusted where it can be read.
        type: str
  ca:
    description:
      - CA certificates to trust for all servers beside those of this machine, as PEM text or as the path
        of a file.
    type: str
  test:
    description:
      - Whether to make one small request to each model, a chat or an embedding. A model that answers neither
        is a problem and not in the entries.
    type: bool
    default: true
  timeout:
    description:
      - The number of seconds to wait for an answer. A model has a minute at least to answer the test.
    type: int
    default: 15
  retries:
    description:
      - How often a request is sent again when a server is away for a moment.
    type: int
    default: 2
  return_values:
    description:
      - 'Whether keys that were given as O(endpoints[].api_key) are in the entries. Use C(no_log: true) on
        the task then. Not needed for keys out of Secrets, which the entries name.'
    type: bool
    default: false
  on_failure:
    description:
      - What becomes of the task when a server or a model has a problem. V(fail) fails it, with the entries
        of the others in the result; V(report) lets it pass.
    type: str
    choices:
      - fail
      - report
    default: fail
extends_documentation_fragment:
  - rhpds.litemaas.connection
  - rhpds.litemaas.read_only
seealso:
  - module: rhpds.litemaas.gateway_content
"""

EXAMPLES = r"""
- name: What does this server serve?
  rhpds.litemaas.model_discovery:
    endpoints:
      - url: https://granite.example.com
        api_key_secret: {name: granite, key: token, namespace: models}
  register: discovered

- name: Give every gateway these models
  rhpds.litemaas.gateway_content:
    gateways: "{{ plan.instances }}"
    models: "{{ discovered.models }}"

- name: All models that OpenShift AI serves in two projects, by their internal address
  rhpds.litemaas.model_discovery:
    inference_services:
      namespaces: [genai, vision]
      address: internal
    on_failure: report
  register: discovered
"""

RETURN = r"""
models:
  description:
    - Entries for C(models), of all models that were found. A name that several servers serve has an entry
      for each, with an id of its own.
    - A server that wants no key has one nevertheless, without meaning, because LiteLLM asks none without.
  returned: always
  type: list
  elements: dict
  sample:
    - name: granite-3-8b-instruct
      model: openai/granite-3-8b-instruct
      api_base: https://granite-genai.apps.example.com/v1
      api_key_secret: {name: default-name-granite-sa, key: token, namespace: genai}
endpoints:
  description: Each server in the order given, InferenceServices last.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What it is called, the namespace and name of an InferenceService.
      type: str
      sample: genai/granite
    url:
      description: Its address as it is registered. Empty when it could not be asked.
      type: str
      sample: https://granite-genai.apps.example.com/v1
    via:
      description: How it was asked, V(address) or V(proxy).
      type: str
      sample: address
    via_reason:
      description: Why it was asked through the proxy and not at its address.
      type: str
    models:
      description: Its models with C(name) and C(mode).
      type: list
      elements: dict
      sample: [{name: granite-3-8b-instruct, mode: chat}]
    problems:
      description: What is wrong with it or with one of its models, and what to do.
      type: list
      elements: str
problems:
  description: The same of all, with the names of the servers in front.
  returned: always
  type: list
  elements: str
notes:
  description: What was left out, and what is worth knowing.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _connection,
    _content_module,
    _discovery,
    _discovery_options,
)


def argument_spec() -> dict:
    return {**_connection.ARGUMENT_SPEC, **_discovery_options.OPTIONS}


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = dict(module.params)
    _content_module.hide(module, {"endpoints": params["endpoints"]})
    _content_module.finish(module, lambda: _discovery.run(params))


if __name__ == "__main__":
    main()
