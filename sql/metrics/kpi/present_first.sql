-- Question: when was the first deal decided, as it stands now?
-- One row in all; null where none was.
-- Parameters: none.
select
    min(closed_at) as first_closed_at
from staging_deal_now
where status in ('won', 'lost')
    and closed_at is not null
