"""Signatures without a key of one's own: Sigstore certifies who signed. Needs ``headway[sigstore]``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from headway.errors import UnusableInput, WorldFailed
from headway.model.text import Text, say

_REMEDY = say("pip install 'headway[sigstore]'")


@dataclass(frozen=True, slots=True)
class Certified:
    """Who signed, as the certificate says; ``None`` when the signature does not hold, and why not."""

    identity: str | None
    why: str


def sign(message: bytes) -> tuple[str, str]:
    """Sigstore's bundle as JSON, and the identity in its certificate. Asks the environment (a CI's identity) or, in a
    browser, the person who they are.

    Raises ``UnusableInput`` (``sign.no-sigstore``) and ``WorldFailed`` (``sign.sigstore``).
    """
    try:
        from sigstore.errors import Error
        from sigstore.models import ClientTrustConfig
        from sigstore.oidc import ExpiredIdentity, IdentityToken, Issuer, IssuerError, detect_credential
        from sigstore.sign import SigningContext
    except ImportError as e:
        raise UnusableInput(
            "sign.no-sigstore", say("signing with Sigstore needs a library that is not installed"), remedy=_REMEDY
        ) from e
    try:
        trust = ClientTrustConfig.production()
        ambient = detect_credential()
        token = IdentityToken(ambient) if ambient else Issuer(trust.signing_config.get_oidc_url()).identity_token()
        with SigningContext.from_trust_config(trust).signer(token) as signer:
            bundle = signer.sign_artifact(message)
    except (Error, ExpiredIdentity, IssuerError, OSError) as e:
        raise WorldFailed(
            "sign.sigstore",
            say("Sigstore did not sign: {why}", why=_words(e)),
            remedy=say("check the network and who you are signed in as, then sign again; nothing was written"),
        ) from e
    return bundle.to_json(), _identity(bundle)


def check(message: bytes, bundle: str) -> Certified | Text:
    """Who signed; why nothing can be said when the library or its roots of trust are not here. Needs no network."""
    try:
        from sigstore.errors import Error, VerificationError
        from sigstore.models import Bundle, InvalidBundle
        from sigstore.verify import Verifier
        from sigstore.verify.policy import UnsafeNoOp
    except ImportError:
        return say("the library for Sigstore is not installed: {remedy}", remedy=str(_REMEDY))
    logging.getLogger("sigstore").setLevel(logging.ERROR)  # it warns of being offline, which is meant
    try:
        verifier = Verifier.production(offline=True)
    except (Error, OSError) as e:
        return say("Sigstore's roots of trust cannot be read: {why}", why=_words(e))
    try:
        read = Bundle.from_json(bundle)
        # Any identity: it is told to the reader, who knows whether it is the right one.
        verifier.verify_artifact(message, read, UnsafeNoOp())
    except (InvalidBundle, VerificationError) as e:
        return Certified(None, _words(e))
    return Certified(_identity(read), "")


def _identity(bundle: Any) -> str:
    """The subject's name in the certificate that Sigstore gave: an address, or a workflow's URL."""
    from cryptography.x509 import SubjectAlternativeName

    names = bundle.signing_certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return next(n.value.decode() if isinstance(n.value, bytes) else str(n.value) for n in names)


def _words(e: BaseException) -> str:
    return " ".join(str(e).split()) or type(e).__name__
