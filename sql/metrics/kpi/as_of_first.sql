-- Question: when was the first deal decided, as it stood?
-- One row in all; null where none was.
-- Parameters: happened_before, an instant, exclusive, and position, inclusive: as of when.
select
    min(closed_at) as first_closed_at
from staging_deal_as_of(happened_before = {happened_before:DateTime64(3, 'UTC')}, position = {position:UInt64})
where status in ('won', 'lost')
    and closed_at is not null
