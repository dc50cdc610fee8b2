"""How often the alarms of drift cry wolf: the stability index of two samples of one population, by number of rows.

    pip install numpy scipy
    python benches/drift_alarms.py [--nights 20000]

For each number of rows: the share of nights on which nothing moved that exceed the critical values of `src/workbench/validation/stability.rs`, once in 20 and once in
100 times by chance, and the share that exceed the customary limits 0.10 and 0.25, which know nothing of the number of rows. The formulas are written here
a second time: index = sum of (a - e) ln(a / e), critical value = (1/n + 1/m) chi2(1 - alpha, bins - 1) raised where bins are thin, and 1/2 added to every count where a bin is empty on
one side.
"""
import argparse

import numpy
from scipy.stats import chi2

EVEN = numpy.full(10, 0.1)
# As uneven as the bands of a master scale.
UNEVEN = numpy.array([0.02, 0.05, 0.1, 0.2, 0.26, 0.2, 0.1, 0.05, 0.02])


def indices(random, shares, reference, tonight, nights):
    """The index of every night, the degrees of freedom and both counts."""
    e = random.multinomial(reference, shares, nights).astype(float)
    a = random.multinomial(tonight, shares, nights).astype(float)
    held = (e + a > 0).sum(axis=1)
    extra = 0.5 * ((e == 0) != (a == 0)).any(axis=1)
    share = lambda counts: (counts + extra[:, None]) / (counts.sum(axis=1) + extra * held)[:, None]
    e_share, a_share = share(e), share(a)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        parts = numpy.where(e + a > 0, (a_share - e_share) * numpy.log(a_share / e_share), 0.0)
    return parts.sum(axis=1), held - 1, e, a


def rise(e, a, freedom):
    """By how much critical values are raised: three times the relative rise of the index's mean, to second order."""
    n, m = e.sum(axis=1), a.sum(axis=1)
    with numpy.errstate(divide="ignore"):
        odds = numpy.where(e + a > 0, (n + m)[:, None] / (e + a) - 1, 0.0).sum(axis=1)
    return 1 + 3 * 0.5 * (1 / n**2 + 1 / m**2) * odds / (freedom * (1 / n + 1 / m))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--nights", type=int, default=20_000)
    nights = arguments.parse_args().nights
    random = numpy.random.default_rng(1)
    print(f"{'bins':<8} {'reference':>10} {'tonight':>10} {'> 95 %':>8} {'> 99 %':>8} {'> 0.10':>8} {'> 0.25':>8}")
    for name, shares in (("even", EVEN), ("uneven", UNEVEN)):
        for reference, tonight in ((200, 200), (500, 500), (1_000_000, 500), (10_000, 10_000), (1_000_000, 1_000_000)):
            index, freedom, e, a = indices(random, shares, reference, tonight, nights)
            scale = (1 / reference + 1 / tonight) * rise(e, a, freedom)
            over = [(index > scale * chi2.ppf(level, freedom)).mean() for level in (0.95, 0.99)]
            over += [(index > limit).mean() for limit in (0.1, 0.25)]
            print(f"{name:<8} {reference:>10} {tonight:>10} " + " ".join(f"{100 * share:>6.2f} %" for share in over))


if __name__ == "__main__":
    main()
