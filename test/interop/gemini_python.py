"""Reads every scenario with the official Gemini SDK for Python; one JSON line for each on stdout."""
import json
import re
import sys

from google import genai
from google.genai import errors, types


def reason(error):
    found = re.search(r"['\"]reason['\"]:\s*['\"]([A-Z_]+)", str(error.details))
    return found.group(1) if found else str(error)


def add(seen, chunk):
    for candidate in chunk.candidates or []:
        for part in (candidate.content and candidate.content.parts) or []:
            if part.text and not part.thought:
                seen["text"] += part.text
            if part.function_call:
                seen["calls"].append(part.function_call.name)
        if candidate.finish_reason:
            seen["finish"] = candidate.finish_reason.value


def read(client, case):
    seen = {"name": case["name"], "how": case["how"], "text": "", "calls": [], "finish": None, "error": None}
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=case["declarations"])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    try:
        if case["how"] == "loop":
            for chunk in client.models.generate_content_stream(model=case["model"], contents="go on", config=config):
                add(seen, chunk)
        elif case["how"] == "chat":
            chat = client.chats.create(model=case["model"], config=config)
            for chunk in chat.send_message_stream("go on"):
                add(seen, chunk)
            seen["history"] = len(chat.get_history(curated=True))
            for _ in chat.send_message_stream("and then?"):
                pass
        else:
            add(seen, client.models.generate_content(model=case["model"], contents="go on", config=config))
    except errors.APIError as error:
        seen["error"] = reason(error)
    return seen


def main():
    setup = json.load(sys.stdin)
    for case in setup["cases"]:
        client = genai.Client(api_key=case["token"], http_options=types.HttpOptions(base_url=setup["base_url"]))
        print(json.dumps(read(client, case)), flush=True)


main()
