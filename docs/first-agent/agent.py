"""A small agent on the unmodified OpenAI client. It knows nothing of sallyport: its address and key are the environment's."""
import json

from openai import OpenAI

DOCS = "Brand guide: subject lines have at most six words."
ROWS = "spring-launch | 4000 | 2100"


def tool(name, argument):
    schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("search_docs", "query"), tool("run_sql", "query")]
client = OpenAI()


def turn(messages):
    text, calls = "", {}
    for chunk in client.chat.completions.create(model="gpt-5", messages=messages, tools=TOOLS, stream=True):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, {"id": part.id, "name": part.function.name, "arguments": ""})
                call["arguments"] += part.function.arguments or ""
    return text, list(calls.values())


def ask(question):
    messages = [{"role": "user", "content": question}]
    for _ in range(4):
        text, calls = turn(messages)
        if text:
            print(text.strip(), flush=True)
        if not calls:
            return
        functions = [{"name": call["name"], "arguments": call["arguments"]} for call in calls]
        proposed = [
            {"id": call["id"], "type": "function", "function": function} for call, function in zip(calls, functions)
        ]
        messages.append({"role": "assistant", "content": text, "tool_calls": proposed})
        for call in calls:
            print("->", call["name"], json.loads(call["arguments"]), flush=True)
            result = DOCS if call["name"] == "search_docs" else ROWS
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


for question in ["Three subject lines, please.", "Now the weekly status."]:
    print("#", question, flush=True)
    ask(question)
