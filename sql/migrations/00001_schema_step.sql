-- Which steps of this folder stand in this database.
-- One row per step. The last write wins, so that a step whose record was lost in a crash may be repeated:
-- every step is idempotent.
create table if not exists schema_step (
    version UInt32 comment 'number in front of the file name',
    name String comment 'file name',
    checksum String comment 'SHA-256 of the file, lower-case hex',
    applied_at DateTime64(3, 'UTC') comment 'clock of the program that applied it'
)
engine = ReplacingMergeTree(applied_at)
order by version
settings fsync_after_insert = 1, fsync_part_directory = 1
comment 'Steps of the schema that stand in this database'
