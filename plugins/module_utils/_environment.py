# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site adds to the gateway's environment: a proxy, certificates, LiteLLM's own variables.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

_NAME = variable("litellm", "env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(^|_)(KEY|PASSWORD|SECRET|TOKEN|CREDENTIALS)$", re.IGNORECASE)
# Set from the instance's Secrets, by other variables, or needed as it is.
_MANAGED = frozenset(
    (
        *("DATABASE_URL", "DIRECT_URL", "DISABLE_SCHEMA_UPDATE", "HOME", "LITELLM_MASTER_KEY"),
        *("LITELLM_MIGRATION_DIR", "LITELLM_SALT_KEY", "NUM_WORKERS", "PORT", "REDIS_HOST"),
        *("REDIS_PASSWORD", "REDIS_PORT", "REDIS_URL", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
        *("STORE_MODEL_IN_DB", "UI_PASSWORD", "UI_USERNAME"),
    )
)
# A proxy's own address would otherwise be asked for the database and Redis too.
_INSIDE = ("svc", "localhost")
_PEM = re.compile(
    r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END (?:TRUSTED )?CERTIFICATE-----"
)


def problems(settings: Settings) -> Iterator[Problem]:
    """What must not be set, and certificates that are none."""
    given = settings["litellm"]["env"]
    for name, value in given.items():
        if not _VARIABLE.fullmatch(name):
            rule = "Use letters, digits and underscores, no digit first."
            yield wrong(_NAME, name, "has a name that no environment variable can have", rule)
        elif name.upper() in _MANAGED:
            remedy = "Leave it out: it follows from the other variables."
            yield Problem(_NAME, f"must not set {name}", remedy)
        elif _SECRET.search(name):
            remedy = (
                "Put it into a Secret in the instance's namespace and name that in "
                f"{variable('litellm', 'env_secrets')}."
            )
            yield Problem(_NAME, f"holds a secret in {name}, which everybody could read", remedy)
        elif isinstance(value, (dict, list)):
            yield Problem(_NAME, f"has no text in {name}", "Write it in quotes.")
    bundle = settings["litellm"]["ca_bundle"].strip()
    if bundle and not _PEM.search(bundle):
        yield Problem(
            variable("litellm", "ca_bundle"),
            "holds no certificate",
            "Give the text of a PEM file, with its lines -----BEGIN CERTIFICATE-----.",
        )
    elif "PRIVATE KEY-----" in bundle:
        problem = "holds a private key"
        yield Problem(variable("litellm", "ca_bundle"), problem, "Take it out; certificates do.")


def warnings(settings: Settings) -> Iterator[str]:
    """A proxy that would be asked for what is inside the cluster."""
    given = {name.upper(): str(value) for name, value in settings["litellm"]["env"].items()}
    if not (given.get("HTTP_PROXY") or given.get("HTTPS_PROXY")):
        return
    spared = [part.strip().lstrip(".") for part in given.get("NO_PROXY", "").split(",")]
    missing = [f".{name}" if name == "svc" else name for name in _INSIDE if name not in spared]
    if missing and "*" not in spared:
        yield (
            f"{_NAME} sets a proxy, and NO_PROXY lacks {listed(missing)}: models inside the cluster "
            "would be asked for through the proxy."
        )
