"""Reads every Responses scenario with the official Python SDK; one JSON line for each on stdout."""
import json
import sys

import openai
from openai import OpenAI


def read_output(seen, output):
    for item in output:
        if item.type == "function_call":
            seen["calls"].append(item.name)
        if item.type == "message":
            for part in item.content:
                seen["content"] += getattr(part, "text", None) or getattr(part, "refusal", "")


def read_loop(client, request, seen):
    for event in client.responses.create(stream=True, **request):
        if event.type == "response.output_text.delta" or event.type == "response.refusal.delta":
            seen["content"] += event.delta
        if event.type == "response.output_item.done" and event.item.type == "function_call":
            seen["calls"].append(event.item.name)
        if hasattr(event, "response"):
            seen["finish"] = event.response.status


def read_helper(client, request, seen):
    with client.responses.stream(**request) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    read_output(seen, final.output)
    seen["finish"] = final.status


def read(case, base_url):
    seen = {"name": case["name"], "how": case["how"], "content": "", "calls": [], "finish": None, "error": None}
    client = OpenAI(base_url=base_url, api_key=case["token"], max_retries=2)
    request = {"model": case["model"], "input": "go on", "tools": case["tools"]}
    try:
        (read_loop if case["how"] == "loop" else read_helper)(client, request, seen)
    except openai.APIError as error:
        seen["error"] = error.code or str(getattr(error, "status_code", error))
    except RuntimeError as error:  # the helper's word for a stream without `response.completed`
        seen["error"] = str(error)
    return seen


def main():
    setup = json.load(sys.stdin)
    for case in setup["cases"]:
        print(json.dumps(read(case, setup["base_url"])), flush=True)


main()
