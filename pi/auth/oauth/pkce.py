"""Proof key for code exchange (RFC 7636) and the random values beside it."""

import base64
import hashlib
import secrets

__all__ = ["challenge_of", "new_token"]


def new_token() -> str:
    """43 characters, 256 bits: a verifier, a state, a nonce."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """The S256 challenge."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
