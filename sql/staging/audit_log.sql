-- Question: are the changes of one object all here, each once, and is its present state at the greatest position?
-- One row. Parameters: log and present, tables of the object; position, inclusive: up to where they are counted.
-- sum: per row a product that changes when position, number, version, instant or deletion does, added up modulo 2^64.
-- stale: records whose present state is not at their greatest position. It is 0 while the relay stands still; while it runs the
-- present state may be ahead, which does not count.
with
    logged as (
        select
            count() as n_rows,
            uniqExact(position) as n_positions,
            sum((position * 1000003 + number * 10007 + version * 101 + is_deleted) * (toUInt64(toUnixTimestamp64Milli(happened_at)) * 2 + 1)) as weight
        from {log:Identifier}
        where position <= {position:UInt64}
    ),
    greatest as (
        select number, max(position) as last_position
        from {log:Identifier}
        where position <= {position:UInt64}
        group by number
    ),
    standing as (
        select number, max(position) as last_position
        from {present:Identifier}
        group by number
    ),
    behind as (
        select count() as n_stale
        from greatest
        left join standing on standing.number = greatest.number
        where standing.last_position < greatest.last_position
    )
select
    logged.n_rows as rows,
    logged.n_positions as positions,
    logged.weight as sum,
    behind.n_stale as stale
from logged
cross join behind
