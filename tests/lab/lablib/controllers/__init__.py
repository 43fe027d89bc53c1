# SPDX-License-Identifier: MIT
"""The controllers of a lab: what OpenShift (or a kind cluster's add-ons) does beside the Kubernetes control plane.

One host process, `python -m lablib.controllers`. Each controller is a noun a file; what it decides is a function on plain
data, what it does goes through `api.Api`.
"""

from __future__ import annotations
