# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that an option gives, as text or as the path of a file.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import os

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def pem(given: str | None, option: str) -> str:
    """CA certificates, given as text or as a path. *option*: what they were given as."""
    if not given or "-----BEGIN" in given:
        return given or ""
    try:
        with open(os.path.expanduser(given), encoding="utf-8") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        raise LitemaasError(f"{option} {given} cannot be read: {error}") from error
