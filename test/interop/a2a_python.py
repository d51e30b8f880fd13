"""Speaks to another agent with the official A2A SDK for Python; one JSON line for each case on stdout."""
import asyncio
import json
import re
import sys

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest, TaskState
from google.protobuf import json_format


def reason(error):
    text = f"{error} {getattr(error, 'data', '')} {error.__cause__ or ''}"
    found = re.search(r"sallyport: ([A-Z_]+):", text)
    return found.group(1) if found else text


def request(case):
    parts = [Part(text=case["text"])]
    if case.get("url"):
        parts.append(Part(url=case["url"]))
    message = Message(message_id="m1", role=Role.ROLE_USER, parts=parts)
    if case.get("task"):
        message.task_id = case["task"]
    if case.get("metadata"):
        json_format.ParseDict(case["metadata"], message.metadata)
    return SendMessageRequest(message=message)


async def client_of(case, http, base_url):
    headers = {"A2A-Version": case["version"]}
    card = await A2ACardResolver(http, base_url).get_agent_card(http_kwargs={"headers": headers})
    kept = [
        one
        for one in card.supported_interfaces
        if one.protocol_binding == case["binding"] and one.protocol_version.startswith(case["version"])
    ]
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(kept)
    streaming = case["how"] == "stream"
    config = ClientConfig(httpx_client=http, streaming=streaming, supported_protocol_bindings=[case["binding"]])
    return ClientFactory(config).create(card)


async def read(case, base_url):
    seen = {"name": case["name"], "kinds": [], "states": [], "text": "", "error": None, "again": None}
    headers = {"authorization": f"Bearer {case['token']}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        try:
            client = await client_of(case, http, base_url)
            task = None
            async for event in client.send_message(request(case)):
                kind = event.WhichOneof("payload")
                payload = getattr(event, kind)
                seen["kinds"].append(kind)
                seen["text"] += json_format.MessageToJson(payload)
                if kind in ("task", "status_update"):
                    seen["states"].append(TaskState.Name(payload.status.state))
                if kind == "task":
                    task = payload.id
            if task is not None:
                again = await client.get_task(GetTaskRequest(id=task))
                seen["again"] = TaskState.Name(again.status.state)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises is what is looked at
            seen["error"] = reason(error)
    return seen


async def main():
    setup = json.load(sys.stdin)
    for case in setup["cases"]:
        print(json.dumps(await read(case, setup["base_url"])), flush=True)


asyncio.run(main())
