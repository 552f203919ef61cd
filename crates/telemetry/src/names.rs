//! Names of everything that is emitted, with the help texts and buckets of the metrics. Generated
//! from `semconv/` by `cargo xtask semconv --write`: change them there.

/// `console_ingested_total`
pub(crate) const CONSOLE_INGESTED: (&str, &str) = (
    "console_ingested",
    "Spans (traces), log lines (logs) and samples (metrics) that the console took since it was started",
);

/// `console_dropped_total`
pub(crate) const CONSOLE_DROPPED: (&str, &str) = (
    "console_dropped",
    "Telemetry that the console did not take, of requests that it took: too old, out of order, duplicate, beyond the limit of series, or malformed",
);

/// `console_requests_total`
pub(crate) const CONSOLE_REQUESTS: (&str, &str) = (
    "console_requests",
    "Requests with telemetry by what became of them: taken, malformed or turned_away (too busy, too large, or the disk takes nothing)",
);

/// `console_queries_total`
pub(crate) const CONSOLE_QUERIES: (&str, &str) = (
    "console_queries",
    "Queries that the console was asked, by API and by how they ended: answered, malformed, failed, timed_out, canceled (the client left) or turned_away",
);

/// `console_rules_evaluations_total`
pub(crate) const CONSOLE_RULES_EVALUATIONS: (&str, &str) = (
    "console_rules_evaluations",
    "Evaluations of rules by how they ended: ok, failed, or missed (groups that were left out, because the evaluation before took too long)",
);

/// `console_notifications_total`
pub(crate) const CONSOLE_NOTIFICATIONS: (&str, &str) = (
    "console_notifications",
    "Notifications of alerts by what became of them: delivered, failed (each attempt) or dropped (alerts for which there was no room)",
);

/// `console_alerts`
pub(crate) const CONSOLE_ALERTS: (&str, &str) = (
    "console_alerts",
    "Alerts of rules that stand now: pending or firing",
);

/// `console_rules_files_faulty`
pub(crate) const CONSOLE_RULES_FILES_FAULTY: (&str, &str) = (
    "console_rules_files_faulty",
    "Rule files that are not as they have to be, or cannot be read; what was last good in them holds",
);

/// `console_evicted_bytes_total`
pub(crate) const CONSOLE_EVICTED: (&str, &str) = (
    "console_evicted_bytes",
    "Bytes that the console removed to stay within its limits",
);

/// `console_store_size_bytes`
pub(crate) const CONSOLE_STORE_SIZE: (&str, &str) = (
    "console_store_size_bytes",
    "Bytes that the console keeps on disk",
);

/// `console_store_series`
pub(crate) const CONSOLE_STORE_SERIES: (&str, &str) = (
    "console_store_series",
    "Series that the console knows",
);

/// `console_store_trouble`
pub(crate) const CONSOLE_STORE_TROUBLE: (&str, &str) = (
    "console_store_trouble",
    "1 while the console cannot write to its disk",
);

/// `delivery_commands_total`
pub(crate) const DELIVERY_COMMANDS: (&str, &str) = (
    "delivery_commands",
    "Commands to orders, by what became of them",
);

/// `delivery_orders_total`
pub(crate) const DELIVERY_ORDERS: (&str, &str) = (
    "delivery_orders",
    "Events of orders that were appended",
);

/// `eventstore_operation_duration_seconds`
pub(crate) const EVENTSTORE_OPERATION_DURATION: (&str, &str) = (
    "eventstore_operation_duration_seconds",
    "Duration of calls to the event store",
);
/// Upper bounds of `eventstore_operation_duration_seconds`, in seconds.
pub(crate) const EVENTSTORE_OPERATION_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `eventstore_conflicts_total`
pub(crate) const EVENTSTORE_CONFLICTS: (&str, &str) = (
    "eventstore_conflicts",
    "Appends refused because another writer came first",
);

/// `node_cpu_seconds_total`
pub(crate) const NODE_CPU: (&str, &str) = (
    "node_cpu_seconds",
    "Time that a CPU spent in each mode; never falls, even where the kernel's own count does",
);

/// `node_cpu_guest_seconds_total`
pub(crate) const NODE_CPU_GUEST: (&str, &str) = (
    "node_cpu_guest_seconds",
    "Time that a CPU spent on guests, which user and nice of node_cpu_seconds_total have in them",
);

/// `node_boot_time_seconds`
pub(crate) const NODE_BOOT_TIME: (&str, &str) = (
    "node_boot_time_seconds",
    "When the host started, in seconds since 1970",
);

/// `node_context_switches_total`
pub(crate) const NODE_CONTEXT_SWITCHES: (&str, &str) = (
    "node_context_switches",
    "Context switches since the host started",
);

