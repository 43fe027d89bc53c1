# SPDX-License-Identifier: MIT
"""The benchmark, one noun a file. `bench.py` is its entry."""
