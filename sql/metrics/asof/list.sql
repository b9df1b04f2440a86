-- Question: which records of an object stood as of two cut-offs (or stand now), and how?
-- One row per record.
-- Parameters: sees_all, the reader sees every record of the object; row_limit and row_offset, numbers of rows; at the places: records, the
-- staging view with its cut-offs; columns; present, the staging view of now; scope and filter, predicates; sorting, a total order.
-- Rights are today's: scope looks at the record as it stands now. Nulls come last in both directions.
select
    /*{columns*/ number /*}*/
from /*{records*/ staging_deal_now /*}*/
where ({sees_all:Bool} or number in (select number from /*{present*/ staging_deal_now /*}*/ where /*{scope*/ true /*}*/))
    and /*{filter*/ true /*}*/
order by
    /*{sorting*/ number /*}*/
limit {row_limit:UInt64} offset {row_offset:UInt64}