/// `node_forks_total`
pub(crate) const NODE_FORKS: (&str, &str) = (
    "node_forks",
    "Processes and threads begun since the host started",
);

/// `node_intr_total`
pub(crate) const NODE_INTR: (&str, &str) = (
    "node_intr",
    "Interrupts served since the host started",
);

/// `node_procs_running`
pub(crate) const NODE_PROCS_RUNNING: (&str, &str) = (
    "node_procs_running",
    "Threads that run or could run",
);

/// `node_procs_blocked`
pub(crate) const NODE_PROCS_BLOCKED: (&str, &str) = (
    "node_procs_blocked",
    "Threads that wait for input or output",
);

/// `node_load1`
pub(crate) const NODE_LOAD1: (&str, &str) = (
    "node_load1",
    "Load average over one minute",
);

/// `node_load5`
pub(crate) const NODE_LOAD5: (&str, &str) = (
    "node_load5",
    "Load average over five minutes",
);

/// `node_load15`
pub(crate) const NODE_LOAD15: (&str, &str) = (
    "node_load15",
    "Load average over fifteen minutes",
);

/// `node_memory_{field}_bytes`
pub(crate) const NODE_MEMORY: (&str, &str) = (
    "node_memory_{field}_bytes",
    "Field of /proc/meminfo that has a unit; round brackets in its name become underscores",
);

/// `node_memory_{field}`
pub(crate) const NODE_MEMORY_COUNT: (&str, &str) = (
    "node_memory_{field}",
    "Field of /proc/meminfo without a unit, such as HugePages_Free",
);

/// `node_vmstat_{field}`
pub(crate) const NODE_VMSTAT: (&str, &str) = (
    "node_vmstat_{field}",
    "Field of /proc/vmstat that begins with oom_kill, pgpg or pswp, or is a count of page faults",
);

/// `node_disk_info`
pub(crate) const NODE_DISK_INFO: (&str, &str) = (
    "node_disk_info",
    "A block device; always 1",
);

/// `node_disk_reads_completed_total`
pub(crate) const NODE_DISK_READS_COMPLETED: (&str, &str) = (
    "node_disk_reads_completed",
    "Reads that a block device completed",
);

/// `node_disk_reads_merged_total`
pub(crate) const NODE_DISK_READS_MERGED: (&str, &str) = (
    "node_disk_reads_merged",
    "Reads that were merged with a neighbour before they reached the device",
);

/// `node_disk_read_bytes_total`
pub(crate) const NODE_DISK_READ: (&str, &str) = (
    "node_disk_read_bytes",
    "Bytes read from a block device",
);

/// `node_disk_read_time_seconds_total`
pub(crate) const NODE_DISK_READ_TIME: (&str, &str) = (
    "node_disk_read_time_seconds",
    "Time spent by all reads; reads at the same time count each",
);

/// `node_disk_writes_completed_total`
pub(crate) const NODE_DISK_WRITES_COMPLETED: (&str, &str) = (
    "node_disk_writes_completed",
    "Writes that a block device completed",
);

/// `node_disk_writes_merged_total`
pub(crate) const NODE_DISK_WRITES_MERGED: (&str, &str) = (
    "node_disk_writes_merged",
    "Writes that were merged with a neighbour before they reached the device",
);

/// `node_disk_written_bytes_total`
pub(crate) const NODE_DISK_WRITTEN: (&str, &str) = (
    "node_disk_written_bytes",
    "Bytes written to a block device",
);

/// `node_disk_write_time_seconds_total`
pub(crate) const NODE_DISK_WRITE_TIME: (&str, &str) = (
    "node_disk_write_time_seconds",
    "Time spent by all writes; writes at the same time count each",
);

/// `node_disk_io_now`
pub(crate) const NODE_DISK_IO_NOW: (&str, &str) = (
    "node_disk_io_now",
    "Operations that a block device has in progress",
);

/// `node_disk_io_time_seconds_total`
pub(crate) const NODE_DISK_IO_TIME: (&str, &str) = (
    "node_disk_io_time_seconds",
    "Time in which a block device had anything to do",
);

/// `node_disk_io_time_weighted_seconds_total`
pub(crate) const NODE_DISK_IO_TIME_WEIGHTED: (&str, &str) = (
    "node_disk_io_time_weighted_seconds",
    "Time in which a block device had something to do, times the operations in progress",
);

/// `node_disk_discards_completed_total`
pub(crate) const NODE_DISK_DISCARDS_COMPLETED: (&str, &str) = (
    "node_disk_discards_completed",
    "Discards that a block device completed",
);

/// `node_disk_discards_merged_total`
pub(crate) const NODE_DISK_DISCARDS_MERGED: (&str, &str) = (
    "node_disk_discards_merged",
    "Discards that were merged with a neighbour before they reached the device",
);

