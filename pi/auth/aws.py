"""AWS: the region and address of Bedrock, and signing with whatever credentials AWS tools find.

Keys in variables are used as they are; profiles (SSO and assumed roles among them), containers, web
identities and instances are botocore's affair, and so is the signature. It is an optional extra: a
bearer token needs none of it.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pi.errors import AuthError
from pi.wire.model import Model

if TYPE_CHECKING:
    from botocore.credentials import Credentials

__all__ = ["AwsKeys", "bedrock_address", "bedrock_region"]

DEFAULT_REGION = "us-east-1"
SERVICE = "bedrock"

_ENDPOINT = r"https://bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/?"
_ARN = r"arn:aws(?:-[a-z0-9-]+)?:bedrock:([a-z0-9-]+):"


def bedrock_region(model: Model, variables: Mapping[str, str]) -> str:
    """An inference profile's own, the variables', the address's, the profile's, or the default."""
    if found := re.match(_ARN, model.id):
        return found[1]
    if named := _named_region(variables):
        return named
    profile = variables.get("AWS_PROFILE")
    if profile and (configured := _profile_region(profile)):
        return configured
    endpoint = re.fullmatch(_ENDPOINT, model.base_url.lower())
    return endpoint[1] if endpoint is not None else DEFAULT_REGION


def bedrock_address(model: Model, variables: Mapping[str, str]) -> str:
    """Where requests go. An address of one's own stays; AWS's own follows the region."""
    if not re.fullmatch(_ENDPOINT, model.base_url.lower()):
        return model.base_url
    if variables.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        for name in ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"):
            if variables.get(name):
                return variables[name]
    region = bedrock_region(model, variables)
    fips = "-fips" if variables.get("AWS_USE_FIPS_ENDPOINT", "").lower() == "true" else ""
    china = ".cn" if region.startswith("cn-") else ""
    return f"https://bedrock-runtime{fips}.{region}.amazonaws.com{china}"


class AwsKeys:
    """AWS credentials, looked for at the first signature and renewed as they end.

    stored: variables of auth.json. A profile named there counts over keys in the environment.
    """

    def __init__(
        self, variables: Mapping[str, str], stored: Mapping[str, str], region: str
    ) -> None:
        self._variables = variables
        self._profile = stored.get("AWS_PROFILE")
        self._region = region
        self._found: Credentials | None = None

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """The headers and those of the signature, version 4. Blocks. Raises AuthError."""
        botocore = _botocore()
        if self._found is None:
            self._found = self._find()
        request = botocore.awsrequest.AWSRequest(method, url, dict(headers), body)
        try:
            keys = self._found.get_frozen_credentials()
            botocore.auth.SigV4Auth(keys, SERVICE, self._region).add_auth(request)
        except botocore.exceptions.BotoCoreError as error:
            raise _unusable(error) from error
        return {name.lower(): value for name, value in request.headers.items()}

    def _find(self) -> "Credentials":
        botocore = _botocore()
        variables = self._variables
        key, secret = variables.get("AWS_ACCESS_KEY_ID"), variables.get("AWS_SECRET_ACCESS_KEY")
        if key and secret and not self._profile:
            token = variables.get("AWS_SESSION_TOKEN") or None
            found: Credentials | None = botocore.credentials.Credentials(key, secret, token)
        else:
            profile = self._profile or variables.get("AWS_PROFILE") or None
            try:
                found = botocore.session.Session(profile=profile).get_credentials()
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                raise _unusable(error) from error
        if found is None:
            raise AuthError(
                "no AWS credentials were found",
                hint="Set AWS_BEARER_TOKEN_BEDROCK, AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY.",
            )
        return found


def _unusable(error: Exception) -> AuthError:
    told = " ".join(str(error).split())
    return AuthError(
        f"the AWS credentials cannot be used: {told}", hint="Try: aws sts get-caller-identity"
    )


def _named_region(variables: Mapping[str, str]) -> str | None:
    return variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or None


def _profile_region(profile: str) -> str | None:
    """The region of a profile; None where it has none, or nothing here can read it."""
    try:
        botocore = _botocore()
    except AuthError:
        return None
    try:
        region = botocore.session.Session(profile=profile).get_config_variable("region")
    except botocore.exceptions.BotoCoreError:
        return None  # signing will say what is wrong with it
    return region if isinstance(region, str) else None


def _botocore() -> Any:
    try:
        # botocore signs and finds credentials as AWS's own tools do. Loaded at the first signature.
        import botocore.auth  # noqa: PLC0415
        import botocore.credentials  # noqa: PLC0415
        import botocore.exceptions  # noqa: PLC0415
        import botocore.session  # noqa: PLC0415
    except ImportError:
        raise AuthError(
            "AWS credentials other than a bearer token need botocore, which is not installed",
            hint="pip install 'pi-coding-agent-py[bedrock]', or set AWS_BEARER_TOKEN_BEDROCK.",
        ) from None
    return botocore
