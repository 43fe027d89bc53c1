# SPDX-License-Identifier: MIT
"""What the lab raises when it cannot go on."""

from __future__ import annotations


class LabError(Exception):
    """The message says what is wrong, where, and what to do about it; the command prints it and ends with status 1."""
