#!/usr/bin/env python3
"""Writes three made-up loan tables whose causes are known, for `scorecard_peers.py --table`.

  additive.csv  every cause adds up; nothing a two-variable table could win
  crossed.csv   some causes mean something else at each level of another
  terms.csv     small-business loans: term, amount, guarantee, state and industry, with a crisis that hits only short terms

  python benches/make_tables.py --out /tmp/tables
"""
import argparse, pathlib

import numpy as np
import pandas as pd


def drawn(rng, log_odds):
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).astype(int)


def additive(rng, n=20_000):
    x = rng.normal(size=(n, 15))
    log_odds = -3.6 + 0.8 * x[:, 0] + 0.3 * x[:, 1] ** 2 - 0.6 * x[:, 2] + 0.4 * np.abs(x[:, 3]) + 0.3 * x[:, 4]
    return pd.DataFrame(x.round(3), columns=[f"v{i}" for i in range(15)]).assign(bad=drawn(rng, log_odds))


def crossed(rng, n=20_000):
    x, level = rng.normal(size=(n, 12)), rng.choice(list("ABCD"), n)
    sign = pd.Series(level).map({"A": 1.5, "B": -1.5, "C": 0.5, "D": 0.0}).to_numpy()
    log_odds = -2.6 + x[:, 0] + 1.6 * sign * x[:, 1] + 1.3 * x[:, 2] * x[:, 3] + 2.4 * (x[:, 4] > 0) * (x[:, 5] > 0) + 0.4 * x[:, 6]
    return pd.DataFrame(x.round(3), columns=[f"v{i}" for i in range(12)]).assign(level=level, bad=drawn(rng, log_odds))


def terms(rng, n=30_000):
    months = [12, 24, 36, 48, 60, 84, 120, 180, 240, 300]
    term = rng.choice(months, n, p=[0.05, 0.05, 0.1, 0.1, 0.15, 0.3, 0.1, 0.05, 0.05, 0.05]).astype(float)
    property_loan = (term >= 240) | ((term > 100) & (rng.random(n) < 0.2))
    amount = np.exp(rng.normal(11, 1.2, n))
    guarantee = amount * rng.choice([0.5, 0.75, 0.85], n)
    state = rng.integers(0, 50, n)
    effect = rng.normal(0, 0.3, 50)[state]
    year = rng.integers(1990, 2015, n)
    crisis = (year + term / 12 > 2008) & (year <= 2008)
    log_odds = (
        -2 + 2.5 * crisis * ~property_loan - 1.5 * property_loan + 0.3 * effect
        - 0.3 * (np.log(amount) - 11) * np.where(property_loan, -1, 1) + 1.5 * ((guarantee / amount < 0.6) & crisis)
    )
    names = {"term": term, "amount": amount.round(), "guarantee": guarantee.round(), "state": [f"S{s}" for s in state], "year": year}
    return pd.DataFrame(names).assign(industry=[f"N{k}" for k in rng.integers(0, 20, n)], bad=drawn(rng, log_odds))


def wide(rng, n=20_000, columns=500):
    """One hidden cause; every third column follows it, in five kinds of columns by turns."""
    cause = rng.normal(size=n)
    made = {}
    for k in range(columns):
        share = rng.uniform(0, 0.6) if k % 3 == 0 else 0.0
        x = share * cause + np.sqrt(1 - share**2) * rng.normal(size=n)
        kinds = [lambda: x, lambda: np.exp(x), lambda: np.round(3 * x), lambda: np.where(rng.random(n) < 0.1, np.nan, x),
                 lambda: np.array(list("abcdefgh"), dtype=object)[np.clip(((x + 2.5) * 1.6).astype(int), 0, 7)]]
        made[f"v{k:03d}"] = kinds[k % 5]()
    return pd.DataFrame(made).assign(bad=drawn(rng, cause - 2.2))


def many_rows(rng, n, columns, digits=None):
    x = rng.normal(size=(n, columns)).astype(np.float32 if digits is not None else np.float64)
    x = x.round(digits) if digits is not None else x
    return pd.DataFrame(x, columns=[f"v{i:03d}" for i in range(columns)]).assign(bad=drawn(rng, 0.25 * x[:, :20].sum(axis=1) - 2.5))


def sizes(out):
    """Tables to time: wide, long (10 million rows in a folder of 20 files), and one to score."""
    wide(np.random.default_rng(42)).to_parquet(out / "wide.parquet")
    many_rows(np.random.default_rng(43), 3_000_000, 20).to_parquet(out / "score.parquet")
    many_rows(np.random.default_rng(44), 50_000, 20).to_parquet(out / "score_train.parquet")
    (out / "long").mkdir(exist_ok=True)
    for part in range(20):
        many_rows(np.random.default_rng(100 + part), 500_000, 100, digits=2).to_parquet(out / "long" / f"part-{part:02d}.parquet")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--sizes", action="store_true", help="tables to time instead: wide.parquet, score.parquet, long/ (some 4 GB)")
    given = parser.parse_args()
    out = given.out
    out.mkdir(parents=True, exist_ok=True)
    if given.sizes:
        return sizes(out)
    for seed, make in enumerate((additive, crossed, terms), start=7):
        make(np.random.default_rng(seed)).to_csv(out / f"{make.__name__}.csv", index=False)


if __name__ == "__main__":
    main()
