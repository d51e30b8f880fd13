"""Lints certificates with pkilint: each alone, and each with the one that signed it; one JSON line for each file on stdout.

identity_lint.py FILE SIGNER [FILE SIGNER ...]: PEM with one certificate each; SIGNER "-" = a root, which is linted alone.
"""
import contextlib
import io
import json
import sys
from urllib.parse import urlsplit

import validators
from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain


def run(linter, *files):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = linter.main(["lint", "-s", "WARNING", "-f", "JSON", "--document-format", "PEM", *files])
    results = json.loads(out.getvalue() or "{}").get("results")
    if results is None:
        raise SystemExit(f"{files}: status {status}, no report: {out.getvalue()}")
    return [finding for result in results for finding in result["finding_descriptions"]]


def excused(finding):
    """The linter's list of schemes lacks spiffe; with one that it knows the same URI has to pass."""
    text = (finding.get("message") or "").rpartition(": ")[2].strip('"')
    if finding["code"] != "pkix.invalid_uri_syntax" or urlsplit(text).scheme != "spiffe":
        return False
    return validators.url(text.replace("spiffe://", "https://", 1)) is True


for file, signer in zip(sys.argv[1::2], sys.argv[2::2]):
    found = run(lint_pkix_cert, file)
    found += [] if signer == "-" else run(lint_pkix_signer_signee_cert_chain, signer, file)
    kept = [f"{one['severity']} {one['code']} {one.get('message') or ''}".strip() for one in found if not excused(one)]
    print(json.dumps({"file": file, "findings": kept, "excused": len(found) - len(kept)}), flush=True)
