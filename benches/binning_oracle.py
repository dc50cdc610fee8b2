#!/usr/bin/env python3
"""Compares the information value of our partitions with optbinning's, over the same pre-bins and under the same constraints.

Every numeric column is replaced by the number of its quantile pre-bin (20 of them), so that both engines start from the same cells; missing values are left
out of the comparison. For each trend, both look for at most 6 bins of at least 5 % of the rows each; ours with `integrity bins --table`, optbinning with its
constraint solver. The information values are computed here from the cuts of both. Ends with 1 if ours is lower anywhere. Needs pandas and optbinning.

  python benches/binning_oracle.py --integrity target/release/integrity TABLE.csv:TARGET[:BAD] ...
"""
import argparse, json, pathlib, subprocess, sys, tempfile, time, warnings

import numpy as np
import pandas as pd

TRENDS = ["ascending", "descending", "peak", "valley", "none", "auto"]
CELLS, BINS, SHARE = 20, 6, 0.05


def cells_of(column):
    known = column.dropna()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, CELLS + 1)[1:-1], method="lower"))
    return pd.Series(np.where(column.isna(), np.nan, np.searchsorted(edges, column, side="left")), index=column.index)


def information_value(x, y, splits):
    at = np.searchsorted(np.sort(np.asarray(splits, dtype=float)), x, side="left")
    bad = np.bincount(at, weights=y, minlength=len(splits) + 1)
    good = np.bincount(at, weights=1 - y, minlength=len(splits) + 1)
    b, g = np.maximum(bad, 0.5) / bad.sum(), np.maximum(good, 0.5) / good.sum()
    return float(((g - b) * np.log(g / b)).sum())


def ours(binary, path, trend, folder):
    settings = folder / f"{trend}.toml"
    settings.write_text(f'[training.binning]\ntrend = "{trend}"\nmax_cells = 200\nmax_bins = {BINS}\nmin_bins = 2\nmin_size_share = {SHARE}\nmax_log_odds_error = 0.0\n')
    began = time.perf_counter()
    done = subprocess.run([binary, "bins", "--table", path, "--target", "__bad", "--settings", settings, "--format", "json", "--quiet"],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.args}\n{done.stderr}")
    found = {c["variable"]: c for c in json.loads(done.stdout)["columns"]}
    return found, time.perf_counter() - began


def theirs(x, y, trend):
    from optbinning import OptimalBinning
    splits = np.arange(int(x.max())) + 0.5
    card = OptimalBinning(dtype="numerical", solver="cp", user_splits=splits, min_n_bins=2, max_n_bins=BINS, min_bin_size=SHARE,
                          monotonic_trend=None if trend == "none" else trend, time_limit=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        card.fit(x, y)
    return list(card.splits) if card.status == "OPTIMAL" and len(card.splits) else None


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--integrity", default="target/release/integrity")
    parse.add_argument("--json", help="also write every comparison here")
    parse.add_argument("tables", nargs="+", metavar="TABLE:TARGET[:BAD]")
    given = parse.parse_args()
    every, lower = [], 0
    print(f"{'table':<16}{'trend':<12}{'columns':>8}{'higher':>8}{'equal':>7}{'lower':>7}{'only ours':>11}{'only theirs':>13}"
          f"{'mean IV':>10}{'theirs':>9}{'s':>7}{'theirs':>8}")
    for spec in given.tables:
        path, target, *bad = spec.split(":")
        table = pd.read_csv(path)
        y = (table[target].astype(str) == bad[0]).astype(int) if bad else table[target].astype(int)
        numbers = [c for c in table.columns if c != target and pd.api.types.is_numeric_dtype(table[c]) and table[c].nunique() > 2]
        cells = pd.DataFrame({c: cells_of(table[c]) for c in numbers})
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            coded = folder / "cells.csv"
            cells.assign(__bad=y).to_csv(coded, index=False)
            for trend in TRENDS:
                found, seconds = ours(given.integrity, coded, trend, folder)
                rows, began = [], time.perf_counter()
                for name in numbers:
                    known = cells[name].notna()
                    x, outcome = cells.loc[known, name].to_numpy(), y[known].to_numpy()
                    regular = found[name].get("bins", {}).get("kind", {}).get("number", {}).get("edges", [])
                    splits = theirs(x, outcome, trend)
                    rows.append({"table": pathlib.Path(path).stem, "column": name, "trend": trend,
                                 "ours": information_value(x, outcome, regular) if regular else None,
                                 "theirs": information_value(x, outcome, splits) if splits else None})
                took = time.perf_counter() - began
                both = [(r["ours"], r["theirs"]) for r in rows if r["ours"] is not None and r["theirs"] is not None]
                higher = sum(a > b + 1e-9 for a, b in both)
                less = sum(a < b - 1e-9 for a, b in both)
                alone = sum(r["theirs"] is None and r["ours"] is not None for r in rows)
                missed = sum(r["ours"] is None and r["theirs"] is not None for r in rows)
                lower += less + missed
                mean = np.mean(both, axis=0) if both else (0, 0)
                print(f"{rows[0]['table']:<16}{trend:<12}{len(rows):>8}{higher:>8}{len(both) - higher - less:>7}{less:>7}{alone:>11}{missed:>13}"
                      f"{mean[0]:>10.4f}{mean[1]:>9.4f}{seconds:>7.2f}{took:>8.1f}", flush=True)
                every += rows
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(every, indent=1) + "\n")
    sys.exit(1 if lower else 0)


if __name__ == "__main__":
    main()
