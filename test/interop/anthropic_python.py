"""Reads every scenario with the official Python SDK; one JSON line for each on stdout."""
import json
import sys

import anthropic
from anthropic import Anthropic


def read_blocks(seen, blocks):
    for block in blocks:
        if block.type == "text":
            seen["text"] += block.text
        if block.type == "tool_use":
            seen["calls"].append([block.name, block.input])


def read_loop(client, request, seen):
    calls = {}
    for event in client.messages.create(stream=True, **request):
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            calls[event.index] = [event.content_block.name, event.content_block.input, ""]
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            seen["text"] += event.delta.text
        elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            if event.index in calls:
                calls[event.index][2] += event.delta.partial_json
        elif event.type == "message_delta":
            seen["finish"] = event.delta.stop_reason
    for _, (name, given, pieces) in sorted(calls.items()):
        seen["calls"].append([name, json.loads(pieces) if pieces else given])


def read(client, case, how):
    seen = {"name": case["name"], "how": how, "text": "", "calls": [], "finish": None, "error": None}
    request = {
        "model": case["model"],
        "max_tokens": 1024,
        "messages": case["messages"],
        "tools": case["tools"],
    }
    try:
        if how == "loop":
            read_loop(client, request, seen)
        else:
            messages = client.beta.messages if how == "beta helper" else client.messages
            with messages.stream(**request) as stream:
                message = stream.get_final_message()
            read_blocks(seen, message.content)
            seen["finish"] = message.stop_reason
    except anthropic.APIError as error:
        seen["error"] = str(error)
    return seen


def main():
    setup = json.load(sys.stdin)
    for case in setup["cases"]:
        client = Anthropic(base_url=setup["base_url"], api_key=case["token"], max_retries=2)
        print(json.dumps(read(client, case, case["how"])), flush=True)


main()