/// `node_disk_discarded_sectors_total`
pub(crate) const NODE_DISK_DISCARDED_SECTORS: (&str, &str) = (
    "node_disk_discarded_sectors",
    "Sectors of 512 bytes that were discarded",
);

/// `node_disk_discard_time_seconds_total`
pub(crate) const NODE_DISK_DISCARD_TIME: (&str, &str) = (
    "node_disk_discard_time_seconds",
    "Time spent by all discards",
);

/// `node_disk_flush_requests_total`
pub(crate) const NODE_DISK_FLUSH_REQUESTS: (&str, &str) = (
    "node_disk_flush_requests",
    "Flushes that a block device completed",
);

/// `node_disk_flush_requests_time_seconds_total`
pub(crate) const NODE_DISK_FLUSH_REQUESTS_TIME: (&str, &str) = (
    "node_disk_flush_requests_time_seconds",
    "Time spent by all flushes",
);

/// `node_filesystem_size_bytes`
pub(crate) const NODE_FILESYSTEM_SIZE: (&str, &str) = (
    "node_filesystem_size_bytes",
    "Size of a mounted file system",
);

/// `node_filesystem_free_bytes`
pub(crate) const NODE_FILESYSTEM_FREE: (&str, &str) = (
    "node_filesystem_free_bytes",
    "Free space of a mounted file system, with what is reserved for root",
);

/// `node_filesystem_avail_bytes`
pub(crate) const NODE_FILESYSTEM_AVAIL: (&str, &str) = (
    "node_filesystem_avail_bytes",
    "Space of a mounted file system that is there for everyone",
);

/// `node_filesystem_files`
pub(crate) const NODE_FILESYSTEM_FILES: (&str, &str) = (
    "node_filesystem_files",
    "Inodes of a mounted file system; 0 where it has no fixed number",
);

/// `node_filesystem_files_free`
pub(crate) const NODE_FILESYSTEM_FILES_FREE: (&str, &str) = (
    "node_filesystem_files_free",
    "Free inodes of a mounted file system",
);

/// `node_filesystem_readonly`
pub(crate) const NODE_FILESYSTEM_READONLY: (&str, &str) = (
    "node_filesystem_readonly",
    "1 for a file system that is mounted read-only, else 0",
);

/// `node_filesystem_device_error`
pub(crate) const NODE_FILESYSTEM_DEVICE_ERROR: (&str, &str) = (
    "node_filesystem_device_error",
    "1 for a file system that could not be asked, else 0",
);

/// `node_filesystem_mount_info`
pub(crate) const NODE_FILESYSTEM_MOUNT_INFO: (&str, &str) = (
    "node_filesystem_mount_info",
    "A mounted file system; always 1",
);

/// `node_network_receive_bytes_total`
pub(crate) const NODE_NETWORK_RECEIVE: (&str, &str) = (
    "node_network_receive_bytes",
    "Bytes that a network device received",
);

/// `node_network_receive_packets_total`
pub(crate) const NODE_NETWORK_RECEIVE_PACKETS: (&str, &str) = (
    "node_network_receive_packets",
    "Packets that a network device received",
);

/// `node_network_receive_errs_total`
pub(crate) const NODE_NETWORK_RECEIVE_ERRS: (&str, &str) = (
    "node_network_receive_errs",
    "Errors while packets were received",
);

/// `node_network_receive_drop_total`
pub(crate) const NODE_NETWORK_RECEIVE_DROP: (&str, &str) = (
    "node_network_receive_drop",
    "Packets dropped that were to be received",
);

/// `node_network_receive_fifo_total`
pub(crate) const NODE_NETWORK_RECEIVE_FIFO: (&str, &str) = (
    "node_network_receive_fifo",
    "Overruns of the device's queue of packets to be received",
);

/// `node_network_receive_frame_total`
pub(crate) const NODE_NETWORK_RECEIVE_FRAME: (&str, &str) = (
    "node_network_receive_frame",
    "Received packets with a broken frame",
);

/// `node_network_receive_compressed_total`
pub(crate) const NODE_NETWORK_RECEIVE_COMPRESSED: (&str, &str) = (
    "node_network_receive_compressed",
    "Compressed packets received",
);

/// `node_network_receive_multicast_total`
pub(crate) const NODE_NETWORK_RECEIVE_MULTICAST: (&str, &str) = (
    "node_network_receive_multicast",
    "Multicast packets received",
);

/// `node_network_receive_nohandler_total`
pub(crate) const NODE_NETWORK_RECEIVE_NOHANDLER: (&str, &str) = (
    "node_network_receive_nohandler",
    "Packets received and dropped since nothing wanted them",
);

/// `node_network_transmit_bytes_total`
pub(crate) const NODE_NETWORK_TRANSMIT: (&str, &str) = (
    "node_network_transmit_bytes",
    "Bytes that a network device sent",
);

