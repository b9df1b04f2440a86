-- Question: which records of this object stand now, and how?
-- One row per record that is not deleted. No parameters. Tie rule: the greatest position is the present.
-- An empty field is null; an empty list is []. Money is in major units beside its currency.
create or replace view `staging_{object}_now`
as
select
    {columns}
from `{object}` final
where is_deleted = 0
comment 'Records of {object} as they stand now: one row per record that is not deleted'
