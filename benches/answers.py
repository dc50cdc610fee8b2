#!/usr/bin/env python3
"""How fast applications are answered: many in one call, and one, on the demo's run.

    python benches/answers.py --integrity target/release/integrity
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--integrity", required=True)
parser.add_argument("--applications", type=int, default=50_000)
args = parser.parse_args()

JOB, DAY = "pipelines/demo/job.toml", "2025-07-02"
random.seed(1)


def call(*arguments):
    began = time.monotonic()
    done = subprocess.run([args.integrity, *map(str, arguments)], check=True, capture_output=True, text=True)
    return time.monotonic() - began, done.stdout


def application(number, merchant):
    return json.dumps(
        {
            "application_id": f"a{number}",
            "merchant_id": f"m{merchant:07}",
            "product": random.choice(["credit-loan", "order-loan"]),
            "requested_minor": random.randrange(50_000, 2_000_000),
        }
    )


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    out = folder / "out"
    call("run", JOB, "--out", out, "--models", folder / "models")
    one, many = folder / "one.json", folder / "many.jsonl"
    one.write_text(application("first", 12))
    many.write_text("\n".join(application(n, random.randrange(1_500)) for n in range(args.applications)))
    decide = ["decide", JOB, "--out", out, "--as-of", DAY, "--format", "json"]
    seconds, _ = call(*decide, "--application", one)
    print(f"one application: {seconds:.3f} s")
    seconds, text = call(*decide, "--application", many)
    outcomes = [answer["outcome"] for answer in json.loads(text)["answers"]]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    print(f"{len(outcomes)} applications: {seconds:.2f} s, {len(outcomes) / seconds:.0f} a second: {counts}")
    one.write_text(application("last", 13))
    seconds, _ = call(*decide, "--application", one)
    print(f"one more, after them: {seconds:.3f} s")
