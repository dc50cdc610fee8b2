"""How much of the money that later defaults could be foreseen at all in a simulated marketplace: the ceiling for `integrity backtest --alerts`.

    integrity simulate --out sim/1 --merchants 4000 --months 36 --seed 1 --outlooks 60        (and 2, 3, 4, 5)
    python benches/alert_ceiling.py sim/1 sim/2 sim/3 sim/4 sim/5

Needs duckdb. Reads `truth/`, which no job sees. `truth/outlooks` holds, of every borrower who is late with nothing on a weekly night, in how many of many
lives a loan goes bad within 180 days: its whole state is copied, hidden traits, cash and orders under way among it, and lived on with other luck
(src/simulate/outlook.rs). No watcher can know that chance better; the rest is drawn. Three who flag by it:

    chance       the chance itself
    money        chance x what is owed
    best mix     chance + weight x money, the weight and the threshold the best in hindsight: the ceiling

Figures as in src/run/backtest/judge.rs: money with a foreseeing night 14 days or more before the first missed payment, right flags among all flags
(runs of nights joined over pauses of 28 days). Half a year of nights is judged, the last one 180 days before the end. Outcomes are the simulator's own,
not those of a ledger.
"""

import collections
import datetime
import statistics
import sys

import duckdb

LEAD, JOIN, PERFORMANCE = 14, 28, 180
DAY = datetime.timedelta(days=1)
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def load(folder):
    """Outlooks of the judged nights by merchant, and loans that went bad: (disbursed, money, first missed, in default since)."""
    db = duckdb.connect()
    for table, key in (("loans", "loan_id"), ("instalments", "loan_id, number"), ("payments", "payment_id")):
        order = "" if table == "payments" else ", recorded_at nulls first"
        db.execute(f"create table {table} as select distinct on ({key}) * from '{folder}/{table}.parquet' order by {key}{order}")
    db.execute("create table paid as select loan_id, sum(amount_minor) a from payments where reversed_at is null group by 1")
    # The first payment missed for good: the first instalment that all payments together do not reach.
    bad = db.execute(f"""select merchant_id, disbursed_at::date, principal_minor, min(due_on), product from loans
        join '{folder}/truth/loans.parquet' t using (loan_id, merchant_id) join (
            select loan_id, due_on, sum(principal_minor + interest_minor + coalesce(fee_minor, 0)) over (partition by loan_id order by due_on, number) owed
            from instalments) using (loan_id)
        where outcome like 'bad%' and product <> 'payday-loan' and owed > coalesce((select a from paid where paid.loan_id = loans.loan_id), 0)
        group by all""").fetchall()
    loans = collections.defaultdict(list)
    for merchant, disbursed, principal, missed, product in bad:
        loans[merchant].append((disbursed, principal, missed, missed + (30 if product == "order-loan" else 90) * DAY))
    last = db.execute(f"select max(on_night) from '{folder}/truth/outlooks.parquet'").fetchone()[0]
    nights = collections.defaultdict(list)
    for merchant, night, owed, chance in db.execute(f"""select merchant_id, on_night, owed_minor, bad / lives from '{folder}/truth/outlooks.parquet'
            where on_night > ?::date - 182 order by 1, 2""", [last]).fetchall():
        nights[merchant].append((night, chance, chance * owed))
    return nights, loans, last - 175 * DAY, last


def foresees(night, loan):
    return night < loan[2] and (loan[3] - night).days <= PERFORMANCE


def judge(markets, is_flagged):
    money = flagged_money = flags = right = 0
    leads = []
    for nights, loans, start, end in markets:
        flagged = {m: [n for n, chance, at_risk in its if is_flagged(chance, at_risk)] for m, its in nights.items()}
        for merchant, its in loans.items():
            for loan in its:
                act_by = loan[2] - LEAD * DAY
                if not start <= act_by <= end:
                    continue
                money += loan[1]
                since = min(loan[0], act_by - 6 * DAY)
                first = next((n for n in flagged.get(merchant, ()) if n >= since and foresees(n, loan)), None)
                if first:
                    leads.append((loan[2] - first).days)
                    flagged_money += loan[1] if first <= act_by else 0
        for merchant, its in flagged.items():
            run = []
            for night in [*its, None]:
                if run and (night is None or (night - run[-1]).days > JOIN):
                    if not any(loan[2] <= run[0] <= loan[3] for loan in loans[merchant]):
                        flags += 1
                        right += any(foresees(n, loan) for n in run for loan in loans[merchant])
                    run = []
                run.append(night)
    return flagged_money / money, right / max(flags, 1), statistics.median(leads) if leads else None, flags


def main():
    markets = [load(folder) for folder in sys.argv[1:]]
    rows = sorted(r for nights, *_ in markets for its in nights.values() for r in its)
    print(f"{len(rows)} borrowers and nights, {sum(r[1] >= 0.3 for r in rows)} of them with a chance of 30 % or more")
    weights = [0.0, 1e-8, 3e-8, 1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 1e3]
    points = {}
    for weight in weights:
        grades = sorted((chance + weight * at_risk for _, chance, at_risk in rows), reverse=True)
        for part in (0.001, 0.002, 0.004, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.055, 0.07, 0.1, 0.14, 0.2, 0.3, 0.4, 0.6):
            least = grades[int(len(grades) * part)]
            points[weight, part] = judge(markets, lambda chance, at_risk, w=weight, t=least: chance + w * at_risk >= t)
    for name, of in (("chance", [0.0]), ("money", [1e3]), ("best mix", weights)):
        for share in SHARES:
            reach = [p for (w, _), p in points.items() if w in of and p[0] >= share]
            if reach:
                money, precision, lead, flags = max(reach, key=lambda p: p[1])
                print(f"{name:<10} at least {100 * share:.0f} %: {100 * money:5.1f} % of the money, {100 * precision:5.1f} % right flags, lead {lead} days, {flags} flags")


if __name__ == "__main__":
    main()
