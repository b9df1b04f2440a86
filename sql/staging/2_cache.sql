-- The present state of one object: a cache of the log that can be dropped and filled again.
-- One row per record once merged (a merge follows after two minutes at rest); position decides, since the greatest
-- position is always the present. Deleted records stay, marked, and are filtered by staging_{object}_now.
create table if not exists `{object}` (
    {columns}
)
engine = ReplacingMergeTree(position)
order by number
settings
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 120,
    min_age_to_force_merge_on_partition_only = 1
comment 'Present state of {object}, a cache of {object}_log; read it through staging_{object}_now'