/// `node_network_transmit_packets_total`
pub(crate) const NODE_NETWORK_TRANSMIT_PACKETS: (&str, &str) = (
    "node_network_transmit_packets",
    "Packets that a network device sent",
);

/// `node_network_transmit_errs_total`
pub(crate) const NODE_NETWORK_TRANSMIT_ERRS: (&str, &str) = (
    "node_network_transmit_errs",
    "Errors while packets were sent",
);

/// `node_network_transmit_drop_total`
pub(crate) const NODE_NETWORK_TRANSMIT_DROP: (&str, &str) = (
    "node_network_transmit_drop",
    "Packets dropped that were to be sent",
);

/// `node_network_transmit_fifo_total`
pub(crate) const NODE_NETWORK_TRANSMIT_FIFO: (&str, &str) = (
    "node_network_transmit_fifo",
    "Overruns of the device's queue of packets to be sent",
);

/// `node_network_transmit_colls_total`
pub(crate) const NODE_NETWORK_TRANSMIT_COLLS: (&str, &str) = (
    "node_network_transmit_colls",
    "Collisions on the wire while sending",
);

/// `node_network_transmit_carrier_total`
pub(crate) const NODE_NETWORK_TRANSMIT_CARRIER: (&str, &str) = (
    "node_network_transmit_carrier",
    "Losses of the carrier while sending",
);

/// `node_network_transmit_compressed_total`
pub(crate) const NODE_NETWORK_TRANSMIT_COMPRESSED: (&str, &str) = (
    "node_network_transmit_compressed",
    "Compressed packets sent",
);

/// `node_netstat_{protocol}_{field}`
pub(crate) const NODE_NETSTAT: (&str, &str) = (
    "node_netstat_{protocol}_{field}",
    "Field of /proc/net/netstat, snmp or snmp6: errors, octets, segments, retransmissions, connections, SYN cookies and full listen queues",
);

/// `node_sockstat_sockets_used`
pub(crate) const NODE_SOCKSTAT_SOCKETS_USED: (&str, &str) = (
    "node_sockstat_sockets_used",
    "Sockets in use, of all protocols",
);

/// `node_sockstat_{protocol}_{state}`
pub(crate) const NODE_SOCKSTAT: (&str, &str) = (
    "node_sockstat_{protocol}_{state}",
    "State of a protocol's sockets in /proc/net/sockstat and sockstat6: inuse, orphan, tw, alloc, mem in pages, memory in bytes",
);

/// `node_sockstat_{protocol}_mem_bytes`
pub(crate) const NODE_SOCKSTAT_MEM: (&str, &str) = (
    "node_sockstat_{protocol}_mem_bytes",
    "Memory of a protocol's sockets",
);

/// `node_softnet_processed_total`
pub(crate) const NODE_SOFTNET_PROCESSED: (&str, &str) = (
    "node_softnet_processed",
    "Packets that a CPU took from the network devices",
);

/// `node_softnet_dropped_total`
pub(crate) const NODE_SOFTNET_DROPPED: (&str, &str) = (
    "node_softnet_dropped",
    "Packets dropped since a CPU's backlog was full",
);

/// `node_softnet_times_squeezed_total`
pub(crate) const NODE_SOFTNET_TIMES_SQUEEZED: (&str, &str) = (
    "node_softnet_times_squeezed",
    "Times that a CPU had packets left when its share of time was over",
);

/// `node_softnet_cpu_collision_total`
pub(crate) const NODE_SOFTNET_CPU_COLLISION: (&str, &str) = (
    "node_softnet_cpu_collision",
    "Times that a CPU met another one at the lock of a sending device",
);

/// `node_softnet_received_rps_total`
pub(crate) const NODE_SOFTNET_RECEIVED_RPS: (&str, &str) = (
    "node_softnet_received_rps",
    "Times that a CPU was woken to take packets for another one",
);

/// `node_softnet_flow_limit_count_total`
pub(crate) const NODE_SOFTNET_FLOW_LIMIT_COUNT: (&str, &str) = (
    "node_softnet_flow_limit_count",
    "Times that a flow reached its limit",
);

/// `node_softnet_backlog_len`
pub(crate) const NODE_SOFTNET_BACKLOG_LEN: (&str, &str) = (
    "node_softnet_backlog_len",
    "Packets that wait for a CPU",
);

/// `node_nf_conntrack_entries`
pub(crate) const NODE_NF_CONNTRACK_ENTRIES: (&str, &str) = (
    "node_nf_conntrack_entries",
    "Connections that the firewall tracks",
);

/// `node_nf_conntrack_entries_limit`
pub(crate) const NODE_NF_CONNTRACK_ENTRIES_LIMIT: (&str, &str) = (
    "node_nf_conntrack_entries_limit",
    "Connections that the firewall can track",
);

