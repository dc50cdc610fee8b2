#!/usr/bin/env python3
"""Trains and validates this scorecard engine on the splits that the peers' benchmark uses, and prints the figures.

Splits are scikit-learn's: train_test_split(test_size=0.3, stratify=y, random_state=seed). The engine sees the training file only; figures
come from `integrity validate` on the test file. Needs pandas and scikit-learn.

  python benches/scorecard_peers.py --integrity target/release/integrity --data ../shared/data
  python benches/scorecard_peers.py --integrity target/release/integrity --table T.csv --target bad --positive 1 --seeds 42 43
"""
import argparse, json, pathlib, statistics, subprocess, tempfile, time

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def one(binary, table, target, positive, special, seed):
    y = (table[target].astype(str) == positive).astype(int)
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        table.iloc[train].to_csv(folder / "train.csv", index=False)
        table.iloc[test].to_csv(folder / "test.csv", index=False)
        common = ["--target", target, "--positive", positive, "--format", "json"]
        extra = [f"--special={special}"] if special else []
        begun = time.perf_counter()
        trained = run([binary, "train", "--table", folder / "train.csv", *common, *extra, "--out", folder / "model"])
        seconds = time.perf_counter() - begun
        tested = run([binary, "validate", "--model", folder / "model", "--table", folder / "test.csv", *common])["test"]
    return {
        "seed": seed,
        "auc": tested["auc"],
        "brier": tested["brier"],
        "calibration_slope": tested["calibration_slope"],
        "variables": trained["variables"],
        "tables": trained["tables"],
        "wrong_signs": trained["wrong_signs"],
        "train_seconds": round(seconds, 3),
    }


def study(name, binary, table, target, positive, special, seeds):
    runs = [one(binary, table, target, positive, special, seed) for seed in seeds]
    mean = {k: round(statistics.mean(r[k] for r in runs), 5) for k in runs[0] if k != "seed"}
    return {"data": name, "rows": len(table), "seeds": list(seeds), "mean": mean, "runs": runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--integrity", default="target/release/integrity", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, help="folder with german_credit/ and heloc/")
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--target")
    parser.add_argument("--positive", default="1")
    parser.add_argument("--special", default="")
    parser.add_argument("--seeds", type=int, nargs="*", default=[42])
    given = parser.parse_args()
    out = []
    if given.data:
        german = pd.read_csv(given.data / "german_credit/germancredit.csv", keep_default_na=False)
        out.append(study("german_credit", given.integrity, german, "creditability", "bad", "", range(42, 52)))
        heloc = pd.read_csv(given.data / "heloc/heloc_with_header.csv")
        out.append(study("heloc", given.integrity, heloc, "RiskPerformance_bad", "1", "-7,-8,-9", [42]))
    if given.table:
        read = pd.read_parquet if given.table.suffix == ".parquet" else pd.read_csv
        out.append(study(given.table.name, given.integrity, read(given.table), given.target, given.positive, given.special, given.seeds))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
