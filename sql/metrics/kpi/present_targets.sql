-- Question: which values should the nodes of a tree reach, from when to when, and who answers for them, as it stands now?
-- One row per target.
-- Parameters: tree, the tree's name.
-- Nulls: no last day: null; no owner: 0. value is in major units, or a share from 0 to 1.
select
    number,
    assumeNotNull(node) as node,
    assumeNotNull(value) as value,
    assumeNotNull(from_on) as from_on,
    to_on,
    ifNull(owner, 0) as owner
from staging_target_now
where tree = {tree:String}
    and node is not null
    and value is not null
    and from_on is not null
order by
    number
