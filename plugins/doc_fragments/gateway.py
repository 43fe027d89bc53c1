# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a LiteLLM gateway: the options that all modules for its content share."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of ``_gateways.OPTIONS``; a unit test keeps the two equal."""

    DOCUMENTATION = r"""
options:
  gateway_url:
    description:
      - The address of the gateway, such as V(https://litellm.example.com).
      - Without O(gateway_namespace) it must be encrypted, unless it does not leave the machine or the cluster.
    type: str
  gateway_key:
    description:
      - The key to manage the gateway with, its master key as a rule.
      - Without it the key is read from the Secret O(gateway_secret) in O(gateway_namespace).
    type: str
  gateway_namespace:
    description:
      - The namespace of the gateway. Where its address cannot be used from here, or is not given, it is reached
        through the service proxy of the API server, which needs the permission to get C(services/proxy).
    type: str
  gateway_secret:
    description:
      - The Secret that holds the key.
    type: str
    default: litellm-secret
  gateway_secret_key:
    description:
      - The key in that Secret.
    type: str
    default: LITELLM_MASTER_KEY
  gateway_ca:
    description:
      - CA certificates to trust beside those of this machine and of the cluster's router, as PEM text or as the
        path of a file.
    type: str
  gateway_timeout:
    description:
      - The number of seconds to wait for an answer of the gateway.
    type: int
    default: 15
  gateway_retries:
    description:
      - How often a request is sent again when the gateway or its database is away for a moment. At most two
        minutes are spent on that. Nothing is made twice.
    type: int
    default: 6
"""
