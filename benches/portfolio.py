"""Every figure of the portfolio, computed again from the inputs with DuckDB, against two published nights.

    integrity run pipelines/demo/job.toml --as-of 2025-06-01 --out out/check
    integrity run pipelines/demo/job.toml --as-of 2025-07-01 --out out/check
    python benches/portfolio.py data/demo pipelines/demo out/check/as_of=2025-06-01/run=* out/check/as_of=2025-07-01/run=*

Needs duckdb. Both nights are first days of a month, a month apart: roll rates of months are compared too. The time zone is UTC. Which loans are unknown is taken from each night's loan_exceptions, and bands and probabilities from its scores; all else comes
from the input files: the newest visible versions, days past due and material arrears day by day, balances payment by payment. Prints a line a table and ends
with an error at the first figure that differs.
"""

import datetime
import sys
import tomllib

import duckdb

DAY = datetime.timedelta(days=1)


def visible(db, data, as_of):
    """Tables loan, due, paid: what could be seen at midnight of as_of."""
    at = f"timestamp '{as_of} 00:00:00'"
    db.execute(f"""create or replace table loan as select * replace (
            if(written_off_at < {at}, written_off_at, null) as written_off_at, if(restructured_at < {at}, restructured_at, null) as restructured_at)
        from '{data}/loans.parquet' where disbursed_at < {at} and coalesce(recorded_at < {at}, true)
        qualify row_number() over (partition by loan_id order by recorded_at desc nulls last) = 1""")
    db.execute(f"""create or replace table due as
        with distinct_rows as (select loan_id, number, due_on, principal_minor p, interest_minor i, fee_minor f, min(recorded_at) r
            from '{data}/instalments.parquet' where coalesce(recorded_at < {at}, true) group by all),
        latest as (from distinct_rows qualify row_number() over (partition by loan_id, number order by r desc nulls last) = 1),
        marked as (select *, r is not distinct from max(r) over (partition by loan_id) is_newest from latest),
        whole as (select loan_id from marked join loan using (loan_id) where is_newest group by loan_id, principal_minor
            having sum(p) = principal_minor and min(number) = 1 and max(number) = count(*))
        select * from marked where is_newest or loan_id not in (from whole)""")
    db.execute(f"""create or replace table paid as select loan_id, paid_at, amount_minor a from '{data}/payments.parquet'
        where paid_at < {at} and coalesce(recorded_at < {at}, true)
        qualify row_number() over (partition by payment_id order by recorded_at desc nulls last) = 1 and not coalesce(reversed_at < {at}, false)""")


