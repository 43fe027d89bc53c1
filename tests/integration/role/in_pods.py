# SPDX-License-Identifier: MIT
"""Commands inside the pods of an instance, as somebody runs them who looks into it."""

from __future__ import annotations

import os
import subprocess

REACHES = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


def run(namespace: str, pod: str, *command: str) -> subprocess.CompletedProcess[str]:
    """What a command says in a pod's first container; *pod* as kubectl takes it."""
    return subprocess.run(
        ["kubectl", "exec", "-n", namespace, pod, "--", *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "KUBECONFIG": os.environ["LITEMAAS_TEST_KUBECONFIG"]},
    )


def sql(namespace: str, statement: str, pod: str = "postgres-0") -> str:
    """What the database of an instance answers, asked inside its own pod."""
    shell = (
        'PGPASSWORD="$POSTGRESQL_PASSWORD" '
        'psql -h 127.0.0.1 -U "$POSTGRESQL_USER" -d "$POSTGRESQL_DATABASE" -AtXc "$0"'
    )
    done = run(namespace, pod, "/bin/bash", "-c", shell, statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def gateway_reaches(namespace: str, host: str, port: int) -> bool:
    """Whether a gateway's pod gets a connection to a Service."""
    return (
        run(namespace, "deploy/litellm", "python3", "-c", REACHES, host, str(port)).returncode == 0
    )
