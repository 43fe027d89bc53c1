# SPDX-License-Identifier: MIT
"""Generated values, and the judgement of given ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _password

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "password_problems.yml").read_text())


def test_generated_values_are_long_plain_and_never_the_same() -> None:
    passwords = {_password.generate("password") for _unused in range(100)}
    keys = {_password.generate("key") for _unused in range(100)}
    assert len(passwords) == len(keys) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", text) for text in passwords)
    assert all(re.fullmatch(r"sk-[A-Za-z0-9]{40}", text) for text in keys)
    for text in passwords:
        assert _password.problems({"ui_password": text}) == []
    for text in keys:
        assert _password.problems({"master_key": text, "salt_key": text}) == []


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_problems(case: dict[str, Any]) -> None:
    found = _password.problems(case["values"], case.get("names"))
    assert len(found) == len(case["problems"]), found
    for message, words in zip(found, case["problems"], strict=True):
        assert words in message
        assert message.endswith(".")


def test_no_message_holds_a_value() -> None:
    values = {
        "database_password": "canary1\n",
        "ui_password": "canary2" * 60,
        "ui_username": "canary3\0",
        "master_key": "canary4",
        "salt_key": "canary5",
    }
    found = _password.problems(values)
    assert len(found) == len(values)
    assert "canary" not in " ".join(found)
