#!/usr/bin/env python3
"""The exported PMML against the program, row by row, in pmml4s (through pypmml; needs Java).

    python3 benches/pmml_export.py target/release/integrity                                          # a hostile table made here
    python3 benches/pmml_export.py target/release/integrity TABLE.csv TARGET [--positive VALUE …]    # a table of your own

Trains on the table, exports the card as PMML, scores the table with the engine and with `integrity apply`, and compares: scores and bands must be
equal, PDs must agree to 1e-12, and so must the reasons: as many as characteristics lost points against the average, four at most, in their order where no two lost as many. Then it does so again with
missing values, special codes and levels that training never saw strewn in. Needs pypmml (pip install pypmml); ends with 1 where anything differs.
"""

import csv
import json
import random
import sys
import tempfile
from pathlib import Path

from exported_card import hostile_rows, run, told
from pypmml import Model

ODD_NUMBERS = ["", "-9", "0", "-0.5", "1e300", "-1e300"]
MISSING = ("", "na", "n/a", "nan", "null", "none")
ODD_LEVELS = ["", "never seen", "NA", " n/a ", "-9", "Ä;--"]


def hostile(path: Path) -> None:
    """A table whose names and levels hold quotes, markup and Unicode."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(['gross "margin", 90d', "città's", "age & <years>", "bad"])
        for a, b, c, bad in hostile_rows():
            writer.writerow(["" if a is None else a, b or "", c, bad])


def kinds_of(card: dict) -> dict[str, bool]:
    """Columns that the card reads, and whether each holds numbers."""
    return {v["bins"]["name"]: "number" in v["bins"]["kind"] for v in card["variables"]}


def compare(name: str, binary: str, model: Path, engine: Model, card: dict, rows: list[dict], folder: Path) -> bool:
    kinds = kinds_of(card)
    variables = [(v["bins"]["name"], v["code"], v["reference_points"]) for v in card["variables"]]
    pairs = [(t["code"], t["code"], t["reference_points"]) for t in card["tables"]]
    parts = variables + pairs
    table, scores = folder / "rows.csv", folder / f"{name.replace(' ', '_')}.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["row_id", *kinds], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({"row_id": at, **row} for at, row in enumerate(rows))
    run(binary, "apply", "--model", str(model), "--table", str(table), "--keep", "row_id", "--points", "--out", str(scores))
    differ, other_reasons, with_reasons, worst = 0, 0, 0, 0.0
    with scores.open(newline="") as file:
        for row, expected in zip(rows, csv.DictReader(file), strict=True):
            given = {}
            for column, is_number in kinds.items():
                cell = row[column]
                if is_number:
                    cell = None if cell.strip().lower() in MISSING else float(cell)
                given[column] = cell
            found = engine.predict(given)
            worst = max(worst, abs(found["pd_prob"] - float(expected["pd_prob"])))
            differ += found["score"] != float(expected["score"]) or found["band"] != expected["band"]
            # Points lost against the average row, from the columns of points; where two are equal their order is anybody's.
            lost = [(average - int(expected[f"points_{name}"]), code) for name, code, average in parts]
            lost = sorted((pair for pair in lost if pair[0] > 0), reverse=True)[:4]
            given = [code for rank in range(4) if (code := found[f"reason_{rank + 1}"])]
            with_reasons += 1
            # Of equal losses the order is anybody's, and which of them comes fourth.
            told_apart = len({points for points, _ in lost}) == len(lost)
            other_reasons += given != [code for _, code in lost] if told_apart else len(given) != len(lost)
    print(
        f"{name:<28} {len(rows):>8} rows · {differ} differ in score or band · largest PD difference {worst:.1e} · "
        f"{other_reasons} of {with_reasons} differ in reasons"
    )
    return differ == 0 and other_reasons == 0 and worst < 1e-12 and with_reasons > 0


def main() -> int:
    if len(sys.argv) in (1, 3):
        sys.exit(__doc__)
    binary, table, target, *more = [*sys.argv[1:], None, None][: max(3, len(sys.argv) - 1)]
    with tempfile.TemporaryDirectory(prefix="pmml_export_") as scratch:
        folder = Path(scratch)
        if table is None:
            table, target = str(folder / "hostile.csv"), "bad"
            hostile(Path(table))
        model, document = folder / "model", folder / "document"
        run(binary, "train", "--table", table, "--target", target, *more, "--special=-9", "--out", str(model))
        run(binary, "document", str(model), "--out", str(document))
        card = json.loads((model / "model.json").read_text())
        kinds = kinds_of(card)
        print(told(card))
        engine = Model.load(str(document / "scorecard.pmml"))
        with open(table, newline="") as file:
            rows = list(csv.DictReader(file))
        fine = compare("as trained", binary, model, engine, card, rows, folder)
        draw = random.Random(11)
        for row in rows:
            for column, is_number in kinds.items():
                if draw.random() < 0.2:
                    row[column] = draw.choice(ODD_NUMBERS if is_number else ODD_LEVELS)
        fine &= compare("with odd values strewn in", binary, model, engine, card, rows, folder)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
