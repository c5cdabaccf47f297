"""Credentials that a platform supplies: whether there are any, and what a request carries then."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pi.auth.oauth.base import Surroundings
from pi.auth.providers import key_source
from pi.errors import AuthError
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.auth.aws import AwsKeys
    from pi.auth.federation import Federation
    from pi.auth.google import GoogleKeys

__all__ = ["Ambient", "Platform", "has_ambient"]


class Ambient(NamedTuple):
    """source: for messages. token: a bearer token. sign: what signs each request."""

    source: str
    token: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    sign: "AwsKeys | None" = None


def has_ambient(provider: str, variables: Mapping[str, str], *, chosen: bool) -> bool:
    """Whether a request should find some. No network, no program runs.

    chosen: whether the person stored an entry for the provider. For AWS that is enough: the files
    and services that its tools look at are many.
    """
    sets = key_source(provider).ambient
    named = any(all(variables.get(name) for name in names) for names in sets)
    if provider == "amazon-bedrock":
        return named or chosen
    if provider != "google-vertex" or not named:
        return named
    from pi.auth.google import default_credentials  # noqa: PLC0415  (for Vertex alone)

    return default_credentials(variables).is_file()


class Platform:
    """The credentials of one run: what was found and fetched is kept for the next request.

    around: how tokens are fetched; None where nothing may be.
    """

    def __init__(self, around: Surroundings | None) -> None:
        self._around = around
        self._aws: dict[str, AwsKeys] = {}
        self._google: GoogleKeys | None = None
        self._federation: Federation | None = None

    def find(
        self, model: Model, variables: Mapping[str, str], stored: Mapping[str, str]
    ) -> Ambient:
        """For a provider that `has_ambient`. stored: variables of auth.json. Blocks.

        Raises AuthError or NetworkError.
        """
        if model.provider == "amazon-bedrock":
            return Ambient("AWS credentials", sign=self._signer(model, variables, stored))
        if self._around is None:
            raise AuthError(f'the credentials of "{model.provider}" cannot be used without network')
        if model.provider == "anthropic":
            from pi.auth.federation import Federation  # noqa: PLC0415  (for workloads alone)

            if self._federation is None:
                self._federation = Federation(variables, self._around)
            return Ambient("workload identity", self._federation.token(model.base_url))
        from pi.auth.google import GoogleKeys  # noqa: PLC0415  (for Vertex alone)

        if self._google is None:
            self._google = GoogleKeys(variables, self._around.send)
        return Ambient("Google application default credentials", headers=self._google.headers())

    def _signer(
        self, model: Model, variables: Mapping[str, str], stored: Mapping[str, str]
    ) -> "AwsKeys":
        from pi.auth.aws import AwsKeys, bedrock_region  # noqa: PLC0415  (for Bedrock alone)

        region = bedrock_region(model, variables)
        if region not in self._aws:
            self._aws[region] = AwsKeys(variables, stored, region)
        return self._aws[region]
