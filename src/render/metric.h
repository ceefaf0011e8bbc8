/* SPDX-License-Identifier: Apache-2.0
 *
 * Exported metrics.  metric_table.c is the one place that names them; a getter
 * tells the samples of one family, and metrics.c writes them in the format
 * that was asked for.  A family is written by one call of one getter, so that
 * it cannot be split, and its head goes before the first sample, so that a
 * family without any is not there at all.
 *
 * Values are never negative and have at most six decimals.
 */
#ifndef AMGR_METRIC_H
#define AMGR_METRIC_H

#include "model/histogram.h"
#include "render/view.h"

typedef enum amgr_metric_type_e {
    AMGR_METRIC_GAUGE = 0,
    AMGR_METRIC_COUNTER,
    AMGR_METRIC_HISTOGRAM,
    AMGR_METRIC_TYPE_COUNT
} amgr_metric_type_e;

/** What getters read. */
typedef struct amgr_metric_source_t {
    const amgr_view_t *view;
    amgr_view_counts_t counts;
    int is_known;         /**< the scoreboard was read */
    int has_ticked;       /**< there is a tick to tell of */
} amgr_metric_source_t;

typedef struct amgr_metric_out_t amgr_metric_out_t; /**< where samples go */

/** Puts the samples of a family; @a which is the row's, for getters of more
 * than one. */
typedef void amgr_metric_get_fn(const amgr_metric_source_t *source, int which,
                                amgr_metric_out_t *out);

/** A row of the table. */
typedef struct amgr_metric_t {
    const char *name; /**< without prefix, and without "_total" of counters */
    const char *unit; /**< the end of the name when that is one, or "" */
    const char *help; /**< without what any format would escape */
    amgr_metric_get_fn *get;
    int which;
    int type;   /**< amgr_metric_type_e */
    int compat; /**< apache_*; else apache_manager_* */
} amgr_metric_t;

extern const amgr_metric_t amgr_metrics[];
extern const int amgr_metrics_count;

/** A label; a list of them ends with a name of NULL.  Values may hold any
 * bytes, and no client has any say in them. */
typedef struct amgr_metric_label_t {
    const char *name;
    const char *value;
} amgr_metric_label_t;

/** A sample of a whole number; @a labels NULL: none. */
void amgr_metric_put(amgr_metric_out_t *out, const amgr_metric_label_t *labels,
                     apr_uint64_t value);

/** The same in millionths: seconds from microseconds. */
void amgr_metric_put_micro(amgr_metric_out_t *out,
                           const amgr_metric_label_t *labels,
                           apr_uint64_t value);

/** A double that is a share, a mean or a load; none when negative or too
 * large to be one. */
void amgr_metric_put_double(amgr_metric_out_t *out,
                            const amgr_metric_label_t *labels, double value);

/** With one label alone. */
void amgr_metric_put_with(amgr_metric_out_t *out, const char *label,
                          const char *value, apr_uint64_t count);

void amgr_metric_put_histogram(amgr_metric_out_t *out,
                               const amgr_histogram_t *histogram,
                               const amgr_histogram_bounds_t *bounds);

/* The getters, by the file that has them. */

/* metric_server.c */
amgr_metric_get_fn amgr_metric_build_info, amgr_metric_start_time,
    amgr_metric_generation, amgr_metric_health, amgr_metric_totals,
    amgr_metric_cpu, amgr_metric_workers, amgr_metric_workers_max,
    amgr_metric_hanging, amgr_metric_children, amgr_metric_connections;

/** Which of the sums of the scoreboard. */
enum { AMGR_METRIC_ACCESSES = 0, AMGR_METRIC_BYTES, AMGR_METRIC_DURATION };

/* metric_memory.c */
amgr_metric_get_fn amgr_metric_group, amgr_metric_capacity,
    amgr_metric_workers_anon, amgr_metric_limit_bytes,
    amgr_metric_limit_seconds, amgr_metric_limit_inert;

/** Which figure of each group. */
enum {
    AMGR_METRIC_PROCESSES = 0,
    AMGR_METRIC_SUM,
    AMGR_METRIC_MIN,
    AMGR_METRIC_MAX,
    AMGR_METRIC_MEDIAN
};

/* metric_manager.c */
amgr_metric_get_fn amgr_metric_processes, amgr_metric_killed,
    amgr_metric_counter, amgr_metric_orphaned, amgr_metric_suppressed,
    amgr_metric_storm, amgr_metric_killed_ages, amgr_metric_errors,
    amgr_metric_interval, amgr_metric_last_tick, amgr_metric_tick_spans,
    amgr_metric_tick_cpu;

/** Which processes. */
enum {
    AMGR_METRIC_RETIRING = 0,
    AMGR_METRIC_OVER_LIMIT,
    AMGR_METRIC_NEAR_LIMIT
};

/** Which counter of the board that stands alone. */
enum {
    AMGR_METRIC_DRAINED = 0,
    AMGR_METRIC_FORCED,
    AMGR_METRIC_LOST,
    AMGR_METRIC_ORPHANED,
    AMGR_METRIC_TICKS
};

/* metric_managed.c */
amgr_metric_get_fn amgr_metric_managed, amgr_metric_supervision;

/** Which figure of each managed process. */
enum {
    AMGR_METRIC_MANAGED_STATE = 0,
    AMGR_METRIC_MANAGED_WANTED,
    AMGR_METRIC_MANAGED_READY,
    AMGR_METRIC_MANAGED_STARTS,
    AMGR_METRIC_MANAGED_EXITS,
    AMGR_METRIC_MANAGED_LAST_EXIT,
    AMGR_METRIC_MANAGED_BACKOFF,
    AMGR_METRIC_MANAGED_STARTED,
    AMGR_METRIC_MANAGED_TREE,
    AMGR_METRIC_MANAGED_MEMORY,
    AMGR_METRIC_MANAGED_MAX_MEMORY,
    AMGR_METRIC_MANAGED_CPU,
    AMGR_METRIC_MANAGED_CHECKS,
    AMGR_METRIC_MANAGED_CHECK_SPAN,
    AMGR_METRIC_MANAGED_OUTPUT,
    AMGR_METRIC_MANAGED_DROPPED
};

/** Which figure of all of them. */
enum {
    AMGR_METRIC_APPLICATION = 0,
    AMGR_METRIC_SUPERVISOR_UP,
    AMGR_METRIC_SUPERVISOR_STARTS
};

/* metric_compat.c */
amgr_metric_get_fn amgr_metric_compat_up, amgr_metric_compat_info,
    amgr_metric_compat_version, amgr_metric_compat_generation,
    amgr_metric_compat_load, amgr_metric_compat_totals, amgr_metric_compat_cpu,
    amgr_metric_compat_cpuload, amgr_metric_compat_uptime,
    amgr_metric_compat_workers, amgr_metric_compat_processes,
    amgr_metric_compat_connections, amgr_metric_compat_scoreboard;

#endif
