"""Size: how long a night takes and how much memory it needs, beside DuckDB washing the same files.

    pip install duckdb
    cargo build --release
    python benches/scale.py --merchants 100000 [--months 24] [--folder FOLDER]
    python benches/scale.py --merchants 100000 --copies 10 --first-only [--folder FOLDER]
    python benches/scale.py --merchants 2000 --largest 1000000 --first-only [--folder FOLDER]
    python benches/scale.py --nightly --merchants 20000 [--months 24] [--folder FOLDER]

Simulates a marketplace (once; FOLDER keeps it), runs the demo job over it twice into a fresh output folder, a first night that trains and a
night that finds the model, and lets DuckDB do the bulk of the same washing: as-of filter, row rules, latest version of a key, foreign keys, Parquet
partitioned by merchant bucket and sorted. DuckDB leaves out lineage, quarantine, the ledger and earlier versions, so it is a lower bound.
With --copies DuckDB writes each of the merchants again and again under other ids: a million of them in minutes, where simulating them takes an hour. Processor seconds
are told beside the clock's: on a busy machine they may be compared where the clock's may not.
With --largest the merchant of most orders is given at least that many, copies of everybody's under other ids: all rows of one merchant lie in one bucket.
With --nightly the marketplace comes as a folder a night. A first night is run without the last folder; then the last folder comes, and the night after is run
twice on the same first night: with the rows that the first one kept, and without any. Both must publish the same bytes.
Everything runs on the same machine, one after the other; compare the ratios, not the seconds.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(HERE, "target", "release", "integrity")
AS_OF = "2025-07-01"
# The last simulated day: the folder that the night of AS_OF is the first to see.
LAST_DAY = "2025-06-30"

# Ids, by table: each copy of a merchant has its own.
IDS = {
    "merchants": ["merchant_id"],
    "orders": ["order_id", "merchant_id", "buyer_id"],
    "shipments": ["shipment_id", "order_id", "merchant_id"],
    "reviews": ["review_id", "order_id", "merchant_id", "buyer_id"],
    "disputes": ["dispute_id", "order_id", "merchant_id", "buyer_id"],
    "loans": ["loan_id", "merchant_id", "group_id"],
    "instalments": ["loan_id"],
    "payments": ["payment_id", "loan_id"],
    "applications": ["application_id", "merchant_id"],
    "inventory": ["merchant_id"],
    "guarantee_groups": ["group_id", "merchant_id"],
}
# Lists of order ids.
LISTS = {"loans": "pledged_order_ids", "applications": "order_ids"}


def copies_of(connection, table, source, copies, folder):
    """Writes `copies` copies of the rows of `source`, each under ids of its own, as FOLDER/TABLE.parquet."""
    ids = [f"{name} || '-' || copy as {name}" for name in IDS[table]]
    if table in LISTS:
        ids.append(f"list_transform({LISTS[table]}, lambda id: id || '-' || copy) as {LISTS[table]}")
    connection.execute(f"""copy (select t.* replace ({', '.join(ids)}) from range({copies}) as copies(copy), {source} as t)
        to '{folder}/{table}.parquet' (format parquet, compression zstd)""")


def simulated(folder, merchants, months, *flags):
    """Has the program simulate a marketplace, unless the folder is there."""
    if not os.path.isdir(folder):
        os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
        command = [BINARY, "simulate", *flags, "--out", folder, "--merchants", str(merchants), "--months", str(months), "--seed", "7"]
        subprocess.run([*command, "--end-on", AS_OF, "--currency", "CNY"], check=True, stdout=subprocess.DEVNULL)


def part_of(folder, memory):
    """An empty folder to write to before it gets its name, and a connection that spills beside it."""
    import duckdb

    part = f"{folder}.part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    c = duckdb.connect()
    c.execute(f"set threads={os.cpu_count()}; set memory_limit='{memory}'; set preserve_insertion_order=false; set temp_directory='{part}.tmp'")
    return part, c


def copied(market, folder, copies, memory):
    """A marketplace of as many copies of each merchant, unless the folder is there."""
    if os.path.isdir(folder):
        return
    part, c = part_of(folder, memory)
    for table in IDS:
        copies_of(c, table, f"'{market}/{table}.parquet'", copies, part)
    os.rename(part, folder)


def with_giant(market, folder, orders, memory):
    """The same marketplace, whose largest merchant has so many orders or some more, unless the folder is there."""
    if os.path.isdir(folder):
        return
    part, c = part_of(folder, memory)
    giant, most = c.execute(f"select merchant_id, count(*) from '{market}/orders.parquet' group by 1 order by 2 desc, 1 limit 1").fetchone()
    (all_orders,) = c.execute(f"select count(*) from '{market}/orders.parquet'").fetchone()
    for table, ids in IDS.items():
        source, rows = f"'{market}/{table}.parquet'", f"select * from '{market}/{table}.parquet'"
        if table in ("orders", "shipments", "reviews", "disputes"):
            cells = [f"{name} || '-' || copy as {name}" for name in ids if name != "merchant_id"] + [f"'{giant}' as merchant_id"]
            copies = -(-(orders - most) // all_orders)
            rows += f" union all by name select t.* replace ({', '.join(cells)}) from {source} as t, range({copies}) as copies(copy)"
        c.execute(f"copy ({rows}) to '{part}/{table}.parquet' (format parquet, compression zstd)")
    os.rename(part, folder)


def night(data, out, models, job="demo", as_of=AS_OF):
    """One night with the demo's job, or another: its seconds by the clock and of processors, its stages as the program tells them, and its folder."""
    processor = lambda used: used.ru_utime + used.ru_stime
    began, used = time.time(), processor(resource.getrusage(resource.RUSAGE_CHILDREN))
    command = [BINARY, "run", os.path.join(HERE, "pipelines", job, "job.toml"), "--data", data, "--out", out, "--models", models]
    command += ["--as-of", as_of, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"the night stopped with {done.returncode}: {done.stdout.decode()[:400]}")
    answer = json.loads(done.stdout)
    used = processor(resource.getrusage(resource.RUSAGE_CHILDREN)) - used
    return (time.time() - began, used), answer["stages"], answer["run_dir"]


