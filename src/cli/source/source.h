/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the tool learns what is true of a server, in order of what each is
 * worth: the module's board, which needs no worker; status.json over HTTP; the
 * page of mod_status, where there is no module; the data file, with its age;
 * the processes alone, when nobody answers.  Whatever it was, the result is a
 * view, as the module's own writers take it.
 */
#ifndef AMGR_SOURCE_H
#define AMGR_SOURCE_H

#include "cli/fault.h"
#include "render/view.h"

typedef enum amgr_source_kind_e {
    AMGR_SOURCE_BOARD = 0,
    AMGR_SOURCE_STATUS_JSON,
    AMGR_SOURCE_MOD_STATUS,
    AMGR_SOURCE_DATA_FILE,
    AMGR_SOURCE_PROCESSES, /**< no server's figures, no slots */
    AMGR_SOURCE_KIND_COUNT
} amgr_source_kind_e;

/** What a reader wants to know besides the server's figures and the groups,
 * which every source has; bits. */
typedef enum amgr_want_e {
    AMGR_WANT_PROCESSES = 1 << 0, /**< with their memory */
    AMGR_WANT_SLOTS = 1 << 1,
    AMGR_WANT_RECORDS = 1 << 2, /**< retirements and their evidence */
    AMGR_WANT_HISTORY = 1 << 3,
    AMGR_WANT_NOW = 1 << 4,    /**< not something of minutes ago: the data file
                                 is no answer */
    AMGR_WANT_LIVE = 1 << 5,   /**< what workers do at this moment: a page alone
                                 tells, and a board of the last tick not */
    AMGR_WANT_MEMORY = 1 << 6, /**< the memory of processes will do, when the
                                    server does not answer within a second */
    AMGR_WANT_MANAGED =
        1 << 7, /**< managed processes alone: those a board tells
                                     before its server's first tick, too */
    AMGR_WANT_ALL = AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_RECORDS |
                    AMGR_WANT_HISTORY | AMGR_WANT_MEMORY
} amgr_want_e;

/** Which server, and how long to wait for it. */
typedef struct amgr_target_t {
    const char *url;                /**< NULL: look for it on this machine */
    apr_interval_time_t timeout_us; /**< of one answer over HTTP */
} amgr_target_t;

#define AMGR_SOURCE_TIMEOUT_US (10 * APR_USEC_PER_SEC)

typedef struct amgr_source_t {
    int kind;         /**< amgr_source_kind_e */
    const char *name; /**< path or URL, for people */
    amgr_view_t view; /**< snapshot, config and counters are never NULL; what
                           the source does not say is unknown there */
    apr_interval_time_t age_us; /**< of the figures; AMGR_NO_TIME */
    amgr_proc_id_t parent; /**< the httpd parent on this machine; pid 0: it is
                                elsewhere, or not known */
    int is_untold; /**< MOD_STATUS: what workers do is not known, since the page
                        has no table of them, or one of other processes; slots
                        are there to be counted alone */
    int is_guessed; /**< MOD_STATUS: workers without a row of the scoreboard are
                         a guess, to be counted alone */
    int is_orphaned; /**< httpd's parent has ended, and its workers, which still
                          serve, are all there is */
    const char *control_socket; /**< NULL: none */
    const char *status_json; /**< STATUS_JSON: the text itself, which passed */
    apr_size_t status_json_length;
} amgr_source_t;

/**
 * Read the best source there is for @a target, with what @a wants asks for
 * (amgr_want_e, ORed), everything from @a pool.  NULL on success; else one
 * fault for all that was tried, which says what was looked for and where.
 * Where a server has just been started and there is nothing but its board, its
 * first tick is waited for, a second longer than for an answer over HTTP.
 * Why better sources were passed over is said at AMGR_LEVEL_VERBOSE.
 */
const amgr_fault_t *amgr_source_read(const amgr_target_t *target, int wants,
                                     amgr_source_t *out, apr_pool_t *pool);

/** "board", "status.json", "mod_status", "data file", "processes". */
const char *amgr_source_word(int kind);

/** What must be told beside the figures of @a source; NULL: nothing. */
const char *amgr_source_remark(const amgr_source_t *source);

/** Whether it, or what it tells of, is not as it should be. */
int amgr_source_needs_attention(const amgr_source_t *source);

/** Of that: whether a managed process is wanted and not ready, or nobody
 * watches them. */
int amgr_source_misses_process(const amgr_source_t *source);

/** The fault of whoever has to have a server that is whole: of one whose parent
 * has ended.  NULL for any other. */
const amgr_fault_t *amgr_source_check(const amgr_source_t *source,
                                      apr_pool_t *pool);

#endif
