"""Size: how long a night takes and how much memory it needs, beside DuckDB washing the same files.

    pip install duckdb
    cargo build --release
    python benches/scale.py --merchants 100000 [--months 24] [--folder FOLDER]
    python benches/scale.py --nightly --merchants 20000 [--months 24] [--folder FOLDER]

Simulates a marketplace (once; FOLDER keeps it), runs the demo job over it twice into a fresh output folder, a first night that trains and a
night that finds the model, and lets DuckDB do the bulk of the same washing: as-of filter, row rules, latest version of a key, foreign keys, Parquet
partitioned by merchant bucket and sorted. DuckDB leaves out lineage, quarantine, the ledger and earlier versions, so it is a lower bound.
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


def night(data, out, models, job="demo", as_of=AS_OF):
    """One night with the demo's job, or another; its seconds, its stages as the program tells them, and its folder."""
    began = time.time()
    command = [BINARY, "run", os.path.join(HERE, "pipelines", job, "job.toml"), "--data", data, "--out", out, "--models", models]
    command += ["--as-of", as_of, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"the night stopped with {done.returncode}: {done.stdout.decode()[:400]}")
    answer = json.loads(done.stdout)
    return time.time() - began, answer["stages"], answer["run_dir"]


def night_after(a):
    """A night with one day more of rows, with and without what the night before kept."""
    data = os.path.join(a.folder, f"nightly-{a.merchants}-{a.months}")
    aside = f"{data}-last"
    if os.path.isdir(aside):
        shutil.move(os.path.join(aside, LAST_DAY), os.path.join(data, LAST_DAY))
        os.rmdir(aside)
    if not os.path.isdir(data):
        os.makedirs(a.folder, exist_ok=True)
        subprocess.run([BINARY, "simulate", "--nightly", "--out", data, "--merchants", str(a.merchants), "--months", str(a.months),
                        "--seed", "7", "--end-on", AS_OF, "--currency", "CNY"], check=True, stdout=subprocess.DEVNULL)
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
    for name, (seconds, stages, _) in runs.items():
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
    a.add_argument("--nightly", action="store_true")
    a.add_argument("--wash", nargs=2, metavar=("DATA", "OUT"), help=argparse.SUPPRESS)
    a = a.parse_args()
    if a.wash:
        return duckdb_wash(*a.wash, a.duckdb_memory)
    if a.nightly:
        return night_after(a)
    data = os.path.join(a.folder, f"market-{a.merchants}-{a.months}")
    if not os.path.isdir(data):
        os.makedirs(a.folder, exist_ok=True)
        subprocess.run([BINARY, "simulate", "--out", data, "--merchants", str(a.merchants), "--months", str(a.months), "--seed", "7",
                        "--end-on", AS_OF, "--currency", "CNY"], check=True, stdout=subprocess.DEVNULL)
    out, models, washed = (os.path.join(a.folder, name) for name in ("out", "models", "duckdb"))
    for folder in (out, models, washed, f"{washed}.tmp"):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(f"{washed}.db"):
        os.remove(f"{washed}.db")
    os.makedirs(washed)
    whole, first, _ = night(data, out, models)
    shutil.rmtree(out)
    again, second, _ = night(data, out, models)
    peer = subprocess.run([sys.executable, __file__, "--wash", data, washed, "--duckdb-memory", a.duckdb_memory],
                          stdout=subprocess.PIPE, check=True)
    peer = json.loads(peer.stdout)
    rows = next(stage["rows"] for stage in second if stage["name"] == "read")
    intake = sum(stage["seconds"] for stage in second if stage["name"] in ("read", "wash"))
    peak = lambda stages: max(stage["peak_memory_bytes"] or 0 for stage in stages) / 2**30
    print(f"{rows:,} rows, {a.merchants:,} merchants, {os.cpu_count()} cores")
    print(f"  {'DuckDB, the bulk of washing':32} {peer['seconds']:8.1f} s  1.00 ×  {peer['peak'] / 2**30:5.2f} GiB")
    washed_peak = max(stage["peak_memory_bytes"] or 0 for stage in second if stage["name"] in ("read", "wash")) / 2**30
    print(f"  {'read, wash and store':32} {intake:8.1f} s  {intake / peer['seconds']:4.2f} ×  {washed_peak:5.2f} GiB")
    print(f"  {'a night with a model':32} {again:8.1f} s  {again / peer['seconds']:4.2f} ×  {peak(second):5.2f} GiB")
    print(f"  {'a first night, with training':32} {whole:8.1f} s  {whole / peer['seconds']:4.2f} ×  {peak(first):5.2f} GiB")
    for stage in first:
        print(f"    {stage['name']:30} {stage['seconds']:8.1f} s")


if __name__ == "__main__":
    main()
