# SPDX-License-Identifier: MIT
"""Which OAuth server a cluster has, from what it says and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _oauth
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

TOLD = {"issuer": "https://oauth.example.com/", "token_endpoint": "https://oauth.example.com/t"}
OWN = {"spec": {"type": ""}}
INGRESS = {"spec": {"domain": "apps.x.y", "appsDomain": "apps.other"}}


@pytest.mark.parametrize(
    ("metadata", "authentication", "ingress", "issuer"),
    [
        (TOLD, None, None, "https://oauth.example.com"),
        (TOLD, {"spec": {"type": "OIDC"}}, INGRESS, "https://oauth.example.com"),
        (None, OWN, INGRESS, "https://oauth-openshift.apps.x.y"),
        (None, {"spec": {"type": "IntegratedOAuth"}}, None, "https://oauth-openshift.apps.given"),
        ({"issuer": "http://clear.text"}, {"spec": {}}, {}, "https://oauth-openshift.apps.given"),
    ],
)
def test_issuer(metadata: Any, authentication: Any, ingress: Any, issuer: str) -> None:
    assert _oauth.issuer(metadata, authentication, ingress, "apps.given") == issuer


@pytest.mark.parametrize(
    ("authentication", "words"),
    [
        (None, "tells of none at /.well-known/oauth-authorization-server"),
        ({"spec": {"type": "OIDC"}}, "says OIDC, which is another login"),
        ({"spec": {"type": "None"}}, "says None"),
    ],
)
def test_there_is_none(authentication: Any, words: str) -> None:
    with pytest.raises(LitemaasError, match=words):
        _oauth.issuer(None, authentication, INGRESS, "apps.given")


class Api:
    """Answers by path; a status is a refusal."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {getattr(_oauth, name): answer for name, answer in answers.items()}
        self.asked: list[str] = []

    def find(self, path: str) -> Any:
        self.asked.append(path)
        answer = self.answers.get(path)
        if isinstance(answer, int):
            raise ApiError("no", status=answer)
        return answer


def test_what_the_api_server_tells_is_all_that_is_asked_for() -> None:
    api = Api(METADATA=TOLD)
    assert _oauth.read(api, "apps.given") == "https://oauth.example.com"  # type: ignore[arg-type]
    assert api.asked == [_oauth.METADATA]


def test_who_may_read_little_gets_along_with_the_domain() -> None:
    api = Api(METADATA=403, AUTHENTICATION=OWN, INGRESS=403)
    issuer = _oauth.read(api, "apps.given")  # type: ignore[arg-type]
    assert issuer == "https://oauth-openshift.apps.given"


def test_an_api_that_fails_is_no_missing_login() -> None:
    with pytest.raises(ApiError):
        _oauth.read(Api(METADATA=500), "apps.given")  # type: ignore[arg-type]
