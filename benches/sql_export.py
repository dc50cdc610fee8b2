#!/usr/bin/env python3
"""The exported SQL against the program, row by row, in DuckDB.

    python3 benches/sql_export.py target/release/integrity                       # a hostile table made here
    python3 benches/sql_export.py target/release/integrity TABLE.csv TARGET      # a table of your own

Trains on the table, exports the points as SQL, scores the table with DuckDB and with `integrity apply`, and compares: scores and bands must be
equal, PDs must agree to 1e-12. Then it scores the table again with missing values, NaN, special codes, extreme numbers and levels that
training never saw strewn in. Needs duckdb (pip install duckdb); ends with 1 where anything differs.
"""

import json
import random
import sys
import tempfile
from pathlib import Path

import duckdb
from exported_card import hostile_rows, run, told

ODD_NUMBERS = ["NULL", "'NaN'::DOUBLE", "-9", "-9.0", "0", "-0.5", "1e300", "-1e300", "7"]
ODD_LEVELS = ["NULL", "'never seen'", "''", "'  '", "'NA'", "'it''s \"new\"'", "'-9'", "'Ä;--'"]


def hostile(path: Path) -> None:
    """A table whose names and levels hold quotes, spaces, SQL and Unicode."""
    margin, town, plain, bad = 'gross "margin", 90d', "città's", "age; DROP TABLE x --", "Ist schlecht?"
    values = [(row, *cells) for row, cells in enumerate(hostile_rows())]
    con = duckdb.connect()
    quoted = ['"' + n.replace('"', '""') + '"' for n in (margin, town, plain, bad)]
    con.execute(f"CREATE TABLE t (row_id BIGINT, {quoted[0]} DOUBLE, {quoted[1]} VARCHAR, {quoted[2]} INTEGER, {quoted[3]} INTEGER)")
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", values)
    con.execute(f"COPY (SELECT * FROM t ORDER BY row_id) TO '{path}' (FORMAT parquet)")


def strew(con: duckdb.DuckDBPyConnection, source: Path, path: Path, numbers: list[str], texts: list[str]) -> None:
    """The same rows with a fifth of all cells replaced."""
    draw = random.Random(11)
    con.execute(f"CREATE OR REPLACE TABLE odd AS SELECT * FROM '{source}'")
    for names, odd in ((numbers, ODD_NUMBERS), (texts, ODD_LEVELS)):
        for name in names:
            column = '"' + name.replace('"', '""') + '"'
            con.execute("SELECT setseed(?)", [draw.random()])
            if odd is ODD_NUMBERS:
                con.execute(f"ALTER TABLE odd ALTER {column} TYPE DOUBLE")
            cases = " ".join(f"WHEN {k} THEN {v}" for k, v in enumerate(odd))
            con.execute(f"UPDATE odd SET {column} = CASE CAST(floor(random() * {5 * len(odd)}) AS INTEGER) {cases} ELSE {column} END")
    con.execute(f"COPY (SELECT * FROM odd ORDER BY row_id) TO '{path}' (FORMAT parquet)")


def compare(con: duckdb.DuckDBPyConnection, name: str, query: str, table: Path, scores: Path) -> bool:
    con.execute(f"CREATE OR REPLACE VIEW applicants AS SELECT * FROM '{table}'")
    differing, worst, rows, nulls = con.execute(f"""
        SELECT count(*) FILTER (s.score IS DISTINCT FROM a.score OR s.band IS DISTINCT FROM a.band::VARCHAR),
               max(abs(s.pd_prob - a.pd_prob)), count(*), count(*) FILTER (s.score IS NULL)
        FROM ({query}) AS s JOIN '{scores}' AS a ON s.row_id = a.row_id::BIGINT""").fetchone()
    print(f"{name:<28} {rows:>8} rows · {differing} differ in score or band · {nulls} without a score · largest PD difference {worst:.1e}")
    return differing == 0 and nulls == 0 and rows > 0 and worst < 1e-12


def main() -> int:
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="sql_export_") as scratch:
        return prove(binary, Path(scratch))


def prove(binary: str, folder: Path) -> int:
    table = folder / "table.parquet"
    con = duckdb.connect()
    if len(sys.argv) > 3:
        target = sys.argv[3]
        con.execute(f"COPY (SELECT row_number() OVER () AS row_id, * FROM '{sys.argv[2]}') TO '{table}' (FORMAT parquet)")
    else:
        target = "Ist schlecht?"
        hostile(table)
    model, document = folder / "model", folder / "document"
    run(binary, "train", "--table", str(table), "--target", target, "--drop", "row_id", "--special=-9", "--out", str(model))
    run(binary, "document", str(model), "--keep", "row_id", "--out", str(document))
    query = (document / "scorecard.sql").read_text()
    card = json.loads((model / "model.json").read_text())
    print(told(card))
    described = con.execute(f"DESCRIBE SELECT * FROM '{table}'").fetchall()
    features = [(name, kind) for name, kind, *_ in described if name not in ("row_id", target)]
    texts = [name for name, kind in features if kind == "VARCHAR"]
    odd = folder / "odd.parquet"
    strew(con, table, odd, [name for name, kind in features if kind != "VARCHAR"], texts)
    fine = True
    for name, rows in (("as trained", table), ("with odd values strewn in", odd)):
        scores = folder / f"{rows.stem}_scores.parquet"
        run(binary, "apply", "--model", str(model), "--table", str(rows), "--keep", "row_id", "--out", str(scores))
        fine &= compare(con, name, query, rows, scores)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
