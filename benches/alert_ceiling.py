"""How much of the money that later defaults could be foreseen at all in a simulated marketplace: the ceiling for `integrity backtest --alerts`.

    integrity simulate --out sim/1 --merchants 800 --months 36 --seed 1        (and 2, 3, 4, 5)
    python benches/alert_ceiling.py sim/1 sim/2 sim/3 sim/4 sim/5

Needs duckdb. Reads `truth/`, which no job sees. Shops that stop paying for want of will do so by a draw a day, whose chance depends on a hidden trait and
on debt against sales (src/simulate/life.rs, meets_end). Three observers, each of whom knows more than any rule can, flag merchants on weekly nights:

    dark            the very day on which a shop stops, the night after it
    hazard >= p     the hidden honesty to the digit and today's debt and sales, and from them the chance that the will ends within 90 days
    dark or hazard  both

Figures as in src/run/backtest/judge.rs: money with a flag 14 days or more before the first missed payment, right flags among all. Outcomes are the
simulator's own, not those of a ledger.
"""

import collections
import datetime
import math
import statistics
import sys

import duckdb

LEAD, LONGEST, JOIN, PERFORMANCE = 14, 180, 28, 180
DAY = datetime.timedelta(days=1)


def load(folder):
    """Nights of borrowers, and loans that went bad with the first payment missed for good."""
    db = duckdb.connect()
    for table in ("loans", "orders", "instalments", "payments"):
        key = {"loans": "loan_id", "orders": "order_id", "instalments": "loan_id, number", "payments": "payment_id"}[table]
        order = "" if table == "payments" else ", recorded_at nulls first"
        db.execute(f"create table {table} as select distinct on ({key}) * from '{folder}/{table}.parquet' order by {key}{order}")
    db.execute(f"""create table t as select l.loan_id, l.merchant_id, disbursed_at::date d, principal_minor, written_off_at::date wo, outcome, dark_at::date dark,
        honesty_ppm / 1e6 honesty from loans l join '{folder}/truth/loans.parquet' using (loan_id)
        join '{folder}/truth/merchants.parquet' m on m.merchant_id = l.merchant_id where product <> 'payday-loan'""")
    db.execute("create table paid as select loan_id, paid_at::date d, amount_minor a from payments where reversed_at is null")
    end = db.execute("select max(placed_at)::date from orders").fetchone()[0]
    bad = db.execute("""select t.merchant_id, d, principal_minor, min(due_on) from t join (
        select loan_id, due_on, sum(principal_minor + interest_minor + coalesce(fee_minor, 0)) over (partition by loan_id order by due_on, number) owed
        from instalments) using (loan_id) where outcome like 'bad%' and owed > coalesce((select sum(a) from paid where paid.loan_id = t.loan_id), 0)
        group by all""").fetchall()
    to = end - PERFORMANCE * DAY
    db.execute("create table nights as select unnest(generate_series(?::date, ?::date, interval 7 day))::date n", [to - 360 * DAY, to])
    nights = db.execute("""with open as (select n, t.*, greatest(principal_minor - coalesce((select sum(a) from paid where paid.loan_id = t.loan_id and paid.d < n), 0), 0) owed
        from nights join t on t.d < n where coalesce(wo, date '2099-01-01') >= n and (outcome <> 'repaid' or (select max(d) from paid where paid.loan_id = t.loan_id) >= n))
        select n, merchant_id, sum(owed), any_value(honesty), any_value(dark) <= n,
        coalesce((select sum(amount_minor) from orders o where o.merchant_id = open.merchant_id and completed_at >= n - 90 and completed_at < n), 0) / 3
        from open group by n, merchant_id""").fetchall()
    return nights, bad, to


def hazard(owed, month, honesty):
    """Chance that the will ends within 90 days at today's debt, for a shop in middling want of cash."""
    temptation = min(float(owed) / (float(month) + 1.0), 3.0)
    return 1.0 - math.exp(-90 * 0.025 * math.exp(-1.3 * honesty) * temptation * (1.0 + 4.0 * 0.3) / 365.0)


def judge(markets, is_flagged):
    money = flagged_money = flags = right = 0
    leads = []
    for nights, bad, to in markets:
        flagged = collections.defaultdict(list)
        for night in sorted(nights):
            if is_flagged(night):
                flagged[night[1]].append(night[0])
        loans = collections.defaultdict(list)
        for merchant, disbursed, principal, missed in bad:
            loans[merchant].append((disbursed, principal, missed))
        for merchant, of_one in loans.items():
            for disbursed, principal, missed in of_one:
                act_by = missed - LEAD * DAY
                if not to - 360 * DAY <= act_by <= to:
                    continue
                money += principal
                since = max(min(disbursed, act_by - 6 * DAY), missed - LONGEST * DAY)
                first = [night for night in flagged[merchant] if since <= night < missed][:1]
                leads += [(missed - night).days for night in first]
                flagged_money += principal if first and first[0] <= act_by else 0
        for merchant, its_nights in flagged.items():
            last = None
            for night in its_nights:
                goes_on = last is not None and (night - last).days <= JOIN
                last = night
                if goes_on or any(missed <= night <= missed + 120 * DAY for _, _, missed in loans[merchant]):
                    continue
                flags += 1
                right += any(night < missed <= night + 90 * DAY for _, _, missed in loans[merchant])
    return flagged_money / money, right / max(flags, 1), statistics.median(leads) if leads else None, flags


def main():
    markets = [load(folder) for folder in sys.argv[1:]]
    print(f"{'observer':<18} money flagged  precision  median lead  flags")
    observers = [("dark", lambda n: n[4])]
    for least in (0.1, 0.15, 0.2, 0.3):
        observers.append((f"hazard >= {least}", lambda n, p=least: hazard(n[2], n[5], n[3]) >= p))
        observers.append((f"dark or >= {least}", lambda n, p=least: bool(n[4]) or hazard(n[2], n[5], n[3]) >= p))
    for name, is_flagged in observers:
        money, precision, lead, flags = judge(markets, is_flagged)
        print(f"{name:<18} {100 * money:>11.1f} % {100 * precision:>8.1f} % {lead!s:>12} {flags:>6}")


if __name__ == "__main__":
    main()
