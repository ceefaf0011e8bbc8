/* SPDX-License-Identifier: Apache-2.0
 *
 * A server whose board is not to be read, see source_search.h.  Its pages come
 * first, and how long they may take depends on what there is without them.
 */
#include "cli/source/source_search.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "cli/message.h"

/** How long a page may take while there is a data file that is good enough,
 * and how old that may be: the module writes one each minute. */
#define HURRIED_US (300 * 1000)
#define FRESH_US (180 * APR_USEC_PER_SEC)

/** And while there are processes to look at. */
#define PATIENT_US APR_USEC_PER_SEC

/** How often a board is looked at for its first tick, and how much longer it is
 * waited for than a page: httpd's parent makes it ten seconds after its start,
 * or a moment later. */
#define LOOK_US (50 * 1000)
#define LATE_US APR_USEC_PER_SEC

/** Whether there is a data file that is as good as a page, for a while. */
static int has_fresh_file(const amgr_source_search_t *search,
                          const amgr_source_server_t *server)
{
    struct stat st;
    apr_time_t age_us;

    if (server->data_file == NULL || (search->wants & AMGR_WANT_NOW) ||
        stat(server->data_file, &st) != 0 || !S_ISREG(st.st_mode)) {
        return 0;
    }
    age_us = apr_time_now() - apr_time_from_sec(st.st_mtim.tv_sec);
    return age_us < FRESH_US;
}

/** Whether it is an httpd of this machine, though it may not be known which. */
static int is_here(const amgr_source_server_t *server)
{
    return server->is_local || (server->is_denied && server->is_named);
}

static apr_interval_time_t patience(const amgr_source_search_t *search,
                                    const amgr_source_server_t *server)
{
    apr_interval_time_t most_us = search->timeout_us;

    if (has_fresh_file(search, server)) {
        most_us = HURRIED_US;
    }
    else if ((search->wants & AMGR_WANT_MEMORY) && is_here(server)) {
        most_us = PATIENT_US;
    }
    return most_us < search->timeout_us ? most_us : search->timeout_us;
}

static int try_places(amgr_source_search_t *search,
                      const amgr_source_server_t *server,
                      const apr_array_header_t *places)
{
    amgr_source_pages_t pages;
    int found = 0;
    int i;

    pages.manager = server->manager_path;
    pages.status = server->status_path;
    pages.server = server;
    search->is_late = 0;
    for (i = 0; i < places->nelts && !found && !search->is_late; i++) {
        const amgr_source_place_t *place =
            &APR_ARRAY_IDX(places, i, amgr_source_place_t);

        pages.origin = place->origin;
        pages.tls = place->tls;
        search->whence = place->file;
        found = amgr_source_search_pages(search, &pages);
    }
    search->whence = NULL;
    return found;
}

/** The last resort; of a server that does not run it would be a lie. */
static int try_data_file(amgr_source_search_t *search,
                         const amgr_source_server_t *server)
{
    const amgr_fault_t *fault;

    if (server->data_file == NULL || search->wants & AMGR_WANT_NOW) {
        return 0;
    }
    if (!server->is_listened) {
        fault = amgr_fault_make(
            search->pool, AMGR_EXIT_FAILED,
            "data file %s: not read, since its server does not run",
            amgr_fault_quote(search->pool, server->data_file));
    }
    else {
        fault =
            amgr_source_data_file(server->data_file, search->out, search->pool);
    }
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
    }
    return fault == NULL;
}

/** Who serves and does not answer has processes all the same. */
static int try_processes(amgr_source_search_t *search,
                         const amgr_source_server_t *server)
{
    const amgr_local_server_t *local;
    const amgr_fault_t *fault;

    if (!search->is_late || !(search->wants & AMGR_WANT_MEMORY) ||
        !is_here(server)) {
        return 0;
    }
    local = amgr_source_search_guess(search, server);
    if (local == NULL) {
        return 0;
    }
    fault = amgr_source_processes(local, search->out, search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
    }
    return fault == NULL;
}

int amgr_source_search_server(amgr_source_search_t *search,
                              const amgr_source_server_t *server,
                              const apr_array_header_t *places)
{
    apr_interval_time_t whole_us = search->timeout_us;
    int tried = search->tried->nelts;
    int hurried;

    search->timeout_us = patience(search, server);
    hurried = search->timeout_us < whole_us;
    if (try_places(search, server, places) || try_data_file(search, server) ||
        try_processes(search, server)) {
        return 1;
    }
    search->timeout_us = whole_us;
    if (!hurried || !search->is_late) {
        return 0;
    }
    /* There was nothing else after all. */
    search->tried->nelts = tried;
    return try_places(search, server, places) || try_data_file(search, server);
}

int amgr_source_search_tick(amgr_source_search_t *search)
{
    apr_time_t until_us =
        amgr_clock_monotonic_us() + search->timeout_us + LATE_US;
    int is_told = 0;

    /* Groups alone /proc tells at once. */
    if (search->unread == NULL || search->wants == 0) {
        return 0;
    }
    while (amgr_source_board_is_new(search->unread, search->pool)) {
        if (amgr_clock_monotonic_us() > until_us) {
            search->is_late = 1;
            return 0;
        }
        if (!is_told) {
            is_told = 1;
            amgr_message(AMGR_LEVEL_INFO,
                         "the server has just been started: its first tick is "
                         "waited for");
        }
        apr_sleep(LOOK_US);
    }
    return amgr_source_board(search->unread, search->wants, search->out,
                             search->pool) == NULL;
}
