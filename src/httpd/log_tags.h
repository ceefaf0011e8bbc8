/* SPDX-License-Identifier: Apache-2.0
 *
 * Every message of level warning and above, and every notice, carries one of
 * these tags, so that it can be searched for.  A tag is never reused.
 */
#ifndef AMGR_LOG_TAGS_H
#define AMGR_LOG_TAGS_H

/* X(symbol, tag, what it announces) */
#define AMGR_LOG_TAGS(X)                                                      \
    X(AMGR_TAG_KILL, "AMGR0001", "a worker is retired, or would be")          \
    X(AMGR_TAG_KILL_FAILED, "AMGR0002", "a worker could not be signalled")    \
    X(AMGR_TAG_SUPPRESSED, "AMGR0003", "a worker over a limit is left alone") \
    X(AMGR_TAG_INERT, "AMGR0004", "a limit is below a fresh child's size")    \
    X(AMGR_TAG_STORM, "AMGR0005", "the storm breaker opened or closed")       \
    X(AMGR_TAG_NO_RIGHTS, "AMGR0006", "workers may not be signalled")         \
    X(AMGR_TAG_NO_PROC, "AMGR0007", "memory of workers cannot be read")       \
    X(AMGR_TAG_DATA_FILE, "AMGR0008", "the data file was not written")        \
    X(AMGR_TAG_BOARD, "AMGR0009", "the board is not where it should be")      \
    X(AMGR_TAG_SHARED_DIR, "AMGR0010", "another server uses the directory")   \
    X(AMGR_TAG_TICKER, "AMGR0011", "the ticker started, hung or ended")       \
    X(AMGR_TAG_TABLE_FULL, "AMGR0012", "the table of children is full")       \
    X(AMGR_TAG_INERT_TIME, "AMGR0013", "time limits need ExtendedStatus")     \
    X(AMGR_TAG_SIGCHLD, "AMGR0014", "SIGCHLD is ignored, children get lost")  \
    X(AMGR_TAG_FORGED, "AMGR0015", "the scoreboard contradicts our table")    \
    X(AMGR_TAG_FAILED, "AMGR0016", "the module could not set itself up")      \
    X(AMGR_TAG_GONE, "AMGR0017", "a retired worker is gone")                  \
    X(AMGR_TAG_FORCED, "AMGR0018", "a worker did not go, and is killed")      \
    X(AMGR_TAG_DEAF, "AMGR0019", "a worker cannot be asked to finish")        \
    X(AMGR_TAG_STUCK, "AMGR0020", "a worker outlives its SIGKILL")            \
    X(AMGR_TAG_STEP, "AMGR0021", "a retirement takes its next step")          \
    X(AMGR_TAG_POSIXSEM, "AMGR0022", "killed workers would keep mutexes")     \
    X(AMGR_TAG_NO_GROUP, "AMGR0023", "a section is for no group there is")    \
    X(AMGR_TAG_LOST, "AMGR0024", "a request was cut off by a kill")           \
    X(AMGR_TAG_LOCK, "AMGR0025", "nobody can release a shared lock any more") \
    X(AMGR_TAG_BUDGETS_FULL, "AMGR0026", "too many different time limits")    \
    X(AMGR_TAG_HELD_BACK, "AMGR0027", "a kill is put off for a lock's sake")  \
    X(AMGR_TAG_COMMAND, "AMGR0028", "a kill command started or ended")        \
    X(AMGR_TAG_COMMAND_FAILED, "AMGR0029", "a kill command was not run")      \
    X(AMGR_TAG_COMMAND_TIMEOUT, "AMGR0030", "a kill command was out of time") \
    X(AMGR_TAG_COMMAND_SKIPPED, "AMGR0031", "too many kill commands run")     \
    X(AMGR_TAG_CONTROL, "AMGR0032", "the control socket opened or cannot")    \
    X(AMGR_TAG_ORDER, "AMGR0033", "an order came by the control socket")      \
    X(AMGR_TAG_MANAGED_STATE, "AMGR0034", "a process is another now")         \
    X(AMGR_TAG_MANAGED_FAULT, "AMGR0035", "a process cannot start, or stay")  \
    X(AMGR_TAG_MANAGED_VERIFY, "AMGR0036", "a verifier asked a process")      \
    X(AMGR_TAG_MANAGED_OUTPUT, "AMGR0037", "a line that a process wrote")     \
    X(AMGR_TAG_MANAGED_LOGGER, "AMGR0038", "the place of its output fails")   \
    X(AMGR_TAG_MANAGED_ORDER, "AMGR0039", "an order came for a process")      \
    X(AMGR_TAG_SUPERVISOR, "AMGR0040", "the supervisor began, hung, ended")   \
    X(AMGR_TAG_MANAGED_CONFIG, "AMGR0041", "sections contradict each other")  \
    X(AMGR_TAG_GATE, "AMGR0043", "a gate opens, shuts, or is for no member")  \
    X(AMGR_TAG_ORDER_HTTP, "AMGR0044", "an order came over HTTP")             \
    X(AMGR_TAG_ORDER_REFUSED, "AMGR0045", "an order over HTTP was refused")   \
    X(AMGR_TAG_NOTICES_DROPPED, "AMGR0046", "httpd drops our notices")

#define AMGR_LOG_TAG_SYMBOL(symbol, tag, text) symbol,
typedef enum amgr_log_tag_e {
    AMGR_LOG_TAGS(AMGR_LOG_TAG_SYMBOL) AMGR_TAG_COUNT
} amgr_log_tag_e;
#undef AMGR_LOG_TAG_SYMBOL

#endif
