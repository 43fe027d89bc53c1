# SPDX-License-Identifier: MIT
"""What a site says in config.yaml: handed on, merged, or refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_config

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


def settings(config: Any, *, redis: bool = False, pool: int = 10) -> Any:
    found = copy.deepcopy(SETTINGS) | {"deploy_redis": redis}
    found["litellm"] |= {"config": config, "database_connections": pool}
    return found


def test_nothing_said_needs_no_file() -> None:
    assert _gateway_config.config(settings({})) == {}
    assert _gateway_config.config(settings(None)) == {}


def test_what_is_said_is_handed_on_and_merged() -> None:
    said = {
        "general_settings": {"unknown_here": [1, {"a": None}]},
        "litellm_settings": {"drop_params": True, "cache_params": {"ttl": 60}},
        "model_list": [{"model_name": "m", "litellm_params": {"api_key": "os.environ/KEY"}}],
    }
    given = settings(said, redis=True, pool=20)
    assert not list(_gateway_config.problems(given))
    assert _gateway_config.config(given) == {
        "general_settings": {
            "database_connection_pool_limit": 20,
            "unknown_here": [1, {"a": None}],
        },
        "litellm_settings": {
            "cache": True,
            "cache_params": {"type": "redis", "supported_call_types": [], "ttl": 60},
            "drop_params": True,
        },
        "model_list": said["model_list"],
    }
    assert said["litellm_settings"] == {"drop_params": True, "cache_params": {"ttl": 60}}


@pytest.mark.parametrize(
    ("config", "redis", "words"),
    [
        ([], False, ""),
        (["x"], False, "must be a mapping"),
        ("text", False, "must be a mapping"),
        ({"general_settings": []}, False, ""),
        ({"general_settings": ["x"]}, False, "has general_settings, which must be a mapping"),
        (
            {"general_settings": {"master_key": "os.environ/K"}},
            False,
            "must not set general_settings.master_key. Use ocp4_workload_litemaas_litellm_master_key",
        ),
        (
            {"general_settings": {"database_connection_pool_limit": 5}},
            False,
            "Use ocp4_workload_litemaas_litellm_database_connections",
        ),
        ({"litellm_settings": {"cache": False}}, False, ""),
        ({"litellm_settings": {"cache": True}}, True, ""),
        ({"litellm_settings": {"cache": False}}, True, "contradicts the Redis there is"),
        ({"litellm_settings": {"cache_params": {"type": "s3"}}}, True, "cache_params.type"),
        ({"router_settings": {"redis_host": "other"}}, True, "router_settings.redis_host"),
        (
            {"model_list": [{"litellm_params": {"api_key": "sk-c4n4ry"}}]},
            False,
            "holds a secret in model_list[0].litellm_params.api_key",
        ),
        ({"litellm_settings": {"langfuse_secret": "c4n4ry"}}, False, "langfuse_secret"),
        ({"general_settings": {"master_key_header": "x", "max_tokens": 5}}, False, ""),
    ],
)
def test_problems(config: Any, redis: bool, words: str) -> None:
    found = [str(each) for each in _gateway_config.problems(settings(config, redis=redis))]
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found
    assert "c4n4ry" not in str(found)
