# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long text as a module's argument, in a tenth of its length.

Internal to rhpds.litemaas: no stable interface for other collections.

With pipelining a module's arguments are part of a Python script on its standard input, of which
Python reads 4 MB a second: the manifests of a thousand instances, 14 MB, took longer to hand over
than to parse.
"""

from __future__ import annotations

import base64
import zlib

# No YAML text of manifests begins like this.
MARK = "%rhpds.litemaas/packed "


def pack(text: str) -> str:
    """What ``unpack`` makes *text* of again."""
    return MARK + base64.b64encode(zlib.compress(text.encode(), 1)).decode()


def unpack(text: str) -> str:
    """The text that was packed; any other as it is."""
    if not text.startswith(MARK):
        return text
    return zlib.decompress(base64.b64decode(text.removeprefix(MARK))).decode()
