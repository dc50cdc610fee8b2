#!/usr/bin/env python3
"""How fine the bins of a card are worth being, by size of the table: this engine beside LightGBM and an explainable boosting machine.

One made-up population (smooth, kinked, steep and wavy effects, one category, two effects that need a second variable, six columns of noise) is drawn
from once for the test (200,000 rows) and once for each size to train on. Its causes are known, so that the AUC of the true probabilities is
the best that anyone can reach; `left` is what is missing to it, in ten-thousandths. Peers run with their own defaults (LightGBM: 300 trees, learning rate 0.05),
one thread each; the boosting machine up to `--ebm-rows`. `--settings` passes a settings file to the engine, to try others.

  python benches/finer_bins.py --integrity target/release/integrity --sizes 1000 10000 100000 1000000 --peers
"""
import argparse, json, pathlib, subprocess, tempfile, time

import numpy as np
import pandas as pd
from scorecard_peers import lightgbm_model
from sklearn.metrics import log_loss, roc_auc_score

TEST_ROWS = 200_000


def population(seed, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 14))
    income = np.exp(rng.normal(10, 0.7, n))
    level = rng.choice(12, n, p=np.array([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) / 78)
    effect = np.array([0.5, -0.4, 0.1, -0.2, 0.3, -0.6, 0.0, 0.7, -0.3, 0.4, -0.1, 0.9])
    log_odds = (
        -3.1
        + 0.9 * np.tanh(1.5 * x[:, 0])
        + 0.5 * np.maximum(x[:, 1] - 0.5, 0) * 2
        + 0.35 * x[:, 2]
        + 0.4 * np.sin(2.2 * x[:, 3])
        - 0.5 * np.log(income / 22_000)
        + 0.6 * np.exp(-3 * (x[:, 4] + 1) ** 2)
        + 0.25 * np.abs(x[:, 5])
        + effect[level]
        + 0.5 * x[:, 6] * (level < 3)
        + 0.35 * x[:, 7] * np.sign(x[:, 2])
    )
    probability = 1 / (1 + np.exp(-log_odds))
    table = pd.DataFrame(x.round(4), columns=[f"v{i:02d}" for i in range(14)])
    table = table.assign(income=income.round(0), level=[f"L{k:02d}" for k in level], bad=(rng.random(n) < probability).astype(int))
    return table, probability


def integrity(binary, train, test, settings):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        train.to_parquet(folder / "train.parquet")
        test.to_parquet(folder / "test.parquet")
        command = [binary, "train", "--table", folder / "train.parquet", "--target", "bad", "--out", folder / "model"]
        command += ["--settings", settings] if settings else []
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.perf_counter() - begun
        subprocess.run(
            [binary, "apply", "--model", folder / "model", "--table", folder / "test.parquet", "--out", folder / "scores.parquet"],
            check=True, capture_output=True,
        )
        card = json.loads((folder / "model" / "model.json").read_text())
        bins = sum(bin["role"] == "regular" for v in card["variables"] for bin in v["bins"]["bins"])
        return pd.read_parquet(folder / "scores.parquet")["pd_prob"].to_numpy(), seconds, {"bins": bins}


def lightgbm(train, test):
    begun = time.perf_counter()
    predict = lightgbm_model(train.drop(columns="bad"), train["bad"], None)
    seconds = time.perf_counter() - begun
    return predict(test.drop(columns="bad")), seconds, {}


def boosting_machine(train, test):
    from interpret.glassbox import ExplainableBoostingClassifier
    model = ExplainableBoostingClassifier(n_jobs=1, random_state=1)
    begun = time.perf_counter()
    model.fit(train.drop(columns="bad"), train["bad"])
    seconds = time.perf_counter() - begun
    return model.predict_proba(test.drop(columns="bad"))[:, 1], seconds, {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--integrity", default="target/release/integrity", type=pathlib.Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--draws", type=int, default=1, help="tables drawn of each size")
    parser.add_argument("--settings", type=pathlib.Path)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--ebm-rows", type=int, default=100_000)
    given = parser.parse_args()
    test, probability = population(1, TEST_ROWS)
    best = roc_auc_score(test["bad"], probability)
    print(json.dumps({"best_auc": round(best, 4), "best_log_loss": round(log_loss(test["bad"], probability), 5), "bad_rate": round(test["bad"].mean(), 4)}))
    for size in given.sizes:
        engines = {"integrity": lambda train: integrity(given.integrity, train, test, given.settings)}
        if given.peers:
            engines["lightgbm"] = lambda train: lightgbm(train, test)
            if size <= given.ebm_rows:
                engines["ebm"] = lambda train: boosting_machine(train, test)
        for name, fit in engines.items():
            done = []
            for draw in range(given.draws):
                train, _ = population(100 + draw, size)
                p, seconds, more = fit(train)
                done.append({"auc": roc_auc_score(test["bad"], p), "log_loss": log_loss(test["bad"], p), "seconds": seconds, **more})
            mean = {key: float(np.mean([run[key] for run in done])) for key in done[0]}
            left = 1e4 * (best - mean["auc"])
            line = {"rows": size, "engine": name, "auc": round(mean["auc"], 4), "left": round(left, 1), "log_loss": round(mean["log_loss"], 5)}
            print(json.dumps({**line, **{k: round(v, 1) for k, v in mean.items() if k not in ("auc", "log_loss")}}), flush=True)


if __name__ == "__main__":
    main()
