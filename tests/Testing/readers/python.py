"""Reads a folder of bundles with gzip and json alone: python3 python.py FOLDER writes one JSON line."""
import glob, gzip, json, sys

sessions = messages = tokens = characters = 0
for name in glob.glob(sys.argv[1] + "/*.jsonl.gz"):
    with gzip.open(name, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            document = json.loads(line)
            sessions += 1
            messages += len(document["messages"])
            tokens += sum(m.get("token_count", 0) for m in document["messages"])
            characters += sum(len(m["content"]) for m in document["messages"])
print(json.dumps({"sessions": sessions, "messages": messages, "tokens": tokens, "characters": characters}))
