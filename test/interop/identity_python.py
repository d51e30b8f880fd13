"""Reads SVIDs and trust bundles with other people's libraries; one JSON line for each of them and each case on stdout."""
import base64
import datetime
import json
import sys

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from spiffe import JwtBundle, JwtSvid, TrustDomain, X509Bundle, X509Svid

# of the libraries that ask for the key of an SVID: that of an agent never leaves its process, and none of them uses it here
KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


def keys(case, use):
    return [key for key in json.loads(case["bundle"])["keys"] if key.get("use") == use]


def roots(case):
    return [x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])) for key in keys(case, "x509-svid")]


def by_cryptography(case):
    leaf, *between = x509.load_pem_x509_certificates(case["chain"].encode())
    time = datetime.datetime.fromtimestamp(case["at"], datetime.timezone.utc)
    policy = verification.PolicyBuilder().store(verification.Store(roots(case))).time(time).max_chain_depth(1)
    # every extension of every certificate is parsed, and those of the leaf are read
    for each in [leaf, *between, *roots(case)]:
        assert len(list(each.extensions)) > 0
    [subject] = policy.build_client_verifier().verify(leaf, between).subjects
    return subject.value


def by_spiffe(case):
    svid = X509Svid.parse(case["chain"].encode(), KEY)
    pem = b"".join(root.public_bytes(serialization.Encoding.PEM) for root in roots(case))
    bundle = X509Bundle.parse(TrustDomain(case["trustDomain"]), pem)
    assert len(bundle.x509_authorities) == len(roots(case))
    return str(svid.spiffe_id)


def by_spiffe_token(case):
    # JWT-SVID §6.2: the keys for JWT-SVIDs are taken out of a bundle first
    document = json.dumps({"keys": keys(case, "jwt-svid")}).encode()
    bundle = JwtBundle.parse(TrustDomain(case["trustDomain"]), document)
    return str(JwtSvid.parse_and_validate(case["token"], bundle, {case["audience"]}).spiffe_id)


def by_pyjwt(case):
    kid = jwt.get_unverified_header(case["token"])["kid"]
    [key] = [key for key in keys(case, "jwt-svid") if key["kid"] == kid]
    required = ["sub", "aud", "exp", "iat", "jti"]
    claims = jwt.decode(
        case["token"],
        jwt.PyJWK({**key, "use": "sig"}, algorithm="RS256"),
        algorithms=["RS256"],
        audience=case["audience"],
        options={"require": required},
    )
    return claims["sub"]


READERS = {
    "x509": {"cryptography": by_cryptography, "spiffe": by_spiffe},
    "jwt": {"spiffe": by_spiffe_token, "pyjwt": by_pyjwt},
}


def main():
    for case in json.load(sys.stdin):
        for reader, read in READERS[case["kind"]].items():
            try:
                told = {"spiffeId": read(case), "detail": ""}
            except Exception as error:  # noqa: BLE001 - whatever a library raises is a refusal
                told = {"spiffeId": None, "detail": f"{type(error).__name__}: {error}"}
            print(json.dumps({"name": case["name"], "reader": reader, **told}), flush=True)


main()
