# SPDX-License-Identifier: MIT
"""The examples say what the role takes and hands out, and what the guides name exists."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.filter.core import FilterModule

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "ocp4_workload_litemaas"
EXAMPLES = ROOT / "docs" / "examples"
CATALOG = EXAMPLES / "agnosticv"
PREFIX = "ocp4_workload_litemaas_"
OPTIONS = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
    "options"
]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())


def item(stage: str) -> dict[str, Any]:
    """The catalog item of a stage, as AgnosticV merges it: what the stage says counts."""
    return {
        **yaml.safe_load((CATALOG / "common.yaml").read_text()),
        **yaml.safe_load((CATALOG / f"{stage}.yaml").read_text()),
    }


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_role_takes_what_the_catalog_item_gives(stage: str) -> None:
    ours = {name: value for name, value in item(stage).items() if name.startswith(PREFIX)}
    assert set(ours) <= set(OPTIONS)
    types = {"type", "choices", "elements"}
    spec = {name: {k: v for k, v in OPTIONS[name].items() if k in types} for name in ours}
    assert ArgumentSpecValidator(spec).validate(ours).error_messages == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_catalog_item_installs_and_calls_this_collection(stage: str) -> None:
    found = item(stage)
    (collection,) = found["requirements_content"]["collections"]
    assert (collection["name"], collection["type"]) == (GALAXY["repository"], "git")
    name = f"{GALAXY['namespace']}.{GALAXY['name']}.{ROLE.name}"
    assert found["workloads"] == found["remove_workloads"] == [name]
    if stage == "prod":
        assert collection["version"] == GALAXY["version"]


def test_the_number_of_users_is_a_parameter_of_the_order() -> None:
    found = item("prod")
    (parameter,) = found["__meta__"]["catalog"]["parameters"]
    schema = parameter["openAPIV3Schema"]
    assert parameter["name"] == "num_users"
    assert schema["default"] == found["num_users"]
    assert 1 <= schema["minimum"] <= schema["default"] <= schema["maximum"]
    assert found["ocp4_workload_litemaas_multi_user"] is True


def handed_out() -> set[str]:
    """The names of one user's values, from the role's own expression."""
    environment = jinja2.Environment(autoescape=False)
    environment.filters.update(FilterModule().filters())
    expressions = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    recipient = {
        "name": "user1",
        "user": "user1",
        "url": "https://x",
        "namespace": "litemaas-user1",
    }
    expression = expressions["_ocp4_workload_litemaas_told_data"].strip()
    told = environment.compile_expression(expression.removeprefix("{{").removesuffix("}}"))
    login = {"username": "a", "password": "b", "api_key": "c"}
    return set(
        told(_ocp4_workload_litemaas_recipient=recipient, _ocp4_workload_litemaas_login=login)
    )


def attributes(text: str) -> set[str]:
    return set(re.findall(r"\{(litemaas_\w+)\}", text))


def test_the_lab_guide_uses_what_is_handed_out() -> None:
    page = (EXAMPLES / "showroom/litemaas.adoc").read_text()
    preview = yaml.safe_load((EXAMPLES / "showroom/antora.yml").read_text())
    assert attributes(page) == handed_out() == set(preview["asciidoc"]["attributes"])
    for block in re.findall(r"(\[source[^\]]*\])\n----\n(.*?)\n----", page, re.DOTALL):
        assert not attributes(block[1]) or "subs=attributes+" in block[0], block
    guide = attributes((ROOT / "docs/WORKSHOPS.md").read_text())
    assert guide - {"litemaas_user2_url"} == handed_out()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_what_a_guide_names_exists(guide: Path) -> None:
    text = guide.read_text()
    # `…_data` and `ocp4_workload_litemaas_` stand for several.
    named = set(re.findall(rf"{PREFIX}[a-z0-9_]+[a-z0-9]", text))
    assert named <= set(OPTIONS)
    for name in re.findall(r"(?<!bench/)playbooks/(\w+\.yml)", text):
        assert ROOT / "playbooks" / name in PLAYBOOKS, name
    for playbook in ("status", "manage"):
        play = yaml.safe_load((ROOT / f"playbooks/{playbook}_litemaas.yml").read_text())[0]
        assert set(re.findall(rf"litemaas_{playbook}_\w+", text)) <= set(play["vars"])


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text()):
        if "://" in target:
            continue
        path, _hash, anchor = target.partition("#")
        file = (guide.parent / path).resolve() if path else guide
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slug = partial(re.sub, r"[^\w\- ]", "")
    return {slug(heading).strip().lower().replace(" ", "-") for heading in headings}