/// `node_nf_conntrack_stat_{field}`
pub(crate) const NODE_NF_CONNTRACK_STAT: (&str, &str) = (
    "node_nf_conntrack_stat_{field}",
    "Count of the firewall's connection tracking, over all CPUs: drop, early_drop, found, ignore, insert, insert_failed, invalid, search_restart",
);

/// `node_pressure_cpu_waiting_seconds_total`
pub(crate) const NODE_PRESSURE_CPU_WAITING: (&str, &str) = (
    "node_pressure_cpu_waiting_seconds",
    "Time in which some task waited for a CPU",
);

/// `node_pressure_io_waiting_seconds_total`
pub(crate) const NODE_PRESSURE_IO_WAITING: (&str, &str) = (
    "node_pressure_io_waiting_seconds",
    "Time in which some task waited for input or output",
);

/// `node_pressure_io_stalled_seconds_total`
pub(crate) const NODE_PRESSURE_IO_STALLED: (&str, &str) = (
    "node_pressure_io_stalled_seconds",
    "Time in which all tasks waited for input or output at once",
);

/// `node_pressure_memory_waiting_seconds_total`
pub(crate) const NODE_PRESSURE_MEMORY_WAITING: (&str, &str) = (
    "node_pressure_memory_waiting_seconds",
    "Time in which some task waited for memory",
);

/// `node_pressure_memory_stalled_seconds_total`
pub(crate) const NODE_PRESSURE_MEMORY_STALLED: (&str, &str) = (
    "node_pressure_memory_stalled_seconds",
    "Time in which all tasks waited for memory at once",
);

/// `node_pressure_irq_stalled_seconds_total`
pub(crate) const NODE_PRESSURE_IRQ_STALLED: (&str, &str) = (
    "node_pressure_irq_stalled_seconds",
    "Time in which all tasks waited for interrupts to be served",
);

/// `node_filefd_allocated`
pub(crate) const NODE_FILEFD_ALLOCATED: (&str, &str) = (
    "node_filefd_allocated",
    "Open files of the whole host",
);

/// `node_filefd_maximum`
pub(crate) const NODE_FILEFD_MAXIMUM: (&str, &str) = (
    "node_filefd_maximum",
    "Open files that the host allows",
);

/// `node_entropy_available_bits`
pub(crate) const NODE_ENTROPY_AVAILABLE: (&str, &str) = (
    "node_entropy_available_bits",
    "Randomness that the kernel holds",
);

/// `node_entropy_pool_size_bits`
pub(crate) const NODE_ENTROPY_POOL_SIZE: (&str, &str) = (
    "node_entropy_pool_size_bits",
    "Randomness that the kernel can hold",
);

/// `node_kernel_hung_tasks_total`
pub(crate) const NODE_KERNEL_HUNG_TASKS: (&str, &str) = (
    "node_kernel_hung_tasks",
    "Tasks that the kernel found hanging since the host started",
);

/// `node_time_seconds`
pub(crate) const NODE_TIME: (&str, &str) = (
    "node_time_seconds",
    "The host's clock, in seconds since 1970",
);

/// `node_time_clocksource_available_info`
pub(crate) const NODE_TIME_CLOCKSOURCE_AVAILABLE_INFO: (&str, &str) = (
    "node_time_clocksource_available_info",
    "A source of time that the kernel could use; always 1",
);

/// `node_time_clocksource_current_info`
pub(crate) const NODE_TIME_CLOCKSOURCE_CURRENT_INFO: (&str, &str) = (
    "node_time_clocksource_current_info",
    "The source of time that the kernel uses; always 1",
);

/// `node_uname_info`
pub(crate) const NODE_UNAME_INFO: (&str, &str) = (
    "node_uname_info",
    "The host, its kernel and its names; always 1",
);

/// `node_scrape_collector_duration_seconds`
pub(crate) const NODE_SCRAPE_COLLECTOR_DURATION: (&str, &str) = (
    "node_scrape_collector_duration_seconds",
    "Time that a collector of the host's metrics took",
);

/// `node_scrape_collector_success`
pub(crate) const NODE_SCRAPE_COLLECTOR_SUCCESS: (&str, &str) = (
    "node_scrape_collector_success",
    "1 where a collector could read and understand its files, else 0 and none of its metrics",
);

/// `http_server_request_duration_seconds`
pub(crate) const HTTP_SERVER_REQUEST_DURATION: (&str, &str) = (
    "http_server_request_duration_seconds",
    "Duration of HTTP server requests, until the head of the response is ready",
);
/// Upper bounds of `http_server_request_duration_seconds`, in seconds.
pub(crate) const HTTP_SERVER_REQUEST_DURATION_BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0];

