"""A real small issuer of login tokens on loopback: OpenID discovery, a JWKS, and its signatures."""

import json
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.loopback import Loopback

_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def new_key(algorithm: str) -> _PrivateKey:
    """Make a key for RS256, ES256 or EdDSA."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


# RSA keys of issuers that are gone: to make one takes 50 ms of processor time.
_spare_keys: list[_PrivateKey] = []


def _public_jwk(algorithm: str, key: _PrivateKey) -> dict[str, Any]:
    """Write the public half as a JWK."""
    if isinstance(key, rsa.RSAPrivateKey):
        return dict(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return dict(ECAlgorithm.to_jwk(key.public_key(), as_dict=True))
    return dict(OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)) | {"alg": algorithm}


class Issuer(Loopback):
    """Serves its documents, and counts how often it was asked.

    No two that run, and no two keys of one, are the same; who comes later may have a key of theirs.
    Over TLS its name is issuer.example, which only a proxy knows.
    """

    def __init__(self, algorithm: str = "RS256", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.is_down = False
        self.seconds = 0.0  # before each answer
        self.redirects: dict[str, str] = {}
        self.documents: dict[str, object] = {}
        self._keys: dict[str, tuple[str, _PrivateKey]] = {}
        self._used_keys: list[_PrivateKey] = []
        super().__init__(self._handler())
        self.url = f"http://127.0.0.1:{self.port}/realm"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = "https://issuer.example/realm"
        self.documents["/realm/.well-known/openid-configuration"] = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
        }
        self.rotate("first", algorithm)

    def rotate(self, key_id: str, algorithm: str = "RS256") -> None:
        """Sign with this new key from now on, and show no other."""
        is_spare = algorithm == "RS256" and _spare_keys
        key = _spare_keys.pop() if is_spare else new_key(algorithm)
        self._used_keys.append(key)
        self._keys = {key_id: (algorithm, key)}
        self.publish()

    def publish(self, *more: Mapping[str, object]) -> None:
        """Show the keys, and these besides."""
        shown = [
            _public_jwk(algorithm, key) | {"kid": key_id, "use": "sig"}
            for key_id, (algorithm, key) in self._keys.items()
        ]
        self.documents["/realm/keys"] = {"keys": [*shown, *more]}

    def sign(self, **changes: object) -> str:
        """Sign a login token of alice's; None takes a claim away."""
        key_id, (algorithm, key) = next(iter(self._keys.items()))
        claims = {
            "iss": self.url,
            "aud": "my-app",
            "sub": "alice",
            "name": "Alice",
            "exp": int(time.time()) + 300,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        # Not by jwt.encode, which would look at the claims.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm, {"kid": key_id})

    def public_key_document(self) -> bytes:
        """Return what an attacker can download."""
        return json.dumps(self.documents["/realm/keys"]).encode()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        _spare_keys.extend(key for key in self._used_keys if isinstance(key, rsa.RSAPrivateKey))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            """Serves the documents."""

            def do_GET(self) -> None:
                """Answer with a document, or as a server in trouble does."""
                issuer.asked.append(self.path)
                time.sleep(issuer.seconds)
                if target := issuer.redirects.get(self.path):
                    self.send_response_only(302)
                    self.send_header("Location", target)
                    self.end_headers()
                    return
                document = None if issuer.is_down else issuer.documents.get(self.path)
                body = json.dumps(document).encode()
                self.send_response_only(503 if issuer.is_down else 200 if document else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


class Dripping(Loopback):
    """An issuer whose answers come byte by byte and never end.

    Attributes:
        hung_up: Set when the one who asked has gone.
    """

    def __init__(self, part: str) -> None:
        """`part` is what drips: "head" or "body"."""
        self.hung_up = Event()
        super().__init__(self._handler(b"" if part == "body" else b"X-Slow: "))
        self.url = f"http://127.0.0.1:{self.port}/realm"

    def _handler(self, unfinished: bytes) -> type[BaseHTTPRequestHandler]:
        issuer = self
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n" + (unfinished or b"\r\n")

        class Handler(BaseHTTPRequestHandler):
            """Sends a space at a time."""

            def do_GET(self) -> None:
                """Drip until nobody listens."""
                self.wfile.write(head)
                with suppress(OSError):
                    for _ in range(200):
                        self.wfile.write(b" ")
                        time.sleep(0.05)
                    return
                issuer.hung_up.set()

        return Handler
