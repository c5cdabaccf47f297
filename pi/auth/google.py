"""Google Cloud: where Vertex AI is, and tokens from application default credentials.

google-auth reads the credential files (a person's, a service account's, a federated workload's)
and knows how each becomes a token; it is an optional extra, an API key needs none of it. Its
requests go through pi's own client, so that proxies and trusted certificates are the same.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.auth.oauth.base import Send
from pi.errors import AuthError
from pi.wire import jsonio
from pi.wire.model import Model

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

__all__ = ["GoogleKeys", "default_credentials", "vertex_address"]

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PROJECT = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
LOCATION = "GOOGLE_CLOUD_LOCATION"
FILE = "GOOGLE_APPLICATION_CREDENTIALS"
GLOBAL = "https://aiplatform.googleapis.com"
MULTI_REGIONS = ("us", "eu")

# What google-auth raises for a file of another shape than it expects.
_SHAPE = (ValueError, TypeError, AttributeError, KeyError)
_VERSION = r"/v\d+(?:beta\d*)?(?:/|$)"


def vertex_address(model: Model, variables: Mapping[str, str], *, keyed: bool) -> str:
    """The base URL that `/publishers/…` follows. keyed: an API key knows its project by itself.

    An address of one's own says where everything is but the version of the API.
    """
    base = model.base_url.strip().rstrip("/")
    if base and "{location}" not in base:
        return base if re.search(_VERSION, base) else f"{base}/v1"
    if keyed:
        return f"{GLOBAL}/v1"
    project, location = _project(variables), variables.get(LOCATION)
    if not project or not location:
        missing = "GOOGLE_CLOUD_PROJECT" if not project else LOCATION
        raise AuthError(
            f'provider "{model.provider}" needs the variable {missing}',
            hint=f'Set it, or add it to "env" of "{model.provider}" in auth.json.',
        )
    if location == "global":
        host = GLOBAL
    elif location in MULTI_REGIONS:
        host = f"https://aiplatform.{location}.rep.googleapis.com"
    else:
        host = f"https://{location}-aiplatform.googleapis.com"
    return f"{host}/v1/projects/{project}/locations/{location}"


def default_credentials(variables: Mapping[str, str]) -> Path:
    """The file of application default credentials, there or not: named, or as gcloud keeps it."""
    if named := variables.get(FILE):
        return Path(named)
    if folder := variables.get("CLOUDSDK_CONFIG"):
        return Path(folder) / "application_default_credentials.json"
    if os.name == "nt" and (roaming := variables.get("APPDATA")):
        return Path(roaming) / "gcloud" / "application_default_credentials.json"
    home = variables.get("HOME") or variables.get("USERPROFILE") or "~"
    return Path(home).expanduser() / ".config" / "gcloud" / "application_default_credentials.json"


class GoogleKeys:
    """Application default credentials, read at the first request and renewed as they end."""

    def __init__(self, variables: Mapping[str, str], send: Send) -> None:
        self._path = default_credentials(variables)
        self._request = _Request(send)
        self._found: Credentials | None = None

    def headers(self) -> Mapping[str, str]:
        """What a request carries: a bearer token, and the project that pays. Blocks.

        Raises AuthError, or NetworkError where there is no answer to a renewal.
        """
        auth = _google_auth()
        headers: dict[str, str] = {}
        try:
            if self._found is None:
                self._found = self._read()
            self._found.before_request(self._request, "POST", GLOBAL, headers)  # type: ignore[no-untyped-call]
        except (auth.exceptions.GoogleAuthError, OSError, *_SHAPE) as error:
            told = " ".join(str(error.args[0] if error.args else error).split())
            raise AuthError(
                f"the Google credentials in {self._path} cannot be used: {told}",
                hint="Make new ones with: gcloud auth application-default login",
            ) from error
        return headers

    def _read(self) -> "Credentials":
        import warnings  # noqa: PLC0415  (only here)

        # A person's token has the scopes they granted; asking for others may be refused.
        info = jsonio.loads(self._path.read_bytes())
        personal = isinstance(info, dict) and info.get("type") == "authorized_user"
        with warnings.catch_warnings():
            # It warns of files from strangers; this one is the person's own.
            warnings.simplefilter("ignore")
            found, _ = _google_auth().load_credentials_from_file(
                str(self._path),
                scopes=None if personal else [SCOPE],
                request=self._request,
            )
        credentials: Credentials = found
        return credentials


class _Request:
    """How google-auth sends: `google.auth.transport.Request`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> "_Answer":
        content = body.encode() if isinstance(body, str) else body or b""
        reply = self._send(method, url, dict(headers or {}), content)
        return _Answer(reply.status, reply.body)


class _Answer:
    """`google.auth.transport.Response`."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.data = data


def _project(variables: Mapping[str, str]) -> str | None:
    return next((variables[name] for name in PROJECT if variables.get(name)), None)


def _google_auth() -> Any:
    try:
        # google-auth knows every kind of credential file. Loaded at the first token.
        import google.auth  # noqa: PLC0415
        import google.auth.exceptions  # noqa: PLC0415
    except ImportError:
        raise AuthError(
            "Google credentials other than an API key need google-auth, which is not installed",
            hint="pip install 'pi-coding-agent-py[vertex]', or set GOOGLE_CLOUD_API_KEY.",
        ) from None
    return google.auth
