-- Question: how are these users called today?
-- One row per user that is there.
-- Parameters: numbers, of users. A name is never null in the registry; one that is has the row with ''.
select
    number,
    ifNull(name, '') as owner_name
from staging_user_now
where number in {numbers:Array(UInt64)}
order by
    number
