"""Reads every scenario with the official Python SDK; one JSON line for each on stdout."""
import json
import sys

import openai
from openai import OpenAI


def read(client, case, how):
    seen = {"name": case["name"], "how": how, "content": "", "calls": [], "finish": None, "error": None}
    request = {"model": case["model"], "messages": case["messages"], "tools": case["tools"]}
    names = {}
    try:
        if how == "loop":
            for chunk in client.chat.completions.create(stream=True, **request):
                for choice in chunk.choices:
                    seen["content"] += choice.delta.content or ""
                    seen["finish"] = choice.finish_reason or seen["finish"]
                    for call in choice.delta.tool_calls or []:
                        names[call.index] = names.get(call.index, "") + (call.function.name or "")
            seen["calls"] = [names[index] for index in sorted(names)]
        else:
            with client.chat.completions.stream(**request) as stream:
                for _ in stream:
                    pass
                choice = stream.get_final_completion().choices[0]
            seen["content"] = choice.message.content or ""
            seen["finish"] = choice.finish_reason
            seen["calls"] = [call.function.name for call in choice.message.tool_calls or []]
    except openai.LengthFinishReasonError:
        seen["finish"] = "length"
    except openai.APIError as error:
        seen["error"] = error.code or str(getattr(error, "status_code", error))
    return seen


def main():
    setup = json.load(sys.stdin)
    for case in setup["cases"]:
        client = OpenAI(base_url=setup["base_url"], api_key=case["token"], max_retries=2)
        print(json.dumps(read(client, case, case["how"])), flush=True)


main()
