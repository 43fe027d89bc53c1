# SPDX-License-Identifier: MIT
"""The lab: a real Kubernetes on one bare machine, for the tests, the demo and the benchmarks."""

from __future__ import annotations
