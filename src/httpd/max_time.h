/* SPDX-License-Identifier: Apache-2.0
 *
 * ManagerMaxTime: the limit that a server, a virtual host or a section gives
 * to its requests.  It is configuration of directories, so httpd itself finds
 * out which one a request obeys; the outermost one of the main server is also
 * the limit of the requests that nobody has told about.
 */
#ifndef AMGR_MAX_TIME_H
#define AMGR_MAX_TIME_H

#include <httpd.h>
#include <http_config.h>

#include "httpd/runtime.h"
#include "policy/budget.h"

typedef struct amgr_max_time_t amgr_max_time_t;

/** What a section says; lives in its configuration's pool. */
struct amgr_max_time_t {
    amgr_budget_t budget;
    int is_set;
    int is_main;    /**< stands outside of any section */
    int is_servers; /**< its budget is the main server's, whoever says it */
    int index;      /**< in the table of the runtime record, 0: none */
    amgr_max_time_t *next;
};

/** A section's record, nothing set. */
amgr_max_time_t *amgr_max_time_create(apr_pool_t *p);

/** Take a value over from the directive; the first that is a limit installs
 * what runs in requests, where httpd sorts its hooks afterwards. */
void amgr_max_time_set(cmd_parms *cmd, amgr_max_time_t *section,
                       const amgr_budget_t *budget);

/** Requests without a limit are noted as well once they have no end of their
 * own; while the configuration is read. */
void amgr_max_time_watch_endless(cmd_parms *cmd);

/** Whether that was asked for. */
int amgr_max_time_watches_endless(void);

/** Parent, at each start and restart: give every configured limit its index,
 * and count the sections in @a limits. */
void amgr_max_time_number(server_rec *s, amgr_runtime_t *runtime,
                          amgr_limits_t *limits);

#endif
