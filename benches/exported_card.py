"""What the checks of exported scorecards (sql_export.py, pmml_export.py) share: a hostile table, the program, the card in a line."""

import random
import subprocess
import sys
from collections.abc import Iterator

LEVELS = ["it's fine", 'B "two"', "C|<b>", "Zürich", "x, y", "7"]


def hostile_rows(rows: int = 4000) -> Iterator[tuple[float | None, str | None, int, int]]:
    """Two figures around a level, and the outcome: levels hold quotes, markup and Unicode, and one column means something else at each level of another."""
    draw = random.Random(7)
    for _ in range(rows):
        a = draw.choice([None, -9.0, *[draw.gauss(0, 1) for _ in range(10)]])
        b = draw.choice([None, *LEVELS, *LEVELS])
        c = draw.randint(18, 80)
        risk = (0.9 if a is None or a == -9 else -a) + (0.8 if b in LEVELS[:2] else -0.2) - (c - 45) / 30
        risk += (1.2 if c > 45 else -1.2) * (0 if a is None or a == -9 else a)
        yield a, b, c, int(draw.random() < 1 / (1 + 2.718281828 ** (1.2 - risk)))


def run(binary: str, *args: str) -> None:
    done = subprocess.run([binary, "--quiet", *args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"integrity {' '.join(args)}\n{done.stderr}")


def told(card: dict) -> str:
    method = card["calibration"]["map"]["method"]
    return f"{len(card['variables'])} variables, {len(card['tables'])} two-variable tables, {method} calibration"
