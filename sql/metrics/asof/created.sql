-- Question: when were these records created?
-- One row per record.
-- Parameters: numbers, of records; at the place log: the object's log, which alone knows a record's first change.
select
    number,
    min(recorded_at) as created_at
from /*{log*/ deal_log /*}*/
where number in {numbers:Array(UInt64)}
group by
    number
order by
    number