/// `http_server_active_requests`
pub(crate) const HTTP_SERVER_ACTIVE_REQUESTS: (&str, &str) = (
    "http_server_active_requests",
    "HTTP server requests being served",
);

/// `build_info`
pub(crate) const BUILD_INFO: (&str, &str) = (
    "build_info",
    "What is running; always 1",
);

/// `process_cpu_seconds_total`
pub(crate) const PROCESS_CPU: (&str, &str) = (
    "process_cpu_seconds",
    "CPU time that the process used, of user and of system",
);

/// `process_resident_memory_bytes`
pub(crate) const PROCESS_RESIDENT_MEMORY: (&str, &str) = (
    "process_resident_memory_bytes",
    "Memory of the process that is in RAM",
);

/// `process_virtual_memory_bytes`
pub(crate) const PROCESS_VIRTUAL_MEMORY: (&str, &str) = (
    "process_virtual_memory_bytes",
    "Address space of the process",
);

/// `process_virtual_memory_max_bytes`
pub(crate) const PROCESS_VIRTUAL_MEMORY_MAX: (&str, &str) = (
    "process_virtual_memory_max_bytes",
    "Address space that the process may have; 2^64 - 1 for no limit",
);

/// `process_open_fds`
pub(crate) const PROCESS_OPEN_FDS: (&str, &str) = (
    "process_open_fds",
    "File descriptors that the process has open",
);

/// `process_max_fds`
pub(crate) const PROCESS_MAX_FDS: (&str, &str) = (
    "process_max_fds",
    "File descriptors that the process may have open",
);

/// `process_start_time_seconds`
pub(crate) const PROCESS_START_TIME: (&str, &str) = (
    "process_start_time_seconds",
    "When the process started, in seconds since 1970",
);

/// `process_threads`
pub(crate) const PROCESS_THREADS: (&str, &str) = (
    "process_threads",
    "Threads of the process",
);

/// `projection_lag_events`
pub(crate) const PROJECTION_LAG_EVENTS: (&str, &str) = (
    "projection_lag_events",
    "Positions between the head of the store and the checkpoint",
);

/// `projection_lag_seconds`
pub(crate) const PROJECTION_LAG: (&str, &str) = (
    "projection_lag_seconds",
    "Age of the oldest event that is not projected yet, 0 when there is none",
);

/// `projection_event_duration_seconds`
pub(crate) const PROJECTION_EVENT_DURATION: (&str, &str) = (
    "projection_event_duration_seconds",
    "Time to project an event, which is its batch's time divided by the batch's events",
);
/// Upper bounds of `projection_event_duration_seconds`, in seconds.
pub(crate) const PROJECTION_EVENT_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `projection_checkpoint_position`
pub(crate) const PROJECTION_CHECKPOINT_POSITION: (&str, &str) = (
    "projection_checkpoint_position",
    "Position up to which events are projected",
);

/// `projection_parked_events`
pub(crate) const PROJECTION_PARKED_EVENTS: (&str, &str) = (
    "projection_parked_events",
    "Events set aside for a person to look at",
);

/// `projection_restarts_total`
pub(crate) const PROJECTION_RESTARTS: (&str, &str) = (
    "projection_restarts",
    "Restarts of a projection after a failure",
);

/// `readmodel_operation_duration_seconds`
pub(crate) const READMODEL_OPERATION_DURATION: (&str, &str) = (
    "readmodel_operation_duration_seconds",
    "Duration of calls to read model, search and idempotency keys",
);
/// Upper bounds of `readmodel_operation_duration_seconds`, in seconds.
pub(crate) const READMODEL_OPERATION_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `search_divergence_orders`
pub(crate) const SEARCH_DIVERGENCE_ORDERS: (&str, &str) = (
    "search_divergence_orders",
    "Orders by which read model and search differ at the same checkpoint; there as soon as they could be compared",
);

/// `tokio_runtime_workers`
pub(crate) const TOKIO_RUNTIME_WORKERS: (&str, &str) = (
    "tokio_runtime_workers",
    "Worker threads of the asynchronous runtime",
);

/// `tokio_runtime_workers_parked`
pub(crate) const TOKIO_RUNTIME_WORKERS_PARKED: (&str, &str) = (
    "tokio_runtime_workers_parked",
    "Worker threads that sleep since nothing is to do; 0 for long means that there are too few of them",
);

/// `tokio_runtime_alive_tasks`
pub(crate) const TOKIO_RUNTIME_ALIVE_TASKS: (&str, &str) = (
    "tokio_runtime_alive_tasks",
    "Tasks that have begun and not ended",
);

/// `tokio_runtime_global_queue_depth`
pub(crate) const TOKIO_RUNTIME_GLOBAL_QUEUE_DEPTH: (&str, &str) = (
    "tokio_runtime_global_queue_depth",
    "Tasks that wait in the queue that all workers share; growth means that the workers cannot keep up",
);

