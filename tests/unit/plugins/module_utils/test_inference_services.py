# SPDX-License-Identifier: MIT
"""What is read of an InferenceService of KServe."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _inference_services as services
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_endpoint import Unsuitable

OUTSIDE = "https://granite-genai.apps.example.com"
INSIDE = "http://granite-predictor.genai.svc.cluster.local:8080"
READY = [{"type": "PredictorReady", "status": "True"}, {"type": "Ready", "status": "True"}]


def service(
    status: dict[str, Any] | None = None, spec: Any = None, **annotations: str
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "granite",
            "namespace": "genai",
            "annotations": {key.replace("_", "/", 1): text for key, text in annotations.items()},
        },
        "spec": {"predictor": spec or {}},
        "status": {"conditions": READY, **(status or {})},
    }


@pytest.mark.parametrize(
    ("status", "external", "internal"),
    [
        ({"url": OUTSIDE, "address": {"url": INSIDE}}, OUTSIDE, INSIDE),
        ({"url": OUTSIDE}, OUTSIDE, OUTSIDE),
        ({"address": {"url": INSIDE}}, INSIDE, INSIDE),
        ({"components": {"predictor": {"url": OUTSIDE}}}, OUTSIDE, OUTSIDE),
    ],
)
def test_its_two_addresses(status: dict[str, Any], external: str, internal: str) -> None:
    assert services.url(service(status), internal=False) == external
    assert services.url(service(status), internal=True) == internal


def test_no_address_at_all() -> None:
    with pytest.raises(LitemaasError, match="its status has no url"):
        services.url(service(), internal=False)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([], "its status says nothing yet"),
        (
            [
                {
                    "type": "Ready",
                    "status": "False",
                    "reason": "PredictorNotReady",
                    "message": "no GPU",
                }
            ],
            "PredictorNotReady: no GPU",
        ),
        ([{"type": "Ready", "status": "Unknown"}], "not ready"),
    ],
)
def test_one_that_is_not_ready(conditions: list[Any], said: str) -> None:
    with pytest.raises(LitemaasError, match=said) as caught:
        services.check(service({"conditions": conditions}))
    assert not isinstance(caught.value, Unsuitable)


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ({"serving.kserve.io_stop": "true"}, "stopped"),
        ({"serving.kserve.io_deploymentMode": "ModelMesh"}, "ModelMesh"),
    ],
)
def test_one_that_is_none_for_chats(annotations: dict[str, str], said: str) -> None:
    with pytest.raises(Unsuitable, match=said):
        services.check(service(**annotations))


def test_one_that_is_ready() -> None:
    services.check(service(**{"serving.kserve.io_deploymentMode": "RawDeployment"}))


@pytest.mark.parametrize(("value", "wanted"), [("true", True), ("false", False)])
def test_whether_it_is_protected(value: str, wanted: bool) -> None:
    assert services.wants_token(service(**{"security.opendatahub.io_enable-auth": value})) is wanted
    assert services.wants_token(service()) is False


def test_whose_token_opens_it() -> None:
    assert services.account(service()) == "granite-sa"
    assert services.account(service(spec={"serviceAccountName": "mine"})) == "mine"


def secret(name: str, account: str, data: Any) -> dict[str, Any]:
    annotations = {"kubernetes.io/service-account.name": account}
    return {"metadata": {"name": name, "annotations": annotations}, "data": data}


def test_the_secrets_with_its_token() -> None:
    found = [
        secret("second", "granite-sa", {"token": "eA=="}),
        secret("first", "granite-sa", {"token": "eA=="}),
        secret("another", "default", {"token": "eA=="}),
        secret("not-yet-filled", "granite-sa", None),
        {"metadata": {"name": "bare"}},
    ]
    assert list(services.tokens(found, "granite-sa")) == ["first", "second"]
