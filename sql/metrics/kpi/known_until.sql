-- Question: from which instant on does a telling as of a position know nothing more of deals?
-- One row in all: when the first deal change behind the position was recorded; null where there is none.
-- Parameters: position, inclusive. It reads the log itself, since it asks for a change.
select
    minOrNull(recorded_at) as known_until
from deal_log
where position > {position:UInt64}