/// `tokio_runtime_worker_busy_seconds_total`
pub(crate) const TOKIO_RUNTIME_WORKER_BUSY: (&str, &str) = (
    "tokio_runtime_worker_busy_seconds",
    "Time that a worker thread was busy",
);

/// `tokio_runtime_worker_parks_total`
pub(crate) const TOKIO_RUNTIME_WORKER_PARKS: (&str, &str) = (
    "tokio_runtime_worker_parks",
    "Times that a worker thread went to sleep",
);

/// `telemetry_dropped_total`
pub(crate) const TELEMETRY_DROPPED: (&str, &str) = (
    "telemetry_dropped",
    "Spans and log lines that were dropped: queue_full, undeliverable, rejected, oversized or shutdown",
);

/// `telemetry_exported_total`
pub(crate) const TELEMETRY_EXPORTED: (&str, &str) = (
    "telemetry_exported",
    "Spans and log lines that a collector took",
);

/// `telemetry_export_failures_total`
pub(crate) const TELEMETRY_EXPORT_FAILURES: (&str, &str) = (
    "telemetry_export_failures",
    "Requests to a collector that failed, whether they are tried again or not: unreachable, timeout, unavailable, throttled or rejected",
);

/// `telemetry_queue_records`
pub(crate) const TELEMETRY_QUEUE_RECORDS: (&str, &str) = (
    "telemetry_queue_records",
    "Spans and log lines that wait or are being sent",
);

/// Names of spans.
pub mod span {
    /// Events of an order are appended to the event store.
    pub const APPEND_ORDER: &str = "append order";
    /// An order's events are read from the event store.
    pub const READ_ORDER: &str = "read order";
    /// Events of all orders are read from the event store.
    pub const READ_EVENTS: &str = "read events";
    /// The event store is asked for its last position.
    pub const READ_HEAD: &str = "read head";
    /// The event store is asked whether it can be used.
    pub const PING_EVENT_STORE: &str = "ping event store";
    /// An order is read from the read model.
    pub const GET_ORDER: &str = "get order";
    /// A page of orders is read from the read model.
    pub const LIST_ORDERS: &str = "list orders";
    /// Orders are looked for by their text.
    pub const SEARCH_ORDERS: &str = "search orders";
    /// The read model is asked whether it can be used.
    pub const PING_READ_MODEL: &str = "ping read model";
    /// The search is asked whether it can be used.
    pub const PING_SEARCH: &str = "ping search";
    /// A command's idempotency key is claimed, or its kept answer found.
    pub const CLAIM_IDEMPOTENCY_KEY: &str = "claim idempotency key";
    /// A command's answer is kept for retries with its key.
    pub const KEEP_IDEMPOTENT_ANSWER: &str = "keep idempotent answer";
    /// A key is given back, since its command was not carried out.
    pub const RELEASE_IDEMPOTENCY_KEY: &str = "release idempotency key";
    /// Orders and the checkpoint are written to the read model, once for a whole batch.
    pub const UPSERT_ORDER: &str = "upsert order";
    /// Orders and the checkpoint are written to the search, once for a whole batch.
    pub const INDEX_ORDER: &str = "index order";
    /// A projection reads the orders that it is about to change.
    pub const LOAD_ORDERS: &str = "load orders";
    /// Parked events are tried again, because somebody asked for it; linked to what led to them.
    pub const REPLAY_PARKED_EVENTS: &str = "replay parked events";
    /// A parked event is left out, because somebody asked for it; linked to what led to it.
    pub const SKIP_PARKED_EVENT: &str = "skip parked event";
    /// A projection's generations are read.
    pub const READ_GENERATIONS: &str = "read generations";
    /// A projection's parked events are read.
    pub const READ_PARKED_EVENTS: &str = "read parked events";
    /// An empty generation is begun.
    pub const BEGIN_REBUILD: &str = "begin rebuild";
    /// A generation becomes the live one.
    pub const PROMOTE_REBUILD: &str = "promote rebuild";
    /// A generation is given up.
    pub const DISCARD_REBUILD: &str = "discard rebuild";
}

