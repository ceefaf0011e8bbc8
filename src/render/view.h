/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything a writer shows: one instant, read once, printed after; slots
 * alone, of which there may be too many to keep, are read as they are written.
 * Writers take a view and a sink, and nothing else.
 */
#ifndef AMGR_VIEW_H
#define AMGR_VIEW_H

#include "action/board.h"
#include "action/command_env.h"
#include "base/sink.h"
#include "model/client.h"
#include "model/history.h"
#include "model/request.h"
#include "policy/reasons.h"
#include "render/page_query.h"

/**
 * Where the slots come from that a snapshot does not hold: a page reads a few
 * of one process at a time, so that it needs no room for all.  Both functions
 * read what is there now; letters and counts are of the moment of the view.
 */
typedef struct amgr_slot_source_t {
    /** Copies at most @a max slots of @a process from its @a first on, each
     * with the age and the limit of its request; returns how many. */
    int (*read_slots)(void *baton, const amgr_process_t *process, int first,
                      amgr_slot_t *out, int max);
    /** The letters from the @a first on, in the order of the scoreboard. */
    void (*read_letters)(void *baton, apr_int64_t first, char *out, int count);
    void *baton;
    apr_int64_t letter_count; /**< how many letters there are */
    int columns;              /**< slots of a process that have letters; one
                                   from before a restart may have more */
    amgr_slot_t *room;        /**< for those that are read at a time */
    int room_max;
} amgr_slot_source_t;

/** Which names of metrics are exported. */
typedef enum amgr_metrics_names_e {
    AMGR_METRICS_NATIVE = 0, /**< apache_manager_* */
    AMGR_METRICS_COMPAT,     /**< apache_*, those of apache_exporter */
    AMGR_METRICS_BOTH,
    AMGR_METRICS_NAMES_COUNT
} amgr_metrics_names_e;

/** What is configured and no board tells, since every process that serves a
 * page knows it. */
typedef struct amgr_view_settings_t {
    /** Programs without their arguments; NULL: none. */
    const char *kill_commands[AMGR_COMMAND_EVENT_COUNT];
    apr_interval_time_t kill_command_timeout_us;
    const char *data_file; /**< NULL: none is written */
    int syslog;            /**< kill lines to syslog as well */
    int metrics_names;     /**< amgr_metrics_names_e */
} amgr_view_settings_t;

typedef struct amgr_view_t {
    const amgr_snapshot_t *snapshot;  /**< slots of now, memory of the tick */
    const amgr_board_config_t *config;
    const amgr_counters_t *counters;
    const amgr_record_t *records;     /**< newest first */
    int record_count;
    int show_requests;                /**< amgr_show_requests_e */
    int show_clients;                 /**< amgr_show_clients_e */
    apr_time_t tick_wall_us;          /**< AMGR_NO_TIME before the first */
    apr_time_t now_wall_us;
    amgr_page_query_t query;          /**< what was asked for */
    const char *base_path;            /**< page: where assets/ hangs */
    const char *server_name;          /**< page: whose it is, or NULL */
    const amgr_history_series_t *history; /**< of the span asked for; NULL
                                               without */
    const amgr_evidence_t *evidences; /**< of some records, newest first */
    int evidence_count;
    apr_uint64_t untimed; /**< requests of HTTP/2 that no tick could time, as
                               the children say */
    const char *assets_version; /**< page: differs when an asset does */
    amgr_view_settings_t settings;
    int *scratch;      /**< where tables are put in order; NULL: they are not */
    int scratch_count; /**< numbers that it has room for */
    const amgr_history_series_t *recent; /**< the newest samples of the hour,
                                              for rates; NULL: as history */
    const apr_uint16_t *ports; /**< on which the server listens; who is
                                    connected to them is a client */
    int port_count;
    const amgr_slot_source_t *source; /**< of the slots; NULL: the snapshot
                                           holds them all */
    apr_pool_t *pool; /**< for what a writer must keep while it writes; NULL:
                           nothing can be ordered anew */
    const char *server_description; /**< name and version in full, whatever
                                         ServerTokens says; or NULL */
    const char *server_built; /**< when it was compiled, or NULL */
    double load[3]; /**< of the machine over 1, 5 and 15 minutes; < 0 is not
                         known */
    /** Puts the lines that other modules add to mod_status's `?auto`; NULL:
     * there are none. */
    void (*write_foreign)(void *baton, amgr_sink_t *sink);
    void *foreign_baton;
    apr_time_t started_us; /**< wall; when the server was started, or restarted
                                not gracefully, as its parent noted: what the
                                snapshot's server says any child can write; 0:
                                not known */
    apr_interval_time_t uptime_us; /**< since then, whatever the wall clock;
                                        less than 0: not known */
    apr_time_t configured_us; /**< wall; since when ticks are due: when the
                                   configuration in force was read; 0: not
                                   known */
    const amgr_managed_table_t *managed; /**< NULL: there are none */
    const char *control_token; /**< what a form must say to give an order; NULL:
                                    orders are not taken from here */
    const char *control_refusal; /**< page: why not, as a clause; or NULL */
} amgr_view_t;

