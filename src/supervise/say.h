/* SPDX-License-Identifier: Apache-2.0
 *
 * How this layer tells what happened: lines for the error log, through a
 * function of whoever runs it, since it knows nothing of httpd.
 */
#ifndef AMGR_SAY_H
#define AMGR_SAY_H

/** What a line is about; each is a tag of the log. */
typedef enum amgr_say_e {
    AMGR_SAY_STATE = 0,  /**< a process changed its state */
    AMGR_SAY_FAULT,      /**< it cannot be started, or be kept */
    AMGR_SAY_VERIFY,     /**< an attempt of a verifier */
    AMGR_SAY_OUTPUT,     /**< a line that it wrote */
    AMGR_SAY_LOGGER,     /**< its logger or its output file */
    AMGR_SAY_ORDER,      /**< an order from outside */
    AMGR_SAY_SUPERVISOR, /**< of the supervisor itself */
    AMGR_SAY_COUNT
} amgr_say_e;

/** Levels, in the order of httpd's own. */
typedef enum amgr_level_e {
    AMGR_LEVEL_ERR = 0,
    AMGR_LEVEL_WARNING,
    AMGR_LEVEL_NOTICE,
    AMGR_LEVEL_INFO,
    AMGR_LEVEL_DEBUG,
    AMGR_LEVEL_COUNT
} amgr_level_e;

/** @a error: an errno whose text is told too, or 0.  @a text: one line without
 * its end; what came from a process is escaped already. */
typedef void amgr_say_line_fn(void *baton, int what, int level, int error,
                              const char *text);

/** Whom to tell. */
typedef struct amgr_teller_t {
    amgr_say_line_fn *line;
    void *baton;
} amgr_teller_t;

/** A line of at most 1 KiB.  Begin with "process NAME: " where it is of one. */
void amgr_say(const amgr_teller_t *teller, int what, int level, int error,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
