# SPDX-License-Identifier: MIT
"""Writes the generated tables of README.md between their markers; `--check` only compares.

The variables come from the role's argument specification, the sizes from its defaults, so that neither can say
anything but what is deployed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
ROLE = ROOT / "roles" / "ocp4_workload_litemaas"
PREFIX = "ocp4_workload_litemaas_"
USERS = (10, 20, 40, 60, 80)
# CPU and GiB of usual workers. What OpenShift itself keeps and runs on each is taken off, as are slots for its pods; 25 is
# how many volumes a usual AWS instance attaches.
WORKERS = ((4, 16), (8, 32), (16, 64))
OPENSHIFT = (1, 3)
PODS, VOLUMES = 230, 25

sys.path.insert(0, str(ROOT / "collections"))


def load(name: str) -> Any:
    """A YAML file of the role."""
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Ansible's markup as Markdown: O(x), V(x), E(x) and C(x) become `x`."""
    return re.sub(r"\b[OVEC]\(([^)]*)\)", r"`\1`", text)


def variables() -> str:
    """The table of all role variables."""
    rows = ["| Variable | Type | Default | What it is |", "| --- | --- | --- | --- |"]
    for name, spec in load("meta/argument_specs.yml")["argument_specs"]["main"]["options"].items():
        words = spec["description"]
        text = plain(" ".join(words) if isinstance(words, list) else words)
        if "choices" in spec:
            text += " One of " + ", ".join(f"`{choice}`" for choice in spec["choices"]) + "."
        default = spec.get("default", "")
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        rows.append(f"| `{name}` | {spec['type']} | {f'`{shown}`' if shown else ''} | {text} |")
    return "\n".join(rows)


def settings(users: int, **changes: Any) -> Any:
    """What the role hands to `plan` when nothing is set; several users when *users* is more than one."""
    values = {key.removeprefix(PREFIX): value for key, value in load("defaults/main.yml").items()}
    part = {
        prefix: {
            key.removeprefix(f"{prefix}_"): value
            for key, value in values.items()
            if key.startswith(f"{prefix}_")
        }
        for prefix in (
            *("litellm", "postgres", "redis", "pgbouncer", "route", "backend", "frontend"),
            *("multi_user_litellm", "multi_user_postgres"),
        )
    }
    cluster = {"platform": "", "apps_domain": "", "routes": False, "openshift": False}
    return {
        **values,
        **part,
        "cluster": cluster,
        "multi_user": users > 1,
        "image_registry": "",
        "credentials": {},
        **changes,
    }


def sizes() -> str:
    """What one instance asks for, and what many users ask for together."""
    from ansible_collections.rhpds.litemaas.plugins.module_utils import _instances, _sizing

    columns = (
        "cpu_request",
        "cpu_limit",
        "memory_request",
        "memory_limit",
        "storage",
        "pods",
        "volumes",
    )
    rows = [
        "| | CPU request | CPU limit | Memory request | Memory limit | Storage | Pods | Volumes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]

    def row(name: str, sizing: Any) -> None:
        words = {**sizing.words(), **({} if sizing.volumes else {"storage": "", "volumes": ""})}
        rows.append(f"| {name} | " + " | ".join(str(words[column]) for column in columns) + " |")

    for users, title in ((1, "One instance"), (2, "Each of many users")):
        instance = _instances.instances(settings(users), users)[0]
        row(f"{title}: PostgreSQL", _sizing.database(instance))
        row(f"{title}: LiteLLM", _sizing.gateway(instance))
        row(f"**{title}**", _sizing.total([instance]))
    with_redis = {**settings(1), "deploy_redis": True}
    row("Redis, for one that has it", _sizing.cache(_instances.instances(with_redis, 1)[0]))
    with_pgbouncer = {**settings(1), "deploy_pgbouncer": True}
    instance = _instances.instances(with_pgbouncer, 1)[0]
    row("PgBouncer, for one that has it", _sizing.pooler(instance))
    application = {**settings(1), "deploy_backend": True, "deploy_frontend": True}
    (whole,) = _instances.instances(application, 1)
    row(
        "The LiteMaaS application, for one that has it",
        _sizing.backend(whole) + _sizing.frontend(whole),
    )
    for users in USERS:
        row(f"{users} users", _sizing.total(_instances.instances(settings(users), users)))
    shared = settings(USERS[-1], tenancy="shared")
    row("Any number who share one", _sizing.total(_instances.instances(shared, USERS[-1])))
    return "\n".join(rows)


def workers() -> str:
    """How many workers of usual sizes hold so many users, placed by the preflight's own code."""
    from ansible_collections.rhpds.litemaas.plugins.module_utils import (
        _capacity,
        _demand,
        _instances,
        _node,
    )

    names = " | ".join(f"Workers of {cpu} CPU, {memory} GiB" for cpu, memory in WORKERS)
    rows = [f"| | {names} |", "| --- " * (len(WORKERS) + 1) + "|"]
    for users in USERS:
        asks = _demand.demand(_instances.instances(settings(users), users), []).asks
        needed = [
            _capacity.nodes_needed(
                asks,
                _node.Amount(
                    cpu=(cpu - OPENSHIFT[0]) * 1000,
                    memory=(memory - OPENSHIFT[1]) * 2**30,
                    pods=PODS,
                    volumes=VOLUMES,
                ),
            )
            for cpu, memory in WORKERS
        ]
        rows.append(f"| {users} users | " + " | ".join(map(str, needed)) + " |")
    return "\n".join(rows)


TABLES = {"variables": variables, "sizes": sizes, "workers": workers}


def render(text: str) -> str:
    """`text` with every generated part made anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: generated by `make docs` -->", f"<!-- {name}: end -->"
        head, found, rest = text.partition(begin)
        _old, closed, tail = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"README.md has no place for the table `{name}`: {begin} … {end}")
        text = f"{head}{begin}\n{table()}\n{end}{tail}"
    return text


def main() -> None:
    """Writes README.md, or says with `--check` that it is out of date."""
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = render(before)
    if "--check" in sys.argv[1:]:
        raise SystemExit("README.md is out of date: run `make docs`" if after != before else 0)
    readme.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
