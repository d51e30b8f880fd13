import { anything, type Effect, effect } from './effect.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Functions that do something, by effect. A name counts in whatever schema it stands: extensions can be put anywhere. */
const GROUPS: readonly (readonly [names: string, ...intents: Effect['intents']])[] = [
  // sequences, large objects, locks, messages, transaction ids, time
  [
    `nextval setval lo_creat lo_create lo_from_bytea lo_open lo_put lo_truncate lo_truncate64 lo_unlink lowrite lo_manage
     pg_notify pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
     pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock
     pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_export_snapshot
     pg_current_xact_id txid_current pg_sleep pg_sleep_for pg_sleep_until pg_nextoid pg_prewarm gin_clean_pending_list
     brin_summarize_new_values brin_summarize_range brin_desummarize_range pg_logical_emit_message
     sleep benchmark get_lock release_lock release_all_locks`,
    'sql.write',
  ],
  // files of the server
  [
    `pg_read_file pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_archive_statusdir pg_ls_logdir pg_ls_logicalmapdir
     pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_ls_tmpdir pg_ls_waldir pg_hba_file_rules
     pg_ident_file_mappings pg_show_all_file_settings pg_file_read pg_file_length pg_logdir_ls load_file readfile
     read_text read_blob read_csv read_csv_auto read_json read_json_auto read_parquet read_ndjson
     read_ndjson_auto read_json_objects read_xlsx st_read sniff_csv parquet_scan parquet_metadata parquet_schema delta_scan
     iceberg_scan sqlite_scan file filecluster sys_fileread xp_dirtree xp_fileexist`,
    'fs.read',
  ],
  ['lo_import', 'sql.write', 'fs.read'],
  ['lo_export pg_file_write pg_file_rename pg_file_unlink pg_file_sync writefile', 'sql.write', 'fs.write'],
  // other servers
  [
    `http http_get http_post http_put http_patch http_delete http_head http_collect_response
     postgres_fdw_get_connections postgres_fdw_disconnect postgres_fdw_disconnect_all
     query_export_to_s3 table_import_from_s3 openrowset opendatasource openquery httpuritype
     url urlcluster s3 s3cluster gcs hdfs hdfscluster azureblobstorage deltalake iceberg hudi remote remotesecure mysql
     postgresql mongodb redis jdbc odbc sqlite`,
    'sql.write',
    'net.egress',
  ],
  // the server itself: settings, rights, structure, replication, statistics, other sessions
  [
    `set_config pg_reload_conf pg_rotate_logfile pg_promote pg_terminate_backend pg_cancel_backend
     pg_log_backend_memory_contexts pg_log_standby_snapshot pg_switch_wal pg_create_restore_point pg_backup_start
     pg_backup_stop pg_start_backup pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume
     pg_create_physical_replication_slot pg_create_logical_replication_slot pg_copy_physical_replication_slot
     pg_copy_logical_replication_slot pg_drop_replication_slot pg_replication_slot_advance pg_sync_replication_slots
     pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes
     pg_logical_slot_peek_binary_changes pg_replication_origin_advance pg_replication_origin_create
     pg_replication_origin_drop pg_replication_origin_session_reset pg_replication_origin_session_setup
     pg_replication_origin_xact_reset pg_replication_origin_xact_setup pg_stat_reset pg_stat_reset_backend_stats
     pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
     pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats pg_stat_statements_reset
     pg_restore_attribute_stats pg_restore_relation_stats pg_clear_attribute_stats pg_clear_relation_stats
     pg_import_system_collations pg_extension_config_dump pg_stop_making_pinned_objects
     pg_isolation_test_session_is_blocked pg_truncate_visibility_map heap_force_kill heap_force_freeze
     binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension
     binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance binary_upgrade_set_missing_value
     binary_upgrade_set_next_array_pg_type_oid binary_upgrade_set_next_heap_pg_class_oid
     binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid
     binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid
     binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
     binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid
     binary_upgrade_set_next_pg_type_oid binary_upgrade_set_next_toast_pg_class_oid
     binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs
     addgeometrycolumn dropgeometrycolumn dropgeometrytable updategeometrysrid populate_geometry_columns
     create_hypertable drop_chunks add_retention_policy remove_retention_policy add_compression_policy add_job delete_job
     create_distributed_table create_reference_table undistribute_table master_add_node master_remove_node
     citus_add_node citus_remove_node create_graph drop_graph`,
    'sql.write',
    'sql.ddl',
  ],
]

/** Run the text that they are given, here or on another server, or a program; what the text does is not looked for. */
const RUN_ANYTHING = `schedule_in_database run_command_on_workers run_command_on_placements
  run_command_on_shards run_command_on_all_nodes run_command_on_coordinator pg_background_launch replicate_ddl_command
  xpath_table connectby cypher xp_cmdshell sp_executesql sp_execute_external_script sp_oacreate sp_oamethod
  sp_configure xp_regwrite xp_regread sys_exec sys_eval sys_bineval load_extension fts3_tokenizer external_query
  executable executablepool postgres_query postgres_execute mysql_query mysql_execute sqlite_query
  master_modify_multiple_shards`

