"""
Streams that have no end are asked for their history alone: `follow=false` is their bounded mode. Every other good
request is about what exists: else most of them would be about agents that are not there.
"""
import itertools
import os

import schemathesis

STREAMS = {"/v1/events", "/v1/verdicts"}
ENDLESS = {"/v1/events"}
AGENT = {"namespace": "default", "name": "agent"}
KNOWN_VERDICT = {"id": os.environ.get("SALLYPORT_VERDICT", "")}
turn = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.path in STREAMS:
        query = dict(case.query or {})
        goes_on = "follow" not in query and case.operation.path in ENDLESS
        if goes_on or str(query.get("follow")).lower() == "true":
            case.query = {**query, "follow": "false"}
    if case.meta is not None and case.meta.generation.mode.is_positive and next(turn) % 2 == 0:
        for real in (AGENT, KNOWN_VERDICT):
            if set(real) == set(case.path_parameters or {}):
                case.path_parameters = dict(real)
        if case.operation.path == "/v1/explain":
            case.body = {**case.body, "agent": "default/agent"}
