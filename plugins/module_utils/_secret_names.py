# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets of the site's an instance uses: named by a variable, or made of the content of one.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import variable
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

# Those that the `credentials` module makes.
PULL_SECRET, TLS_SECRET = "litemaas-pull-secret", "litellm-tls"
CONTENT = variable("image_pull_secret", "content")


def tls(settings: Settings) -> str:
    """The Secret with the certificate behind each address; empty for the router's own."""
    return TLS_SECRET if settings["route"]["tls_certificate"] else settings["route"]["tls_secret"]


def pull(settings: Settings) -> str:
    """The Secret that images are pulled with; empty where none is needed."""
    return PULL_SECRET if _content(settings) else settings["image_pull_secret"]


def own(settings: Settings) -> list[str]:
    """The parts whose Secret is made with the instance: ``certificate``, ``pull-secret``."""
    given = {"certificate": settings["route"]["tls_certificate"], "pull-secret": _content(settings)}
    return [part for part, content in given.items() if content]


def _content(settings: Settings) -> Any:
    return settings["credentials"].get(CONTENT)