/** Every dblink function reaches another server and may run any text there. */
const PREFIXES: readonly (readonly [prefix: string, Effect])[] = [
  ['dblink', anything('calls a dblink function')],
  ['system$', anything('calls a system function of Snowflake')],
  ['pg_advisory_', effect('calls an advisory lock function', 'sql.write')],
  ['binary_upgrade_', effect('calls a binary_upgrade function', 'sql.write', 'sql.ddl')],
]

/** Schemas and packages whose functions all act: their names alone are ordinary words. */
const SCHEMAS: ReadonlyMap<string, Effect> = new Map([
  ['cron', anything('calls a function of cron')],
  ['net', effect('calls a function of net', 'sql.write', 'net.egress')],
  ['aws_s3', effect('calls a function of aws_s3', 'sql.write', 'net.egress')],
  ['aws_lambda', effect('calls a function of aws_lambda', 'sql.write', 'net.egress')],
  ['azure_storage', effect('calls a function of azure_storage', 'sql.write', 'net.egress')],
  ...words('utl_http utl_tcp utl_smtp utl_inaddr').map(
    (name) => [name, effect(`calls a function of ${name}`, 'sql.write', 'net.egress')] as const,
  ),
  ['utl_file', effect('calls a function of utl_file', 'sql.write', 'fs.read', 'fs.write')],
  ...words('dbms_scheduler dbms_job dbms_java dbms_sql dbms_xmlquery dbms_xmlgen dbms_export_extension').map(
    (name) => [name, anything(`calls a function of ${name}`)] as const,
  ),
])

const TABLE: ReadonlyMap<string, Effect> = new Map([
  ...GROUPS.flatMap(([names, ...intents]) =>
    words(names).map((name) => [name, effect(`calls ${name}()`, ...intents)] as const),
  ),
  ...words(RUN_ANYTHING).map((name) => [name, anything(`calls ${name}()`)] as const),
])

/** Volatile, and yet nothing but a read: what it answers changes, nothing else does. */
export const HARMLESS_VOLATILE: ReadonlySet<string> = new Set(
  words(`random random_normal setseed clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 currval lastval currtid2 cursor_to_xml cursor_to_xmlschema
    current_query array_sample array_shuffle lo_get loread lo_lseek lo_lseek64 lo_tell lo_tell64 lo_close
    pg_available_wal_summaries pg_blocking_pids pg_collation_actual_version pg_control_checkpoint pg_control_init
    pg_control_recovery pg_control_system pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn
    pg_current_wal_lsn pg_database_collation_actual_version pg_database_size pg_get_aios
    pg_get_backend_memory_contexts pg_get_loaded_modules pg_get_multixact_members pg_get_sequence_data
    pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_wait_events pg_get_wal_replay_pause_state
    pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_indexes_size pg_is_in_recovery
    pg_is_wal_replay_paused pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage pg_partition_ancestors pg_partition_tree
    pg_prepared_xact pg_relation_size pg_replication_origin_progress pg_replication_origin_session_is_setup
    pg_replication_origin_session_progress pg_safe_snapshot_blocking_pids pg_sequence_last_value
    pg_show_replication_origin_status pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_get_backend_io
    pg_stat_get_backend_wal pg_stat_get_io pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched
    pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
    pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted
    pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
    pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
    pg_stat_have_stats pg_table_size pg_tablespace_size pg_total_relation_size pg_wal_summary_contents
    pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_status`),
)

/** Functions that run a text they are given: the positions in which it can stand. */
const RUN_TEXT: ReadonlyMap<string, readonly number[]> = new Map([
  ['query_to_xml', [0]],
  ['query_to_xmlschema', [0]],
  ['query_to_xml_and_xmlschema', [0]],
  ['ts_stat', [0]],
  ['ts_rewrite', [1]],
  ['crosstab', [0, 1]],
  ['crosstab2', [0]],
  ['crosstab3', [0]],
  ['crosstab4', [0]],
  ['crosstabn', [0]],
])

/** The effect of a function beyond reading, by its name (lower case) and schema ('' = none); null = none that is known. */
export function functionEffect(schema: string, name: string): Effect | null {
  const bySchema = SCHEMAS.get(schema)
  if (bySchema !== undefined) return bySchema
  const byName = TABLE.get(name)
  if (byName !== undefined) return byName
  for (const [prefix, does] of PREFIXES) if (name.startsWith(prefix)) return does
  return null
}

/** The arguments of a function that it runs as SQL; null = it runs none. */
export function textArguments(name: string): readonly number[] | null {
  return RUN_TEXT.get(name) ?? null
}
