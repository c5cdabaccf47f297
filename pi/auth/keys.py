"""What a provider wants to be told when a key is stored for it, and the entry that makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pi.auth.oauth.base import Entry, Person, SignInCancelled
from pi.auth.providers import KEY_SOURCES, key_source

__all__ = ["ask_for_key", "takes_keys"]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One way to give a provider its credentials. key: ask for one. variables: ask for these."""

    title: str
    key: bool = False
    variables: tuple[str, ...] = ()
    note: str = ""


_QUESTIONS: Mapping[str, str] = {
    "AWS_PROFILE": "Name of the AWS profile: ",
    "CLOUDFLARE_ACCOUNT_ID": "Cloudflare account ID: ",
    "CLOUDFLARE_GATEWAY_ID": "Cloudflare AI gateway ID: ",
    "GOOGLE_CLOUD_PROJECT": "Google Cloud project ID: ",
    "GOOGLE_CLOUD_LOCATION": "Google Cloud location, such as us-central1: ",
    "GOOGLE_APPLICATION_CREDENTIALS": "Path of the service account's key file: ",
}

_GOOGLE = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")

_CHOICES: Mapping[str, tuple[_Choice, ...]] = {
    "amazon-bedrock": (
        _Choice("A Bedrock bearer token", key=True),
        _Choice("A named AWS profile", variables=("AWS_PROFILE",)),
        _Choice("Whatever credentials AWS tools find on this machine"),
    ),
    "google-vertex": (
        _Choice("A Google Cloud API key", key=True),
        _Choice(
            "Application default credentials",
            variables=_GOOGLE,
            note="They are made by: gcloud auth application-default login",
        ),
        _Choice("A service account", variables=(*_GOOGLE, "GOOGLE_APPLICATION_CREDENTIALS")),
    ),
}

_SIGN_IN_ONLY = frozenset({"openai-codex"})


def takes_keys(provider: str) -> bool:
    """Whether the provider, a shipped one or any other, can be used with an API key."""
    return provider in KEY_SOURCES or provider not in _SIGN_IN_ONLY


def ask_for_key(provider: str, person: Person) -> Entry:
    """The entry to store. Raises SignInCancelled for an empty answer."""
    choices = _CHOICES.get(provider)
    if choices is None:
        choice = _Choice("", key=True, variables=key_source(provider).needs)
    else:
        titles = [choice.title for choice in choices]
        choice = choices[person.choose(f"How to sign in to {provider}?", titles)]
    if choice.note:
        person.say(choice.note)
    entry: dict[str, Any] = {"type": "api_key"}
    if choice.key:
        entry["key"] = _given(person.ask(f"API key for {provider}: ", secret=True))
    if choice.variables:
        entry["env"] = {name: _given(person.ask(_QUESTIONS[name])) for name in choice.variables}
    return entry


def _given(answer: str) -> str:
    if not answer:
        raise SignInCancelled
    return answer
