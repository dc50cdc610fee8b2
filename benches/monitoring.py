"""Monitoring: how long a night watches a million active loans, and how much memory it needs.

    pip install duckdb
    cargo build --release
    python benches/monitoring.py --loans 1000000 [--folder FOLDER]

Simulates a marketplace of 5,000 merchants (once; FOLDER keeps it) and runs a first night of the demo job over it, which trains the models. Of its merchants with a loan that is
not paid off DuckDB makes a lender's portfolio: each of them again and again under other ids, with these loans, their schedules and payments, every tenth
order and the pledged ones, and what belongs to these orders, until so many loans are active. A night over it, with the model that is there, says by stage
what it took. `watch` is the part of `score and decide` that is monitoring: the hazard model, alerts, deductions, the officers' queue, borrowers' states and the loan book.
Days past due and balances are worked out with everything else of a merchant (`measure`), because features need them too.
"""
import argparse
import json
import os
import shutil

from scale import copies_of, night, simulated


def portfolio(market, run, folder, loans):
    """Writes the tables; the number of active loans."""
    import duckdb

    c = duckdb.connect()
    c.execute(f"create view book as select distinct loan_id, merchant_id from '{run}/loan_book.parquet' where outstanding_minor > 0")
    raw = lambda table: f"'{market}/{table}.parquet'"
    c.execute(f"create table some_loans as select * from {raw('loans')} where loan_id in (select loan_id from book)")
    c.execute("create table pledged as select distinct unnest(pledged_order_ids) as order_id from some_loans")
    c.execute(f"""create table some_orders as select * from {raw('orders')} where merchant_id in (select merchant_id from book)
        and (order_id in (select order_id from pledged) or hash(order_id) % 10 = 0)""")
    belongs = "order_id in (select order_id from some_orders)"
    of_loan = "loan_id in (select loan_id from book)"
    of_merchant = "merchant_id in (select merchant_id from book)"
    rows = {"loans": "some_loans", "orders": "some_orders"}
    for table, which in [("shipments", belongs), ("reviews", belongs), ("disputes", f"{of_merchant} and {belongs}"), ("instalments", of_loan),
                         ("payments", of_loan), ("merchants", of_merchant), ("applications", of_merchant), ("inventory", of_merchant),
                         ("guarantee_groups", of_merchant)]:
        rows[table] = f"(select * from {raw(table)} where {which})"
    active = c.execute("select count(*) from book").fetchone()[0]
    copies = -(-loans // active)
    os.makedirs(folder)
    for table, source in rows.items():
        copies_of(c, table, source, copies, folder)
    return active * copies


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--loans", type=int, default=1_000_000)
    a.add_argument("--folder", default="scale-scratch")
    a = a.parse_args()
    market, out, models, lent = (os.path.join(a.folder, name) for name in ("monitored", "monitored-out", "monitored-models", f"portfolio-{a.loans}"))
    if not os.path.isdir(models):
        for folder in (market, out):
            shutil.rmtree(folder, ignore_errors=True)
        simulated(market, 5000, 24)
        night(market, out, models)
    if not os.path.isdir(lent):
        current = json.load(open(os.path.join(out, "current.json")))
        portfolio(market, os.path.join(out, current["run"]), lent, a.loans)
    watched = os.path.join(a.folder, "portfolio-out")
    shutil.rmtree(watched, ignore_errors=True)
    (whole, processor), stages, run = night(lent, watched, models)
    results = json.load(open(os.path.join(run, "results.json")))
    print(f"{os.cpu_count()} cores; the whole night {whole:.1f} s, {processor:.1f} s of processors")
    print(json.dumps({key: results[key] for key in ("loans", "alerts", "deductions") if key in results})[:400])
    for stage in stages:
        rows = f"{stage['rows']:,} rows" if stage["rows"] is not None else ""
        print(f"  {stage['name']:24} {stage['seconds']:8.1f} s  {(stage['peak_memory_bytes'] or 0) / 2**30:5.2f} GiB  {rows}")


if __name__ == "__main__":
    main()
