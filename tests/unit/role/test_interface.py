# SPDX-License-Identifier: MIT
"""The role's interface is written down once: defaults, argument specification and README say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "ocp4_workload_litemaas"
PREFIX = "ocp4_workload_litemaas_"
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
OPTIONS = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
    "options"
]

# Names that callers of earlier releases set.
DOCUMENTED = [
    "namespace",
    "version",
    "cloud_provider",
    "postgres_storage_class",
    "postgres_storage_size",
    "litellm_replicas",
    "deploy_redis",
    "redis_storage_size",
    "redis_memory_limit",
    "redis_cpu_limit",
    "multi_user",
    "user_prefix",
    "multi_user_common_password",
    "deploy_frontend",
    "deploy_backend",
    "oauth_enabled",
    "remove",
    "route_name",
    "cluster_domain",
    "litellm_image",
    "litellm_tag",
    "litellm_ui_username",
    "litellm_ui_password",
    "litellm_memory_limit",
    "litellm_cpu_limit",
    "backend_image",
    "backend_memory_limit",
    "backend_cpu_limit",
    "frontend_image",
    "frontend_memory_limit",
    "frontend_cpu_limit",
    "postgres_storage_access_mode",
    "litellm_models",
    "enable_user_info_messages",
    "enable_user_info_data",
    "keep_data",
    "use_existing_namespace",
    "allow_unsafe_image",
] + [
    f"multi_user_{component}_{resource}_{bound}"
    for component in ("postgres", "litellm")
    for resource in ("cpu", "memory")
    for bound in ("request", "limit")
]


def test_every_default_is_specified_with_the_same_value():
    specified = {
        name: spec.get("default") for name, spec in OPTIONS.items() if name.startswith(PREFIX)
    }
    assert specified == DEFAULTS


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_variable_exists(name):
    assert PREFIX + name in OPTIONS


@pytest.mark.parametrize(
    "name", ["ACTION", "num_users", "become_override", "ocp_username", "silent"]
)
def test_what_the_platform_hands_over_is_accepted(name):
    assert name in OPTIONS


def test_a_number_of_users_of_any_type_reaches_our_own_message():
    assert OPTIONS["num_users"]["type"] == "raw"


@pytest.mark.parametrize(
    "name", [name for name in OPTIONS if re.search(r"password|master_key|salt_key", name)]
)
def test_secrets_are_marked(name):
    assert OPTIONS[name]["no_log"] is True


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_default_is_read_somewhere_or_said_to_be_without_effect(name):
    read = any(
        name in file.read_text()
        for folder in ("tasks", "templates", "vars")
        for file in (ROLE / folder).rglob("*.*")
    )
    assert read or "Without effect" in OPTIONS[name]["description"]


def test_the_tables_of_the_readme_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