/** What is the matter, in order of urgency; decides the page's headline. */
typedef enum amgr_health_e {
    AMGR_HEALTH_OK = 0,
    AMGR_HEALTH_WAITING,    /**< before the first tick */
    AMGR_HEALTH_NO_LIMITS,  /**< watching only */
    AMGR_HEALTH_NO_MONITOR, /**< -X: nothing ticks and nothing acts */
    AMGR_HEALTH_NEAR,       /**< close to a limit */
    AMGR_HEALTH_INERT,      /**< a limit is below a fresh child */
    AMGR_HEALTH_OVER,       /**< over a limit and left alone, see the cause */
    AMGR_HEALTH_HANGING,
    AMGR_HEALTH_RETIRING,
    AMGR_HEALTH_NOT_READY,     /**< managed processes that are wanted */
    AMGR_HEALTH_STORM,         /**< the breaker is open and holds back */
    AMGR_HEALTH_FAILED,        /**< a managed process, and it stays so */
    AMGR_HEALTH_NO_SUPERVISOR, /**< nobody watches managed processes */
    AMGR_HEALTH_NO_RIGHTS,
    AMGR_HEALTH_STALE, /**< the last tick is too long ago */
    AMGR_HEALTH_COUNT
} amgr_health_e;

/** How many of what a view holds, and what follows from that: one pass over
 * its processes. */
typedef struct amgr_view_counts_t {
    amgr_health_e health;
    int native;                   /**< native processes */
    apr_int64_t native_slots;     /**< their slots */
    int foreign;                  /**< foreign ones but programs */
    int retiring;                 /**< told to go, not gone */
    int over;                     /**< over a limit and left alone */
    int causes[AMGR_CAUSE_COUNT]; /**< @c over by cause */
    int near;                     /**< within their limits, but close to one */
    const amgr_process_t *nearest; /**< the closest of those, or NULL */
    int managed_missed;            /**< managed, wanted and not ready */
    int managed_failed;            /**< of those, FATAL */
} amgr_view_counts_t;

/** One or two words of a page's title: "healthy", "retiring". */
const char *amgr_health_word(int health);

void amgr_view_count(const amgr_view_t *view, amgr_view_counts_t *out);

/** What was seen before this retirement, or NULL. */
const amgr_evidence_t *amgr_view_evidence(const amgr_view_t *view,
                                          const amgr_record_t *record);

/** Name of a group by its index; "unknown" when there is none. */
const char *amgr_view_group_name(const amgr_view_t *view, int group);

/** Some slots of @a process from its @a first on, as many as can be had at a
 * time, which may be less than there are: the next call with the sum of both
 * goes on.  Valid until the next call of this or the next function; NULL and 0
 * after the last. */
const amgr_slot_t *amgr_view_slots(const amgr_view_t *view,
                                   const amgr_process_t *process, int first,
                                   int *out_count);

