-- Question: how many records of an object stood as of two cut-offs (or stand now)?
-- One row in all.
-- Parameters: as in list.sql; row_limit, where counting stops.
select
    count() as record_count
from (
    select number
    from /*{records*/ staging_deal_now /*}*/
    where ({sees_all:Bool} or number in (select number from /*{present*/ staging_deal_now /*}*/ where /*{scope*/ true /*}*/))
        and /*{filter*/ true /*}*/
    limit {row_limit:UInt64}
)
