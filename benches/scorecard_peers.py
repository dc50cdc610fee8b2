#!/usr/bin/env python3
"""Trains and validates this scorecard engine on the splits that the peers' benchmark uses, and prints the figures.

Splits are scikit-learn's: train_test_split(test_size=0.3, stratify=y, random_state=seed). The engine sees the training file only; figures
come from `integrity validate` on the test file. `--peers` fits optbinning's scorecard and LightGBM on the same splits in the same run, one
thread each, with the figures computed by scikit-learn. Needs pandas and scikit-learn, and the peers if asked for.

  python benches/scorecard_peers.py --integrity target/release/integrity --data DATA --peers
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


def split(table, target, positive, seed):
    y = (table[target].astype(str) == positive).astype(int)
    return y, *train_test_split(np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y)


def slope(y, p):
    """Slope of the calibration line: a logistic regression of the outcome on the log odds of what was predicted."""
    from sklearn.linear_model import LogisticRegression
    p = np.clip(p, 1e-6, 1 - 1e-6)
    line = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8).fit(np.log(p / (1 - p)).reshape(-1, 1), y)
    return float(line.coef_[0, 0])


def optbinning_card(columns, y, special):
    from optbinning import BinningProcess, Scorecard
    from sklearn.linear_model import LogisticRegression
    text = [c for c in columns if not pd.api.types.is_numeric_dtype(columns[c])]
    process = BinningProcess(list(columns), categorical_variables=text, special_codes=special or None)
    card = Scorecard(binning_process=process, estimator=LogisticRegression(max_iter=1000)).fit(columns, y)
    return lambda rows: card.predict_proba(rows)[:, 1]


def lightgbm_model(columns, y, special):
    import lightgbm
    kinds = {c: columns[c].astype("category").dtype for c in columns if not pd.api.types.is_numeric_dtype(columns[c])}
    model = lightgbm.LGBMClassifier(n_estimators=300, learning_rate=0.05, n_jobs=1, random_state=1, verbose=-1)
    model.fit(columns.astype(kinds), y)
    return lambda rows: model.predict_proba(rows.astype(kinds))[:, 1]


PEERS = {"optbinning": optbinning_card, "lightgbm": lightgbm_model}


def peer(fit, table, target, positive, special, seed):
    from sklearn.metrics import brier_score_loss, roc_auc_score
    y, train, test = split(table, target, positive, seed)
    # Peers take no dates, and no name for a row.
    columns = table.drop(columns=[target, "merchant_id"], errors="ignore").select_dtypes(exclude="datetime")
    begun = time.perf_counter()
    predict = fit(columns.iloc[train], y.iloc[train], [float(v) for v in special.split(",") if v])
    seconds = time.perf_counter() - begun
    p, truth = predict(columns.iloc[test]), y.iloc[test].to_numpy()
    return {
        "seed": seed,
        "auc": roc_auc_score(truth, p),
        "brier": brier_score_loss(truth, p),
        "calibration_slope": slope(truth, p),
        "train_seconds": round(seconds, 3),
    }


def one(binary, table, target, positive, special, seed):
    y, train, test = split(table, target, positive, seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        suffix = ".parquet" if len(table.columns) > 100 else ".csv"
        for name, rows in (("train", train), ("test", test)):
            part = table.iloc[rows]
            part.to_parquet(folder / f"{name}.parquet") if suffix == ".parquet" else part.to_csv(folder / f"{name}.csv", index=False)
        common = ["--target", target, "--positive", positive, "--format", "json"]
        extra = [f"--special={special}"] if special else []
        begun = time.perf_counter()
        trained = run([binary, "train", "--table", folder / f"train{suffix}", *common, *extra, "--out", folder / "model"])
        seconds = time.perf_counter() - begun
        tested = run([binary, "validate", "--model", folder / "model", "--table", folder / f"test{suffix}", *common])["test"]
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


def study(name, given, table, target, positive, special, seeds):
    engines = {"integrity": lambda seed: one(given.integrity, table, target, positive, special, seed)}
    if given.peers:
        for peer_name, fit in PEERS.items():
            engines[peer_name] = lambda seed, fit=fit: peer(fit, table, target, positive, special, seed)
    runs = {engine: [run_one(seed) for seed in seeds] for engine, run_one in engines.items()}
    mean = {e: {k: round(statistics.mean(r[k] for r in done), 5) for k in done[0] if k != "seed"} for e, done in runs.items()}
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
    parser.add_argument("--peers", action="store_true", help="fit optbinning and LightGBM beside it")
    given = parser.parse_args()
    out = []
    if given.data:
        german = pd.read_csv(given.data / "german_credit/germancredit.csv", keep_default_na=False)
        out.append(study("german_credit", given, german, "creditability", "bad", "", range(42, 52)))
        heloc = pd.read_csv(given.data / "heloc/heloc_with_header.csv")
        out.append(study("heloc", given, heloc, "RiskPerformance_bad", "1", "-7,-8,-9", [42]))
    if given.table:
        read = pd.read_parquet if given.table.suffix == ".parquet" else pd.read_csv
        out.append(study(given.table.name, given, read(given.table), given.target, given.positive, given.special, given.seeds))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
