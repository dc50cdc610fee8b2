"""Kills: the program is killed with -9 at many instants of a first night, and every time the next night must publish what an undisturbed one does.

    cargo build --release
    python benches/kills.py [--kills 40] [--seed 1]

A first night of the demo trains a model, approves it and publishes. It is killed at random instants, and as soon as each of these can be seen: a model
in the making, a model saved, a run in the making, a run in place. After each kill `verify` must find nothing wrong with what is published, `lookup`
must answer from a whole run or say that there is none, and the next `run` must end with 0 or 99 and leave the same files, byte for byte, as the
undisturbed night: nothing half saved, nothing left behind.
"""
import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(HERE, "target", "release", "integrity")
JOB = os.path.join(HERE, "pipelines", "demo", "job.toml")


def folders(home):
    return os.path.join(home, "out"), os.path.join(home, "models")


def command(home):
    out, models = folders(home)
    return [BINARY, "--quiet", "run", JOB, "--out", out, "--models", models]


def files(home):
    """Digest of every published file and every file of the model. Manifests hold the clock, pointers their digest."""
    found = {}
    for top in folders(home):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                told = os.path.relpath(path, home)
                if name.startswith("manifest.json") and top.endswith("out") or name in ("current.json", ".lock") or name.endswith(".lock"):
                    continue
                if "/store/" in told:
                    continue
                with open(path, "rb") as file:
                    found[told] = hashlib.sha256(file.read()).hexdigest()
    return found


def seen(home, what):
    """Whether a stage of the night can be seen from outside."""
    out, models = folders(home)
    below = lambda top: [os.path.join(folder, name) for folder, inner, names in os.walk(top) for name in inner + names]
    if what == "model in the making":
        return any(os.path.basename(path).startswith(".staging-") for path in below(models))
    if what == "model saved":
        return any(path.endswith("/manifest.json") and ".staging-" not in path for path in below(models))
    if what == "run in the making":
        return any(path.endswith("/scores.parquet") and ".staging" in path for path in below(out))
    return any("/run=" in path and ".staging" not in path for path in below(out))


def killed(home, stop):
    """Runs a night until `stop` says so, then kills it. False where it ended before."""
    night = subprocess.Popen(command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began = time.time()
    while night.poll() is None:
        if stop(time.time() - began):
            night.kill()
            night.wait()
            return True
        time.sleep(0.0005)
    return False


def after(home, expected, told):
    out, _ = folders(home)
    looked = subprocess.run([BINARY, "--quiet", "lookup", out, "m0000241"], capture_output=True, check=False)
    if looked.returncode not in (0, 66):
        sys.exit(f"{told}: lookup ended with {looked.returncode}: {looked.stderr.decode()}")
    again = subprocess.run(command(home), capture_output=True, check=False)
    if again.returncode not in (0, 99):
        sys.exit(f"{told}: the next night ended with {again.returncode}: {again.stderr.decode()}")
    verified = subprocess.run([BINARY, "--quiet", "verify", out], capture_output=True, check=False)
    if verified.returncode != 0:
        sys.exit(f"{told}: verify ended with {verified.returncode}: {verified.stdout.decode()}")
    found = files(home)
    differing = sorted(name for name in set(found) | set(expected) if found.get(name) != expected.get(name))
    if differing:
        sys.exit(f"{told}: other files than an undisturbed night leaves: {differing[:10]}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--kills", type=int, default=40)
    arguments.add_argument("--seed", type=int, default=1)
    arguments = arguments.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        home = os.path.join(scratch, "night")
        began = time.time()
        subprocess.run(command(home), check=True, stdout=subprocess.DEVNULL)
        seconds = time.time() - began
        expected = files(home)
        stages = ["model in the making", "model saved", "run in the making", "run in place"]
        done = ended = 0
        for number in range(arguments.kills):
            shutil.rmtree(home)
            if number % 2 == 0:
                stage = stages[number // 2 % len(stages)]
                told = f"kill {number + 1}, {stage}"
                was_killed = killed(home, lambda _, stage=stage: seen(home, stage))
            else:
                instant = draw.uniform(0.0, seconds)
                told = f"kill {number + 1}, after {instant:.2f} s"
                was_killed = killed(home, lambda passed, instant=instant: passed > instant)
            done, ended = done + was_killed, ended + (not was_killed)
            os.makedirs(home, exist_ok=True)
            after(home, expected, told)
            print(f"{told}: {'killed' if was_killed else 'had ended'}, the next night is sound", flush=True)
    print(f"{done} kills, {ended} nights that ended first; every next night left the files of an undisturbed one")


if __name__ == "__main__":
    main()