def night_after(a):
    """A night with one day more of rows, with and without what the night before kept."""
    data = os.path.join(a.folder, f"nightly-{a.merchants}-{a.months}")
    aside = f"{data}-last"
    if os.path.isdir(aside):
        shutil.move(os.path.join(aside, LAST_DAY), os.path.join(data, LAST_DAY))
        os.rmdir(aside)
    simulated(data, a.merchants, a.months, "--nightly")
    whole, kept, models = (os.path.join(a.folder, name) for name in ("nightly-whole", "nightly-kept", "nightly-models"))
    for folder in (whole, kept, models):
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(aside)
    shutil.move(os.path.join(data, LAST_DAY), os.path.join(aside, LAST_DAY))
    first = night(data, kept, models, "nightly", LAST_DAY)
    shutil.copytree(kept, whole, ignore=shutil.ignore_patterns("kept", "store"))
    shutil.move(os.path.join(aside, LAST_DAY), os.path.join(data, LAST_DAY))
    os.rmdir(aside)
    runs = {"first night, with training": first, "night after, rows kept": night(data, kept, models, "nightly"),
            "night after, all read": night(data, whole, models, "nightly")}
    files = lambda run: {f["path"]: f["sha256"] for f in json.load(open(os.path.join(run[2], "manifest.json")))["files"]}
    with_kept, without = files(runs["night after, rows kept"]), files(runs["night after, all read"])
    if with_kept != without:
        sys.exit("a night with kept rows published other bytes")
    size = sum(os.path.getsize(os.path.join(kept, "kept", name)) for name in os.listdir(os.path.join(kept, "kept")))
    print(f"{a.merchants:,} merchants, {os.cpu_count()} cores; {size / 2**20:,.0f} MiB of kept rows")
    for name, ((seconds, _), stages, _) in runs.items():
        peak = max(stage["peak_memory_bytes"] or 0 for stage in stages) / 2**30
        print(f"  {name:28} {seconds:8.1f} s  {peak:5.2f} GiB")
        for stage in stages:
            rows = f"{stage['rows']:,} rows" if stage["rows"] is not None else ""
            print(f"    {stage['name']:26} {stage['seconds']:8.1f} s  {(stage['peak_memory_bytes'] or 0) / 2**30:5.2f} GiB  {rows}")


