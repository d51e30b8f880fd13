/**
 * Settings of a session that change how an answer looks or is planned, or how long it may take, and nothing else.
 * All others count as DDL: a role, `session_replication_role`, a guard such as `default_transaction_read_only`, how
 * strings are read (`standard_conforming_strings`), and names with a dot, on which row security is often built.
 */
const HARMLESS: ReadonlySet<string> = new Set(
  `application_name datestyle intervalstyle timezone extra_float_digits bytea_output xmloption xmlbinary
  client_min_messages lc_monetary lc_numeric lc_time default_text_search_config statement_timeout lock_timeout
  idle_in_transaction_session_timeout idle_session_timeout transaction_timeout search_path work_mem
  hash_mem_multiplier maintenance_work_mem temp_buffers effective_cache_size effective_io_concurrency
  random_page_cost seq_page_cost cpu_tuple_cost cpu_index_tuple_cost cpu_operator_cost parallel_setup_cost
  parallel_tuple_cost min_parallel_table_scan_size min_parallel_index_scan_size max_parallel_workers_per_gather
  max_parallel_workers parallel_leader_participation from_collapse_limit join_collapse_limit geqo geqo_threshold
  geqo_effort geqo_seed seed plan_cache_mode cursor_tuple_fraction constraint_exclusion jit jit_above_cost
  default_statistics_target gin_fuzzy_search_limit gin_pending_list_limit default_transaction_isolation
  transaction_isolation default_transaction_deferrable transaction_deferrable recursive_worktable_factor
  stats_fetch_consistency track_io_timing debug_print_plan`
    .trim()
    .split(/\s+/),
)

/** True if setting or resetting `name` does no more than a read. `value` is its one value if that is a text. */
export function isHarmlessSetting(name: string, value: string | null): boolean {
  const setting = name.toLowerCase()
  if (HARMLESS.has(setting) || /^enable_[a-z_]+$/.test(setting)) return true
  // in some encodings the second byte of a character is a quote or a backslash
  return setting === 'client_encoding' && value !== null && /^(utf-?8|unicode|sql_ascii)$/i.test(value)
}