def standings(db, run, as_of, monitor, policy):
    """One known loan after the other, day by day."""
    unknown = {loan for (loan,) in db.execute(f"select distinct loan_id from '{run}/loan_exceptions.parquet'").fetchall()}
    tolerance = monitor["waterfall"]["early_close_tolerance_minor"]
    material = monitor["materiality"]
    dues, pays = {}, {}
    for loan, *row in db.execute("select loan_id, due_on, number, p, i, f from due order by loan_id, due_on, number").fetchall():
        dues.setdefault(loan, []).append(row)
    for loan, *row in db.execute("select loan_id, paid_at, a from paid order by loan_id, paid_at, a").fetchall():
        pays.setdefault(loan, []).append(row)
    out = []
    has_shares = "sales_share_ppm" in [name for name, *_ in db.execute("describe loan").fetchall()]
    by_share = "sales_share_ppm is not null" if has_shares else "false"
    for loan, product, lent, rate, disbursed, written_off, is_by_share in db.execute(
            f"select loan_id, product, principal_minor, daily_rate_ppm, disbursed_at, written_off_at, {by_share} from loan").fetchall():
        schedule, payments = dues.get(loan, []), pays.get(loan, [])
        if loan in unknown or not schedule:
            continue
        day, accrued, total, owed, owed_principal, closed = disbursed.date(), 0, 0, 0, 0, None
        run, first_default = 0, None

        def close_if_covered(on):
            nonlocal closed
            price = (lent - owed_principal) + max(accrued // 1_000_000 - tolerance, 0)
            if closed is None and total >= owed and total - owed >= price:
                closed = on

        at_close = None
        while day < as_of:
            # The day begins: arrears of instalments due before it, payments before it.
            before = sum(p + i + f for on, _, p, i, f in schedule if on < day) if closed is None else sum(
                p + i + f for on, _, p, i, f in schedule[:at_close])
            arrears = max(before - total, 0)
            undue = max(lent - sum(p for on, _, p, _, _ in schedule if on < day), 0)
            is_material = arrears > material["absolute_minor"] and arrears > material["relative_share"] * (arrears + undue)
            run = run + 1 if is_material else 0
            if run == policy["default_dpd"][product] and first_default is None:
                first_default = day
            # What falls due on the day, then what is paid on it.
            for instalment in schedule:
                if is_by_share and instalment[0] == day:
                    # A share of sales pays principal before its milestone: no more interest is asked for than has accrued.
                    instalment[3] = min(instalment[3], (accrued + 500_000) // 1_000_000)
                on, _, p, i, f = instalment
                if on == day:
                    owed += p + i + f
                    owed_principal += p
                    accrued = 0
                    close_if_covered(day)
            for paid_at, amount in payments:
                if paid_at.date() == day:
                    total += amount
                    close_if_covered(day)
            if closed is not None and at_close is None:
                at_close = sum(1 for on, *_ in schedule if on <= closed)
            ahead = max(total - owed, 0)
            accrued += max(max(lent - owed_principal, 0) - ahead, 0) * rate
            day += DAY
        arrears = max((owed if closed is None else 0) - total, 0)
        undue = max(lent - owed_principal, 0)
        is_material = arrears > material["absolute_minor"] and arrears > material["relative_share"] * (arrears + undue)
        run = run + 1 if is_material else 0
        if run == policy["default_dpd"][product] and first_default is None:
            first_default = as_of
        left, repaid, dpd = total, 0, 0
        for on, _, p, i, f in schedule:
            if on >= as_of:
                continue
            charges = min(left, f + i)
            left -= charges
            part = min(left, p)
            left -= part
            repaid += part
            if charges + part < p + i + f and dpd == 0:
                dpd = (as_of - on).days
        is_closed = closed is not None
        outstanding = 0 if is_closed else max(lent - repaid - left, 0)
        in_default = not is_closed and (written_off is not None or run >= policy["default_dpd"][product])
        defaulted = min(d for d in (first_default, written_off and written_off.date(), datetime.date.max) if d)
        out.append((loan, is_closed, outstanding, 0 if is_closed else arrears, 0 if is_closed else dpd, 0 if is_closed else run, in_default,
                    None if defaulted == datetime.date.max else defaulted, max(on for on, *_ in schedule)))
    db.execute("create or replace table walked (loan_id varchar, closed bool, owed bigint, arrears bigint, dpd bigint, material bigint, in_default bool, "
               "defaulted date, ends date)")
    db.executemany("insert into walked values (?, ?, ?, ?, ?, ?, ?, ?, ?)", out)


def book(db, data, run, as_of, monitor, policy, name):
    """Table `name`: a row a loan, closed ones included, with place, class, stage and provisions."""
    visible(db, data, as_of)
    standings(db, run, as_of, monitor, policy)
    buckets = " ".join(f"when dpd between {b['from_dpd']} and {b.get('to_dpd', 10**9)} then '{b['name']}'" for b in monitor["bucket"])
    c = monitor["class_from_dpd"]
    rank = f"case when material >= {c['loss']} then 4 when material >= {c['doubtful']} then 3 when material >= {c['substandard']} then 2 " \
           f"when dpd >= {c['special_mention']} then 1 else 0 end"
    # Owners are compared by their letters and digits, whatever their case; the simulator writes nothing else.
    has_owners = "owner_id" in [column for column, *_ in db.execute(f"describe select * from '{data}/merchants.parquet'").fetchall()]
    owner = "nullif(lower(regexp_replace(owner_id, '[^a-zA-Z0-9]', '', 'g')), '')" if has_owners else "null::varchar"
    db.execute(f"""create or replace table {name} as
        with unknown as (select distinct merchant_id, loan_id, any_value(product) product, any_value(principal_minor) lent
                from '{run}/loan_exceptions.parquet' where merchant_id is not null group by all),
        merchant as (select distinct on (merchant_id) merchant_id, category, region, {owner} owner_id from '{data}/merchants.parquet'
            where registered_at < timestamp '{as_of}' and coalesce(recorded_at < timestamp '{as_of}', true) order by merchant_id, recorded_at desc nulls last),
        ranked as (select l.*, w.*, {rank} rank from loan l join walked w using (loan_id) where loan_id not in (select loan_id from unknown where loan_id is not null)),
        defaulted_group as (select distinct group_id g from ranked where in_default and group_id is not null),
        marked as (select *, max(if(closed, 0, rank)) over m worst, bool_or(not closed and (in_default or rank >= 2 or group_id in (from defaulted_group))) over m is_marked
            from ranked window m as (partition by merchant_id)),
        known as (select merchant_id, loan_id, product, disbursed_at::date disbursed, principal_minor lent, owed, arrears, dpd, defaulted, in_default, restructured_at is not null restructured, ends,
            group_id, case when closed then 'paid-off' when written_off_at is not null then 'written-off' else case {buckets} end end place,
            ['normal', 'special-mention', 'substandard', 'doubtful', 'loss'][1 + if(is_marked, greatest(worst, 2), rank)] class from marked)
        select k.*, category, region, owner_id, band, pd_prob from (from known union all by name
                select merchant_id, loan_id, product, lent, 'unknown' place from unknown) k
            left join merchant using (merchant_id) left join '{run}/scores.parquet' using (merchant_id)""")
    t = monitor["provisions"]
    horizon = policy["price"]["pd_horizon_days"]
    db.execute(f"""create or replace table {name} as select *,
        case when place in ('paid-off', 'written-off') then null when place = 'unknown' then 'unknown' when class in ('substandard', 'doubtful', 'loss') then 'impaired'
            when restructured or dpd >= {t['under_performing_from_dpd']} or coalesce(pd_prob >= {t['under_performing_from_prob']}, true) then 'under-performing' else 'performing' end stage,
        if(ends > date '{as_of}' and dpd = 0, ends - date '{as_of}', null) rest from {name}""")
    chance = f"""case when stage in ('unknown', 'impaired') or pd_prob is null then 1.0
        else 1 - pow(1 - least(1.0, pd_prob * factor), case when rest is null then {horizon} when stage = 'performing' then least(rest, 365) else rest end / {horizon}.0) end"""
    scenarios = ", ".join(f"('{s['name']}', {s['weight']}, {s['pd_factor']})" for s in t["scenario"])
    db.execute(f"""create or replace table {name}_loss as select loan_id, merchant_id, stage, scenario, weight, coalesce(owed, lent, 0) exposure,
        coalesce(owed, lent, 0) * {t['loss_given_default_share']} * {chance} loss
        from {name}, (values {scenarios}) s (scenario, weight, factor) where stage is not null""")


def same(db, what, ours, theirs):
    """Two queries with the same columns give the same rows."""
    for a, b, side in ((ours, theirs, "computed, not published"), (theirs, ours, "published, not computed")):
        extra = db.execute(f"({a}) except all ({b})").fetchall()
        if extra:
            print(*extra[:5], sep="\n")
            sys.exit(f"{what}: {len(extra)} rows {side}")
    print(f"{what:<24} {len(db.execute(theirs).fetchall()):>6} rows agree")


def rolls(before, now, from_on, kept=""):
    opening = f"select * from {before} where place <> 'paid-off'"
    return f"""with o as ({opening}), n as (from {now}), pair as (
            select o.place f, coalesce(n.place, 'not-sent') t, coalesce(o.owed, o.lent, 0) opening, n.owed closing
            from o left join n on o.merchant_id = n.merchant_id and o.loan_id is not distinct from n.loan_id
            union all select 'new', n.place, case when n.place = 'unknown' then coalesce(n.lent, 0) when n.disbursed >= date '{from_on}' and
                    not exists (from {before} x where x.loan_id = n.loan_id) then n.lent else 0 end, n.owed
            from n left join o on o.merchant_id = n.merchant_id and o.loan_id is not distinct from n.loan_id
            where o.merchant_id is null and (n.place <> 'paid-off' or (n.disbursed >= date '{from_on}' and not exists (from {before} x where x.loan_id = n.loan_id)))),
        parts as (select f, t, 1 loans, if(t in ('paid-off', 'unknown', 'not-sent'), opening, least(opening, closing)) moved,
                if(t in ('paid-off', 'unknown', 'not-sent'), 0, closing - least(opening, closing)) more from pair
            union all select f, 'paid-off', 0, opening - least(opening, closing), 0 from pair
                where t not in ('paid-off', 'unknown', 'not-sent') and opening > closing)
        select f, t, sum(loans)::bigint loans, sum(moved)::bigint moved, sum(more)::bigint more from parts group by f, t"""


def main():
    data, job, first, second = sys.argv[1:5]
    with open(f"{job}/monitor.toml", "rb") as file:
        monitor = tomllib.load(file)
    with open(f"{job}/policy.toml", "rb") as file:
        policy = tomllib.load(file)
    date = lambda run: datetime.date.fromisoformat(run.split("as_of=")[1][:10])
    before_on, as_of = date(first), date(second)
    db = duckdb.connect()
    db.execute("set preserve_insertion_order = true")
    book(db, data, first, before_on, monitor, policy, "before")
    book(db, data, second, as_of, monitor, policy, "tonight")

    # The path says as_of= too: the column is meant.
    db.execute(f"create macro published(name) as table from read_parquet('{second}/' || name || '.parquet', hive_partitioning = false)")
    same(db, "loan_book", """select merchant_id, loan_id, place, product, category, region, disbursed, lent, owed, arrears, dpd,
            if(place in ('written-off', 'unknown'), null, class), band, stage from tonight where place <> 'paid-off'""",
         f"""select merchant_id, loan_id, place, product, category, region, disbursed_on, principal_minor, outstanding_minor, arrears_minor, dpd, class, band, stage
            from published('loan_book')""")

    db.execute("""create table provided as select merchant_id, loan_id, round(sum(weight * loss))::bigint provision from tonight_loss group by all""")
    db.execute("""create table lines as from tonight left join provided using (merchant_id, loan_id) where place <> 'paid-off'""")
    # A loan without an id joins nothing: its own row.
    db.execute("""update lines set provision = (select provision from provided p where p.merchant_id = lines.merchant_id and p.loan_id is null) where loan_id is null""")
    is_open = "place not in ('written-off', 'unknown')"
    dimensions = {"all": "'all'", "product": "product", "category": "category", "region": "region", "bucket": "place", "class": "class", "band": "band", "stage": "stage"}
    figures = """count(distinct merchant_id) borrowers, count(*) loans, sum(coalesce(lent, 0))::bigint lent, sum(owed)::bigint owed, sum(arrears)::bigint arrears,
        coalesce(sum(owed) filter (dpd >= 30), 0)::bigint d30, coalesce(sum(owed) filter (dpd >= 60), 0)::bigint d60,
        coalesce(sum(owed) filter (dpd >= 90), 0)::bigint d90,
        coalesce(sum(owed) filter (place not in ('written-off', 'unknown') and class in ('substandard', 'doubtful', 'loss')), 0)::bigint npl, sum(provision)::bigint provision"""
    ours = " union all ".join(
        [f"select '{name}' d, {member} m, {figures} from lines where {is_open} group by m" for name, member in dimensions.items()]
        + [f"select 'status', case when {is_open} then 'open' else place end m, {figures} from lines group by m"])
    # Borrowers by what they owe, of equal ones the first id first.
    db.execute(f"""create table places as select merchant_id, row_number() over (order by sum(coalesce(owed, 0)) desc, merchant_id) place_of from lines
        where {is_open} group by merchant_id""")
    largest = "case when place_of = 1 then '1' when place_of <= 10 then '2 to 10' when place_of <= 20 then '11 to 20' else 'others' end"
    ours += f" union all select 'largest-borrowers', {largest} m, {figures} from lines join places using (merchant_id) where {is_open} group by m"
    db.execute(f"""create table owners as select coalesce('o ' || owner_id, 'm ' || merchant_id) owner, row_number() over (order by sum(coalesce(owed, 0)) desc, owner) place_of
        from lines where {is_open} group by owner""")
    ours += f""" union all select 'largest-owners', {largest} m, {figures} from lines join owners on owner = coalesce('o ' || owner_id, 'm ' || merchant_id)
        where {is_open} group by m"""
    db.execute(f"""create table places_of_groups as select group_id, row_number() over (order by sum(coalesce(owed, 0)) desc, group_id) place_of from lines
        where {is_open} and group_id is not null group by group_id""")
    ours += f""" union all select 'largest-groups', case when group_id is null then 'no group' else {largest} end m, {figures} from lines
        left join places_of_groups using (group_id) where {is_open} group by m"""
    same(db, "portfolio", ours, f"""select dimension, member, borrowers, loans, lent_minor, outstanding_minor, arrears_minor, over_30_minor, over_60_minor, over_90_minor,
        non_performing_minor, provision_minor from published('portfolio') where night_on = date '{as_of}'""")
    same(db, "portfolio: share", f"""select member, round(outstanding_minor / sum(outstanding_minor) over (partition by dimension), 9) from published('portfolio')
            where night_on = date '{as_of}' and dimension = 'category'""",
         f"select member, round(share, 9) from published('portfolio') where night_on = date '{as_of}' and dimension = 'category'")
    same(db, "provisions", """select scenario, stage, count(*), sum(exposure)::bigint, sum(round(loss))::bigint from tonight_loss group by all
            union all select 'weighted', stage, count(*), sum(e)::bigint, sum(round(w))::bigint from (select merchant_id, loan_id, stage, any_value(exposure) e, sum(weight * loss) w
                from tonight_loss group by all) group by stage""",
         f"select scenario, stage, loans, exposure_minor, provision_minor from published('provisions') where night_on = date '{as_of}'")
    for basis in ("night", "month"):
        same(db, f"roll_rates: {basis}", rolls("before", "tonight", before_on),
             f"""select from_place, to_place, loans, moved_minor, increased_minor from published('roll_rates')
                where basis = '{basis}' and from_on = date '{before_on}' and to_on = date '{as_of}'""")
    off = db.execute(f"""select count(*) from (select sum(moved_share) s from published('roll_rates') where moved_share is not null
        group by basis, from_on, to_on, from_place having abs(s - 1) > 1e-9)""").fetchone()[0]
    if off:
        sys.exit(f"{off} rows of the roll rates do not add up to 1")
    db.execute(f"""create table vintage as select date_trunc('month', disbursed)::date v, *,
        date_diff('month', disbursed, defaulted) - (disbursed + to_months(date_diff('month', disbursed, defaulted)::int) > defaulted)::int as age
        from tonight where place <> 'unknown'""")
    ours = f"""with points as (select v, product, null::int k from vintage union select v, product, unnest(range(1, 61))::int from vintage)
        select p.v, p.product, p.k, count(*), sum(lent)::bigint, sum(owed)::bigint, coalesce(sum(owed) filter (place = 'written-off'), 0)::bigint,
            count(*) filter (age < coalesce(p.k, 1000)), coalesce(sum(lent) filter (age < coalesce(p.k, 1000)), 0)::bigint,
            coalesce(sum(owed) filter (age < coalesce(p.k, 1000)), 0)::bigint
        from points p join vintage t on p.v = t.v and p.product = t.product
        where p.k is null or last_day(p.v) + to_months(p.k) <= date '{as_of}' group by all"""
    same(db, "vintages", ours, f"""select disbursed_in, product, months_on_book, loans, lent_minor, outstanding_minor, written_off_minor, defaulted_loans, defaulted_minor, unpaid_minor
        from published('vintages')""")
    forecasts(db, before_on, as_of, monitor, policy)


def forecasts(db, before_on, as_of, monitor, policy):
    """What was foreseen on the first of the two nights that saw a loan, what became of it, and the sums over both."""
    horizon, lgd = policy["price"]["pd_horizon_days"], round(monitor["provisions"]["loss_given_default_share"] * 1_000_000)
    made = " union all ".join(
        f"""select merchant_id, loan_id, date '{on}' made, band, pd_prob, owed from {night} where place not in ('written-off', 'unknown', 'paid-off') and defaulted is null
            and merchant_id not in (select merchant_id from {night} where in_default)""" for night, on in (("before", before_on), ("tonight", as_of)))
    db.execute(f"""create table foreseen as with made as ({made}), first as (select distinct on (loan_id) * from made order by loan_id, made)
        select f.merchant_id, f.loan_id, t.product, disbursed, made, made + {horizon} until, f.band, f.pd_prob, f.owed exposure,
            (f.owed::hugeint * round(f.pd_prob * 1e6)::bigint * {lgd} // 1000000000000)::bigint expected,
            case when made + {horizon} >= date '{as_of}' or place = 'unknown' then 'open' when defaulted > made and defaulted <= made + {horizon} then 'default' else 'no-default' end outcome,
            case outcome when 'default' then least(t.owed, f.owed) when 'no-default' then 0 end lost
        from first f left join tonight t using (loan_id)""")
    same(db, "forecasts", "select merchant_id, loan_id, made, until, band, pd_prob, exposure, expected, outcome, lost from foreseen",
         "select merchant_id, loan_id, made_on, until_on, band, pd_prob, exposure_minor, expected_loss_minor, outcome, lost_minor from published('forecasts')")
    sums = """count(pd_prob), count(*) - count(pd_prob), coalesce(sum(exposure) filter (pd_prob is not null), 0)::bigint, round(avg(round(pd_prob * 1e6) / 1e6), 9),
        if(s = 'realised', count(*) filter (outcome = 'default' and pd_prob is not null), null), coalesce(sum(expected), 0)::bigint,
        if(s = 'realised', coalesce(sum(lost) filter (pd_prob is not null), 0)::bigint, null)"""
    by = {"all": "'all'", "vintage": "strftime(date_trunc('month', disbursed), '%Y-%m-%d')", "product": "product", "band": "band"}
    ours = " union all ".join(
        f"select '{name}' b, {member} m, if(outcome = 'open', 'estimated', 'realised') s, {sums} from foreseen group by m, s" for name, member in by.items())
    same(db, "forecast_outcomes", ours, """select "by", member, standing, loans, loans_without_prob, exposure_minor, round(expected_default_share, 9), defaults,
        expected_loss_minor, lost_minor from published('forecast_outcomes')""")


if __name__ == "__main__":
    main()