def duckdb_wash(data, out, memory):
    """Runs in a process of its own, so that its peak memory is its own."""
    import duckdb

    day = f"timestamp '{AS_OF}'"
    c = duckdb.connect(f"{out}.db")
    c.execute(f"set threads={os.cpu_count()}; set memory_limit='{memory}'; set preserve_insertion_order=false")
    c.execute(f"set temp_directory='{out}.tmp'; set timezone='UTC'")
    read = lambda table: f"read_parquet('{data}/{table}.parquet')"
    latest = lambda key, rows: f"qualify row_number() over (partition by {key} order by {rows}.recorded_at desc nulls last) = 1"
    seen = lambda event, rows: f"{rows}.{event} < {day} and ({rows}.recorded_at is null or {rows}.recorded_at < {day})"
    began = time.time()
    c.execute(f"""create table m as select *, hash(merchant_id) % 64 as bucket from {read('merchants')}
        where merchant_id is not null and registered_at < {day} qualify row_number() over (partition by merchant_id order by 1) = 1""")
    masked = ", ".join(f"case when {n} < {day} then {n} end as {n}" for n in ("paid_at", "cancelled_at", "completed_at", "refunded_at"))
    after = " and ".join(f"coalesce({n} >= placed_at, true)" for n in ("paid_at", "cancelled_at", "completed_at", "refunded_at"))
    c.execute(f"""create table o as select o.* replace ({masked}, case when refunded_at < {day} then refund_minor end as refund_minor), m.bucket
        from {read('orders')} o join m using (merchant_id)
        where {seen('placed_at', 'o')} and order_id is not null and buyer_id is not null and currency = 'CNY' and {after}
        and amount_minor between 0 and 1000000000000 and coalesce(refund_minor <= amount_minor, true) {latest('order_id', 'o')}""")
    c.execute(f"""create table s as select s.*, o.placed_at, o.bucket from {read('shipments')} s join o using (order_id, merchant_id)
        where shipment_id is not null and (s.recorded_at is null or s.recorded_at < {day}) and coalesce(delivered_at >= shipped_at, true)
        {latest('shipment_id', 's')}""")
    c.execute(f"""create table r as select r.*, o.bucket from {read('reviews')} r join o using (order_id, merchant_id)
        where review_id is not null and {seen('created_at', 'r')} and stars between 1 and 5 {latest('review_id', 'r')}""")
    c.execute(f"""create table d as select d.*, m.bucket from {read('disputes')} d join m using (merchant_id)
        where dispute_id is not null and {seen('opened_at', 'd')} {latest('dispute_id', 'd')}""")
    for table, order in (("o", "placed_at, order_id"), ("s", "placed_at, shipment_id"), ("r", "created_at, review_id"), ("d", "opened_at, dispute_id")):
        c.execute(f"""copy (select * from {table} order by bucket, merchant_id, {order}) to '{out}/{table}'
            (format parquet, compression zstd, partition_by (bucket), overwrite_or_ignore)""")
    print(json.dumps({"seconds": time.time() - began, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--merchants", type=int, default=100_000)
    a.add_argument("--months", type=int, default=24)
    a.add_argument("--folder", default="scale-scratch")
    a.add_argument("--duckdb-memory", default="4GB")
    a.add_argument("--copies", type=int, default=1)
    a.add_argument("--largest", type=int, default=0, help="orders of the largest merchant")
    a.add_argument("--first-only", action="store_true", help="only the first night: no night with a model, no DuckDB")
    a.add_argument("--nightly", action="store_true")
    a.add_argument("--wash", nargs=2, metavar=("DATA", "OUT"), help=argparse.SUPPRESS)
    a = a.parse_args()
    if a.wash:
        return duckdb_wash(*a.wash, a.duckdb_memory)
    if a.nightly:
        return night_after(a)
    data = os.path.join(a.folder, f"market-{a.merchants}-{a.months}")
    simulated(data, a.merchants, a.months)
    if a.copies > 1:
        market, data = data, f"{data}-x{a.copies}"
        copied(market, data, a.copies, a.duckdb_memory)
    if a.largest:
        market, data = data, f"{data}-largest-{a.largest}"
        with_giant(market, data, a.largest, a.duckdb_memory)
    out, models, washed = (os.path.join(a.folder, name) for name in ("out", "models", "duckdb"))
    for folder in (out, models, washed, f"{washed}.tmp"):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(f"{washed}.db"):
        os.remove(f"{washed}.db")
    os.makedirs(washed)
    runs = {"a first night, with training": night(data, out, models)}
    print(f"{runs['a first night, with training'][1][0]['rows']:,} rows, {a.merchants * a.copies:,} merchants, {os.cpu_count()} cores")
    peak = lambda stages: max(stage["peak_memory_bytes"] or 0 for stage in stages) / 2**30
    bulk = None
    if not a.first_only:
        shutil.rmtree(out)
        again = night(data, out, models)
        peer = subprocess.run([sys.executable, __file__, "--wash", data, washed, "--duckdb-memory", a.duckdb_memory], stdout=subprocess.PIPE, check=True)
        peer = json.loads(peer.stdout)
        bulk = peer["seconds"]
        intake = [stage for stage in again[1] if stage["name"] in ("read", "wash")]
        print(f"  {'DuckDB, the bulk of washing':32} {bulk:8.1f} s  1.00 ×  {peer['peak'] / 2**30:5.2f} GiB")
        seconds = sum(stage["seconds"] for stage in intake)
        print(f"  {'read, wash and store':32} {seconds:8.1f} s  {seconds / bulk:4.2f} ×  {peak(intake):5.2f} GiB")
        runs["a night with a model"] = again
    for name, ((seconds, processor), stages, _) in runs.items():
        beside = f"{seconds / bulk:4.2f} ×" if bulk else ""
        print(f"  {name:32} {seconds:8.1f} s  {beside:6}  {peak(stages):5.2f} GiB  {processor:8.1f} s of processors")
    for stage in runs["a first night, with training"][1]:
        rows = f"{stage['rows']:,} rows" if stage["rows"] is not None else ""
        print(f"    {stage['name']:30} {stage['seconds']:8.1f} s  {(stage['peak_memory_bytes'] or 0) / 2**30:5.2f} GiB  {rows}")


if __name__ == "__main__":
    main()
