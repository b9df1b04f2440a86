-- The log of one object: one row per change, each with the record's whole image as of happened_at.
-- Append-only; the relay writes it in frozen batches, exactly once (insert_deduplication_token, remembered for the last
-- 10,000 blocks). Sort key: all images of a record lie together, in the order in which they happened, so that the state as of
-- any instant is the last one before it. No partitions: a question about a state needs all of a record's images.
-- ReplacingMergeTree is a second wall only: a row that came twice in spite of the tokens falls together on a merge.
create table if not exists `{object}_log` (
    {columns}
)
engine = ReplacingMergeTree
order by (number, happened_at, position)
settings
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 600,
    min_age_to_force_merge_on_partition_only = 1
comment 'Change log of {object}: one row per change, with the whole image as of happened_at'
