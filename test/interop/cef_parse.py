"""Reads lines of CEF on stdin with a parser of somebody else; prints what it found, one line of JSON for each."""

import json
import sys

import pycef

for line in sys.stdin:
    print(json.dumps(pycef.parse(line.rstrip("\n"))), flush=True)
