"""Validates OCSF events, one a line on stdin, against the published schema: strictly, and by our own reading of it.

Prints one line of JSON for each event: {"faults": [...]}; an event that is valid has none.
"""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchema, OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
SCHEMA = get_ocsf_schema(VERSION)
EMBEDDED = OcsfJsonSchemaEmbedded(OcsfJsonSchema(SCHEMA))
CLASSES = {row["uid"]: row for row in SCHEMA["classes"].values()}
VALIDATORS = {}


def validator_for(event):
    profiles = tuple(event["metadata"].get("profiles", []))
    key = (event["class_uid"], profiles)
    if key not in VALIDATORS:
        name = CLASSES[event["class_uid"]]["name"]
        VALIDATORS[key] = Draft202012Validator(EMBEDDED.get_class_schema(name, list(profiles)))
    return VALIDATORS[key]


def attributes_of(owner, profiles):
    return {
        name: row
        for name, row in owner["attributes"].items()
        if not row.get("profiles") or any(profile in profiles for profile in row["profiles"])
    }


def walk(value, owner, profiles, path):
    """What JSON Schema does not say: captions beside numbers, deprecated attributes, constraints of objects, empty values."""
    known = attributes_of(owner, profiles)
    for name in (owner.get("constraints") or {}).get("at_least_one", []) and [owner["constraints"]["at_least_one"]]:
        if not any(each in value for each in name):
            yield f"{path}: none of {name}"
    for name, member in value.items():
        row = known.get(name)
        at = f"{path}.{name}"
        if row is None:
            if known:
                yield f"{at}: unknown"
            continue
        if "@deprecated" in row:
            yield f"{at}: deprecated"
        if member in ("", [], {}, None):
            yield f"{at}: empty"
        sibling = row.get("sibling")
        if sibling in value and str(member) in row.get("enum", {}) and member != 99:
            caption = row["enum"][str(member)]["caption"]
            if value[sibling] != caption:
                yield f"{path}.{sibling}: {value[sibling]!r} is not {caption!r}"
        if row["type"] == "object_t":
            inner = SCHEMA["objects"][row["object_type"]]
            for each in member if row.get("is_array") else [member]:
                yield from walk(each, inner, profiles, at)


def faults_of(event):
    uid = event.get("class_uid")
    if uid not in CLASSES:
        return [f"class {uid} is unknown"]
    row = CLASSES[uid]
    faults = [f"{error.json_path}: {error.message}" for error in validator_for(event).iter_errors(event)]
    faults += walk(event, row, event["metadata"].get("profiles", []), "$")
    profiles = set(event["metadata"].get("profiles", [])) - set(row["profiles"])
    if profiles:
        faults.append(f"profiles not of this class: {sorted(profiles)}")
    if event["metadata"]["version"] != SCHEMA["version"]:
        faults.append("version")
    if event["type_uid"] != uid * 100 + event["activity_id"]:
        faults.append("type_uid")
    if event["class_name"] != row["caption"]:
        faults.append("class_name")
    return faults


for line in sys.stdin:
    print(json.dumps({"faults": faults_of(json.loads(line))}), flush=True)
