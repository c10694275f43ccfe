export interface MetricEntry {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

/** Every metric that Sluice exports; `docs/reference/metrics.md` is generated from this table.
 *  All carry the label `component`; others stand in the help text. */
export const metricTable = {
  sluice_records_in_total: {
    type: 'counter',
    help: 'Records that entered the component.',
  },
  sluice_records_created_total: {
    type: 'counter',
    help: 'Records that the component made out of others (split, retagged copies).',
  },
  sluice_records_out_total: {
    type: 'counter',
    help: 'Records that left the component: passed on, or accepted by the destination.',
  },
  sluice_records_filtered_total: {
    type: 'counter',
    help: 'Records that the configuration took out. Label reason.',
  },
  sluice_records_merged_total: {
    type: 'counter',
    help: 'Records that became part of another.',
  },
  sluice_records_dead_lettered_total: {
    type: 'counter',
    help: 'Records kept in the dead-letter store.',
  },
  sluice_records_dropped_total: {
    type: 'counter',
    help: 'Records lost by a policy that the configuration asks for. Label reason.',
  },
  sluice_records_returned_total: {
    type: 'counter',
    help: 'Records that an input gave back to their source, which brings them again.',
  },
  sluice_records_in_flight: {
    type: 'gauge',
    help: 'Records inside the component: in + created minus all that left it.',
  },
  sluice_records_unmatched_total: {
    type: 'counter',
    help: 'Records whose tag or condition no output asks for.',
  },
  sluice_records_already_delivered_total: {
    type: 'counter',
    help: 'Records read again after a restart that this output had before.',
  },
  sluice_edge_records_total: {
    type: 'counter',
    help: 'Records on their way to an output: from the router, or from its disk buffer after a restart. Labels from, to; their sum is what the output took in.',
  },
  sluice_input_bytes_total: { type: 'counter', help: 'Source bytes read.' },
  sluice_input_batches_total: { type: 'counter', help: 'Batches emitted.' },
  sluice_output_bytes_total: {
    type: 'counter',
    help: 'Encoded bytes accepted by the destination.',
  },
  sluice_output_chunks_total: { type: 'counter', help: 'Chunks settled.' },
  sluice_output_retries_total: {
    type: 'counter',
    help: 'Deliveries tried again.',
  },
  sluice_output_queue_bytes: { type: 'gauge', help: 'Encoded bytes waiting in memory.' },
  sluice_output_queue_chunks: { type: 'gauge', help: 'Chunks waiting or under way.' },
  sluice_output_oldest_unacknowledged_seconds: {
    type: 'gauge',
    help: 'Age of the oldest record that the destination has not accepted.',
  },
  sluice_output_sections_refused_total: {
    type: 'counter',
    help: 'Records refused because a chunk had its most sections (label sets, files, tables).',
  },
  sluice_buffer_bytes: { type: 'gauge', help: 'Bytes that the disk buffer uses.' },
  sluice_buffer_chunks: { type: 'gauge', help: 'Chunks in the disk buffer.' },
  sluice_buffer_quarantined_bytes_total: {
    type: 'counter',
    help: 'Damaged bytes of the disk buffer set aside.',
  },
  sluice_dead_letter_bytes: { type: 'gauge', help: 'Bytes that the dead-letter store uses.' },
  sluice_dead_letter_damaged_bytes_total: {
    type: 'counter',
    help: 'Damaged bytes found in the last dead-letter file at the start; they stay there for salvage.',
  },
  sluice_memory_bytes: { type: 'gauge', help: 'Memory of the budget in use by chunks.' },
  sluice_memory_limit_bytes: { type: 'gauge', help: 'The budget: service.memory_limit.' },
  sluice_component_healthy: {
    type: 'gauge',
    help: '1 when the component works, 0 when /readyz names it.',
  },
  sluice_checkpoint_writes_total: { type: 'counter', help: 'Checkpoint files written.' },
  sluice_checkpoint_damaged_lines_total: {
    type: 'counter',
    help: 'Damaged lines of the checkpoint file found at the start; their sources are read again.',
  },
  sluice_checkpoint_failures_total: {
    type: 'counter',
    help: 'Checkpoint writes that failed; the next one is tried.',
  },
  sluice_log_suppressed_total: { type: 'counter', help: 'Repeated log lines left out.' },
  sluice_series_refused_total: {
    type: 'counter',
    help: 'Metric series refused because there were 4,000 of them.',
  },
  sluice_reloads_total: { type: 'counter', help: 'Reloads. Label result: ok, failed.' },
  sluice_worker_batches_total: {
    type: 'counter',
    help: 'Batches given to a worker thread. Label worker: its number.',
  },
  sluice_uptime_seconds: { type: 'gauge', help: 'Seconds since the agent started.' },
  sluice_process_cpu_seconds_total: { type: 'counter', help: 'CPU seconds of the process.' },
  sluice_process_resident_bytes: { type: 'gauge', help: 'Resident memory of the process.' },
  sluice_grok_fallback_total: {
    type: 'counter',
    help: 'Lines that the kernel left to the regular expression.',
  },
  sluice_grok_timeouts_total: { type: 'counter', help: 'Lines tagged _groktimeout.' },
  sluice_parse_failures_total: { type: 'counter', help: 'Texts that a parser did not take.' },
  sluice_date_failures_total: { type: 'counter', help: 'Dates that no format took.' },
  sluice_clickhouse_table_field_missing_total: {
    type: 'counter',
    help: 'Records without a usable value of a field in the name of the table: `other` stands there.',
  },
  sluice_clickhouse_tables_limited_total: {
    type: 'counter',
    help: 'Records beyond table_names_max, sent to the table that ends with `other`.',
  },
  sluice_loki_label_sets_limited_total: {
    type: 'counter',
    help: 'Records beyond label_sets_max, sent with the static labels only.',
  },
  sluice_loki_tenants_invalid_total: {
    type: 'counter',
    help: 'Records whose tenant Loki would not take, sent to the dead letters.',
  },
  sluice_mutate_failures_total: {
    type: 'counter',
    help: 'Operations of mutate that failed on a record.',
  },
  sluice_regex_timeouts_total: {
    type: 'counter',
    help: 'Records marked _regextimeout: a regular expression of a filter took too long on them.',
  },
  sluice_severity_unknown_total: {
    type: 'counter',
    help: 'Records whose level is none that severity knows.',
  },
  sluice_throttle_keys_limited_total: {
    type: 'counter',
    help: 'Records beyond keys_max, which share one limit.',
  },
  sluice_split_failures_total: {
    type: 'counter',
    help: 'Records that could not be split: no array or text, or too many pieces.',
  },
  sluice_script_failures_total: {
    type: 'counter',
    help: 'Records on which the function of a script threw.',
  },
  sluice_script_timeouts_total: {
    type: 'counter',
    help: 'Records on which the function of a script took too long.',
  },
  sluice_elasticsearch_id_conflicts_total: {
    type: 'counter',
    help: 'Records whose id Elasticsearch had although they were never sent before: looked into, not trusted.',
  },
  sluice_elasticsearch_index_fallback_total: {
    type: 'counter',
    help: 'Records that went to a fallback index. Label reason: missing, names_max.',
  },
  sluice_elasticsearch_index_names: {
    type: 'gauge',
    help: 'Index names made from records in this hour.',
  },
  sluice_condition_timeouts_total: {
    type: 'counter',
    help: 'Events on which a regular expression of a `when` was given up after 20 ms: it counts as not found.',
  },
  sluice_http_input_requests_total: {
    type: 'counter',
    help: 'Requests to the http input. Label status: that of the answer, `gone` for a client that went away, or `dropped` for a connection beyond `connections_max`.',
  },
  sluice_http_input_records_rejected_total: {
    type: 'counter',
    help: 'Records of requests that were refused one by one: no JSON object, or too large.',
  },
  sluice_enrich_misses_total: {
    type: 'counter',
    help: 'Values that an enrichment knew nothing about. Label kind: lookup, geoip, user_agent, dns.',
  },
  sluice_tail_truncated_lines_total: {
    type: 'counter',
    help: 'Lines cut at buffer_max_size.',
  },
  sluice_tail_skipped_lines_total: {
    type: 'counter',
    help: 'Lines left out because they were longer than buffer_max_size.',
  },
  sluice_tail_split_lines_total: {
    type: 'counter',
    help: 'Lines longer than buffer_max_size that became several records.',
  },
  sluice_tail_invalid_utf8_lines_total: {
    type: 'counter',
    help: 'Lines in which bytes that are not UTF-8 were replaced.',
  },
  sluice_tail_files_abandoned_bytes_total: {
    type: 'counter',
    help: 'Bytes lost because a file was truncated before they were read.',
  },
  sluice_tail_rotations_total: {
    type: 'counter',
    help: 'Renames, deletions and truncations noticed.',
  },
  sluice_multiline_limit_total: {
    type: 'counter',
    help: 'Records that left the multiline filter in pieces, at multiline_buffer_limit or emitter_mem_buf_limit.',
  },
  sluice_multiline_timeouts_total: {
    type: 'counter',
    help: 'Records that a multiline rule took too long on; they count as not matching it.',
  },
  sluice_tail_multiline_limit_total: {
    type: 'counter',
    help: 'Multiline records cut at multiline_buffer_limit.',
  },
  sluice_tail_multiline_timeouts_total: {
    type: 'counter',
    help: 'Lines that a multiline rule took too long on; they count as not matching it.',
  },
  sluice_tail_gzip_damaged_files_total: {
    type: 'counter',
    help: 'Compressed files whose content ends in damage.',
  },
  sluice_tail_unread_bytes: {
    type: 'gauge',
    help: 'Bytes of followed files that are still to be read, as far as their sizes were seen.',
  },
  sluice_tail_files_open: { type: 'gauge', help: 'Files held open.' },
  sluice_evtx_damaged_chunks_total: {
    type: 'counter',
    help: 'Chunks of .evtx files with a wrong checksum, or where no chunk begins.',
  },
  sluice_evtx_damaged_records_total: {
    type: 'counter',
    help: 'Places in chunks of .evtx files where a record was to be and none could be read.',
  },
  sluice_evtx_missed_records_total: {
    type: 'counter',
    help: 'Records of .evtx files that nothing was read for: overwritten before they were read, or in damaged chunks that were skipped, as far as the ids of their neighbours or their header tell.',
  },
  sluice_evtx_unreadable_files_total: {
    type: 'counter',
    help: 'Files that the input evtx cannot open, or that are no event logs.',
  },
  sluice_evtx_too_large_records_total: {
    type: 'counter',
    help: 'Records of .evtx files left out because their text is larger than event_max_bytes.',
  },
  sluice_evtx_slack_records_total: {
    type: 'counter',
    help: 'Records of earlier uses read from behind the last record of a chunk.',
  },
  sluice_input_truncated_lines_total: {
    type: 'counter',
    help: 'Lines of standard input cut at event_max_bytes into several records.',
  },
  sluice_input_invalid_utf8_lines_total: {
    type: 'counter',
    help: 'Lines of standard input in which bytes that are not UTF-8 were replaced.',
  },
  sluice_collector_timeout_total: {
    type: 'counter',
    help: 'Readings given up at their deadline; they have no values. Label collector.',
  },
  sluice_collector_failures_total: {
    type: 'counter',
    help: 'Readings that failed; they have no values. Label collector.',
  },
  sluice_collector_skipped_total: {
    type: 'counter',
    help: 'Readings left out because the one before was not over (busy), or the queue of the lane was full (queue_full). Labels collector, reason.',
  },
  sluice_collector_helpers_lost_total: {
    type: 'counter',
    help: 'Helper processes of an input that were ended because a call in them hung (hung), or that ended by themselves (crashed). Label reason.',
  },
  sluice_wmi_fallback_readings_total: {
    type: 'counter',
    help: 'Readings for which a fallback was asked because WMI denies access to the query. Label query.',
  },
  sluice_wmi_rows_refused_total: {
    type: 'counter',
    help: 'Rows that are larger than event_max_bytes (event_max_bytes), and readings cut at the limit of rows (rows_max). Labels query, reason.',
  },
  sluice_perfcounter_missing_total: {
    type: 'counter',
    help: 'Readings in which a performance counter had no value: no such counter or instance, or access denied. Label counter.',
  },
  sluice_perfcounter_negative_total: {
    type: 'counter',
    help: 'Values of performance counters left out because the counter went backwards.',
  },
  sluice_prometheus_exporter_series: {
    type: 'gauge',
    help: 'Series that the page of a prometheus_exporter shows.',
  },
  sluice_prometheus_exporter_series_refused_total: {
    type: 'counter',
    help: 'Records of series beyond series_max.',
  },
  sluice_prometheus_exporter_older_total: {
    type: 'counter',
    help: 'Records older than the value that the page shows already; they changed nothing.',
  },
  sluice_scrape_invalid_lines_total: {
    type: 'counter',
    help: 'Lines of scraped pages that are no metrics; they were left out.',
  },
  sluice_exec_runs_total: {
    type: 'counter',
    help: 'Runs of the command of an exec input. Label result: ok, failed, timeout, not_started.',
  },
  sluice_exec_exits_total: {
    type: 'counter',
    help: 'Runs that ended with an error. Label code: the exit code, or the signal.',
  },
  sluice_exec_stderr_bytes_total: {
    type: 'counter',
    help: 'Bytes that commands wrote to standard error.',
  },
  sluice_exec_dropped_bytes_total: {
    type: 'counter',
    help: 'Bytes of output beyond output_bytes_max, thrown away.',
  },
  sluice_exec_invalid_json_total: {
    type: 'counter',
    help: 'Pieces of output that are no JSON objects although the format is json; they came as text.',
  },
  sluice_journald_cut_fields_total: {
    type: 'counter',
    help: 'Fields of journal entries that were cut at field_bytes_max, or at event_max_bytes.',
  },
  sluice_journald_dropped_fields_total: {
    type: 'counter',
    help: 'Fields of journal entries beyond max_fields, left out.',
  },
  sluice_journald_invalid_utf8_fields_total: {
    type: 'counter',
    help: 'Fields of journal entries in which bytes that are not UTF-8 were replaced.',
  },
  sluice_journald_restarts_total: {
    type: 'counter',
    help: 'Times that journalctl ended and was started again.',
  },
  sluice_journald_cursors_lost_total: {
    type: 'counter',
    help: 'Times that the journal did not take the cursor, and reading went on by time.',
  },
  sluice_windows_event_log_below_severity_total: {
    type: 'counter',
    help: 'Records that windows_event_log did not write because they are below severity_min.',
  },
  sluice_windows_event_log_left_out_total: {
    type: 'counter',
    help: 'Records that windows_event_log did not write because of its rate; an event says how many.',
  },
  sluice_windows_event_log_cut_texts_total: {
    type: 'counter',
    help: 'Texts of Windows events that were cut at text_max.',
  },
  sluice_winevtlog_missed_events_total: {
    type: 'counter',
    help: 'Record ids of Windows event logs that were never read: overwritten or cleared before. With a query, events that it leaves out may be among them.',
  },
  sluice_winevtlog_bookmarks_lost_total: {
    type: 'counter',
    help: 'Times that Windows did not take a bookmark, and reading went on at the oldest event not read.',
  },
  sluice_winevtlog_resubscriptions_total: {
    type: 'counter',
    help: 'Failures of a subscription to the Windows Event Log, after each of which it is opened again.',
  },
  sluice_winevtlog_unrendered_events_total: {
    type: 'counter',
    help: 'Windows events left out because Windows could not render them.',
  },
  sluice_winevtlog_malformed_events_total: {
    type: 'counter',
    help: 'Windows events whose XML cannot be read; their records have it as text.',
  },
  sluice_winevtlog_too_large_events_total: {
    type: 'counter',
    help: 'Windows events left out because their text is larger than event_max_bytes.',
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricTable;