/** One of them, by its index; the same holds. */
const amgr_slot_t *amgr_view_slot(const amgr_view_t *view,
                                  const amgr_process_t *process, int index);

/** The letters of @a count of its slots from the @a first on, of the moment of
 * the view: cheap, since no text is read but of slots that others have not.
 * Whatever slots were read are not valid any more. */
void amgr_view_letters(const amgr_view_t *view, const amgr_process_t *process,
                       int first, char *out, int count);

/** Requests that @a process has answered; AMGR_UNKNOWN for those that answer
 * none, and without ExtendedStatus, when nobody counts. */
apr_uint64_t amgr_view_accesses(const amgr_view_t *view,
                                const amgr_process_t *process);

/** How many slots all processes have. */
int amgr_view_slot_count(const amgr_view_t *view);

/** The memory limit that @a process obeys now; AMGR_LIMIT_OFF: none. */
apr_int64_t amgr_view_memory_limit(const amgr_view_t *view,
                                   const amgr_process_t *process);

/** The memory limits of a process. */
typedef enum amgr_view_limit_e {
    AMGR_VIEW_ACTIVE = 0,
    AMGR_VIEW_IDLE, /**< which only native workers obey */
    AMGR_VIEW_HARD,
    AMGR_VIEW_LIMIT_COUNT
} amgr_view_limit_e;

/** A group that makes this memory limit inert, its own or the server's, or
 * NULL; @a which is amgr_view_limit_e. */
const amgr_group_t *amgr_view_inert_group(const amgr_view_t *view, int which);

/** A group that makes the server's own limit inert, which it obeys, or NULL. */
const amgr_group_t *amgr_view_inert_server(const amgr_view_t *view, int which);

/** Whether the time limit is set but cannot work: ExtendedStatus is off. */
int amgr_view_time_is_inert(const amgr_view_t *view);

/** The same of the limit of requests. */
int amgr_view_requests_are_inert(const amgr_view_t *view);

/** Whether the total is a part of a memory that nobody knows. */
int amgr_view_total_is_inert(const amgr_view_t *view);

/** How long ago the last tick was or, before the first, since when one is due:
 * a server that was restarted gracefully may be up for long by then. */
apr_interval_time_t amgr_view_since_tick_us(const amgr_view_t *view);

/** Whether any limit is inert. */
int amgr_view_is_inert(const amgr_view_t *view);

/** status.json, described by status.schema.json beside the writer. */
void amgr_write_status_json(const amgr_view_t *view, amgr_sink_t *sink);

/** The data file and metrics.txt: byte for byte the Python tool's format. */
void amgr_write_metrics_txt(const amgr_view_t *view, amgr_sink_t *sink);

/** What mod_status says to `?auto`, line by line and in its order. */
void amgr_write_auto(const amgr_view_t *view, amgr_sink_t *sink);

/** Prometheus's text format 0.0.4, and OpenMetrics 1.0. */
void amgr_write_metrics(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_write_openmetrics(const amgr_view_t *view, amgr_sink_t *sink);

/** Zabbix's discovery of groups: `{"data":[{"{#NAME}":"native"},...]}`. */
void amgr_write_discovery_json(const amgr_view_t *view, amgr_sink_t *sink);

/** GET /processes, and GET /ready: {"status":"running"}, and the names that
 * are wanted and not ready where there are any. */
void amgr_write_processes_json(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_write_ready_json(const amgr_view_t *view, amgr_sink_t *sink);

/** That list with these of them alone, which are of @a view. */
void amgr_write_named_json(const amgr_view_t *view,
                           const amgr_managed_t *const *named, int count,
                           amgr_sink_t *sink);

/** One of them as that list has it: the answer to an order. */
void amgr_write_process_json(const amgr_view_t *view,
                             const amgr_managed_t *process, amgr_sink_t *sink);

/** The page. */
void amgr_write_page(const amgr_view_t *view, amgr_sink_t *sink);

#endif
