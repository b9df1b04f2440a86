-- Question: which weeks' numbers may have changed between two positions of the change log?
-- One row per week (its first day).
-- Parameters: after, exclusive, and through, inclusive: positions; zone, IANA name of the workspace's zone; week_start_day, 1 (Monday)
-- to 7 (Sunday).
-- A deal that was touched dirties the weeks of all its images, old and new: a decision may have moved from one week into another.
-- A product that was touched dirties the weeks of all deals that ever had it: its series is a split. It reads the logs themselves,
-- since staging tells a state and this asks for changes.
with
    touched_products as (
        select number
        from product_log
        where position > {after:UInt64}
            and position <= {through:UInt64}
    ),
    touched_deals as (
        select number
        from deal_log
        where (position > {after:UInt64} and position <= {through:UInt64})
            or product in (select number from touched_products)
    ),
    days as (
        select distinct toDate32(toTimeZone(assumeNotNull(closed_at), {zone:String})) as closed_on
        from deal_log
        where closed_at is not null
            and number in (select number from touched_deals)
    )
select distinct
    closed_on - (toDayOfWeek(closed_on) - {week_start_day:UInt8} + 7) % 7 as week
from days
order by
    week