/// Names of attributes.
pub mod attribute {
    /// What was read otherwise than it was recorded.
    pub const ADJUSTMENT: &str = "adjustment";
    /// The query API that was asked.
    pub const API: &str = "api";
    /// The engine behind the port.
    pub const BACKEND: &str = "backend";
    /// A source of the kernel's time.
    pub const CLOCKSOURCE: &str = "clocksource";
    /// The collector, by node_exporter's word for it.
    pub const COLLECTOR: &str = "collector";
    /// The command.
    pub const COMMAND: &str = "command";
    /// Connections that were cut off, since they were at work when the grace was over.
    pub const CONNECTIONS_ABORTED: &str = "connections.aborted";
    /// The number of the CPU.
    pub const CPU: &str = "cpu";
    /// The call of the port.
    pub const DB_OPERATION_NAME: &str = "db.operation.name";
    /// The engine behind the port.
    pub const DB_SYSTEM_NAME: &str = "db.system.name";
    /// The device, as the kernel names it.
    pub const DEVICE: &str = "device";
    /// Why the file system could not be asked; left out when it could.
    pub const DEVICE_ERROR: &str = "device_error";
    /// The host's NIS domain.
    pub const DOMAINNAME: &str = "domainname";
    /// How long it took, in milliseconds.
    pub const DURATION_MS: &str = "duration_ms";
    /// What failed and why, each cause after the one it led to.
    pub const ERROR_CAUSE: &str = "error.cause";
    /// The kind of failure: of a problem, its type's URI.
    pub const ERROR_TYPE: &str = "error.type";
    /// The recorded name of the event.
    pub const EVENT: &str = "event";
    /// The global position of a recorded event.
    pub const EVENT_POSITION: &str = "event.position";
    /// The recorded name of an event.
    pub const EVENT_TYPE: &str = "event.type";
    /// How many events.
    pub const EVENTS: &str = "events";
    /// How often it failed in a row.
    pub const FAILURES: &str = "failures";
    /// The file, with its folders.
    pub const FILE_PATH: &str = "file.path";
    /// The type of the file system.
    pub const FSTYPE: &str = "fstype";
    /// The generation of a projection's read model.
    pub const GENERATION: &str = "generation";
    /// The method, or _OTHER for one that is not of the standard.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// The status of the response.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// The matched route, never the URI; unmatched for none.
    pub const HTTP_ROUTE: &str = "http.route";
    /// How many idempotency keys.
    pub const KEYS: &str = "keys";
    /// The log filter in force.
    pub const LOG_FILTER: &str = "log.filter";
    /// Records that were dropped.
    pub const LOST: &str = "lost";
    /// The architecture.
    pub const MACHINE: &str = "machine";
    /// The device's major number.
    pub const MAJOR: &str = "major";
    /// The device's minor number.
    pub const MINOR: &str = "minor";
    /// What the CPU did.
    pub const MODE: &str = "mode";
    /// Where the file system is mounted.
    pub const MOUNTPOINT: &str = "mountpoint";
    /// The version of HTTP.
    pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
    /// The host's name.
    pub const NODENAME: &str = "nodename";
    /// The call of the port.
    pub const OPERATION: &str = "operation";
    /// The order.
    pub const ORDER_ID: &str = "order.id";
    /// How the call ended.
    pub const OUTCOME: &str = "outcome";
    /// A file of the process's own.
    pub const PATH: &str = "path";
    /// The signal that the process was sent.
    pub const PROCESS_SIGNAL: &str = "process.signal";
    /// The projection.
    pub const PROJECTION: &str = "projection";
    /// Why it failed or was dropped, one of a fixed set of words.
    pub const REASON: &str = "reason";
    /// Who was to be told of alerts.
    pub const RECEIVER: &str = "receiver";
    /// The kernel's release.
    pub const RELEASE: &str = "release";
    /// What the customer asks for.
    pub const REQUEST: &str = "request";
    /// How long until the next attempt, in milliseconds.
    pub const RETRY_IN_MS: &str = "retry_in_ms";
    /// What the process runs.
    pub const ROLE: &str = "role";
    /// 1 for a disk that turns.
    pub const ROTATIONAL: &str = "rotational";
    /// What kind of customer it is.
    pub const SCENARIO: &str = "scenario";
    /// The service.
    pub const SERVICE: &str = "service";
    /// Names of settings.
    pub const SETTINGS: &str = "settings";
    /// What is exported.
    pub const SIGNAL: &str = "signal";
    /// How it stands.
    pub const STATE: &str = "state";
    /// The stream of events.
    pub const STREAM: &str = "stream";
    /// What the demo's customers did.
    pub const SUMMARY: &str = "summary";
    /// Lines left out before this one.
    pub const SUPPRESSED: &str = "suppressed";
    /// The operating system.
    pub const SYSNAME: &str = "sysname";
    /// The sampler in force, with its share.
    pub const TRACES_SAMPLER: &str = "traces.sampler";
    /// Where the process can be reached.
    pub const URL: &str = "url";
    /// The path of the request.
    pub const URL_PATH: &str = "url.path";
    /// The scheme of the request; TLS ends before the service.
    pub const URL_SCHEME: &str = "url.scheme";
    /// The version of the program.
    pub const VERSION: &str = "version";
    /// The number of the runtime's worker thread.
    pub const WORKER: &str = "worker";
}
