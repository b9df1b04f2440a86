-- Question: which records of this object stood at an instant, and how, as far as the log was known up to a position?
-- One row per record that existed and was not deleted then.
-- Parameters: happened_before, an instant, exclusive (valid time); position, inclusive (what was known: 18446744073709551615 is all).
-- Tie rule: of several images at one instant the greatest position stands. A restated image of a back-dated change
-- has the later instant and the greater position, so one rule answers both times.
-- `limit 1 by` absorbs repeated rows, so the log needs no `final`; the reversed sort key is read in order, without sorting.
create or replace view `staging_{object}_as_of`
as
select
    {columns}
from (
    select
        {columns}
    from `{object}_log`
    where happened_at < {happened_before:DateTime64(3, 'UTC')}
        and position <= {position:UInt64}
    order by number desc, happened_at desc, position desc
    limit 1 by number
)
where is_deleted = 0
comment 'Records of {object} as they stood before happened_before, as known up to position: one row per record that was not deleted'
