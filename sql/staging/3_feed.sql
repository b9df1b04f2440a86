-- Feeds the present state from the log. It inherits the tokens of the log's inserts, so a repeated batch adds nothing.
create materialized view if not exists `{object}_mv` to `{object}`
as
select
    {columns}
from `{object}_log`
comment 'Feeds {object} from {object}_log'
