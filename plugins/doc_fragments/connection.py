# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the API server: the options that every module of this collection shares."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of ``_connection.ARGUMENT_SPEC``; a unit test keeps the two equal."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig, several paths separated by V(:), or the content as a dictionary.
      - Without it, the environment variables E(K8S_AUTH_KUBECONFIG) and E(KUBECONFIG) are looked at, then
        C(~/.kube/config), then the service account of the pod that the module runs in.
      - Given as an option, it also sets aside E(K8S_AUTH_HOST) and the credentials of the environment.
      - Prefer a path. Ansible hides every value of a dictionary given here wherever it appears in the output.
    type: raw
  context:
    description:
      - Name of the context in the kubeconfig, instead of its current one.
      - Also read from E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server. With O(api_key), or another pair of credentials, no kubeconfig is needed.
      - Also read from E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Token to authenticate with.
      - Also read from E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User name for HTTP basic authentication, which few clusters accept.
      - Also read from E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - Also read from E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether to verify the certificate of the API server; on unless the kubeconfig says otherwise.
      - Also read from E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - Path of the CA certificates to verify the API server with, instead of the system's.
      - Also read from E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - Path of a client certificate to authenticate with.
      - Also read from E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the client certificate's key.
      - Also read from E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - URL of an HTTP proxy to connect through.
      - Also read from E(K8S_AUTH_PROXY), the kubeconfig, and E(HTTPS_PROXY).
    type: str
  no_proxy:
    description:
      - Comma-separated hosts, domains, addresses and networks that are reached without the proxy.
      - Also read from E(K8S_AUTH_NO_PROXY) and E(NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - Colon-separated user name and password for the proxy.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - Colon-separated user name and password for basic authentication.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - The user agent to name.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Whether a token that was renewed is written back to the kubeconfig.
      - Also read from E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description:
      - User to act as.
      - Also read from E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as a member of.
      - Also read from E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - kubernetes >= 24.2 (Python package; to read a kubeconfig. With O(host) and O(api_key), urllib3 is enough.)
"""
