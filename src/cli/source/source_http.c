/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of a server as a source, see source_search.h.  Which of the two
 * pages there is, the server shows: what is no status.json may still be
 * mod_status's, which answers to any path below its own.
 */
#include "cli/source/source_search.h"

#include <apr_strings.h>

#include "cli/message.h"
#include "cli/source/fetch.h"

void amgr_source_search_note(amgr_source_search_t *search,
                             const amgr_fault_t *fault)
{
    APR_ARRAY_PUSH(search->tried, const char *) = fault->text;
    amgr_message(AMGR_LEVEL_VERBOSE, "%s", fault->text);
    if (search->exit_code != AMGR_EXIT_PERMISSION) {
        search->exit_code = fault->exit_code;
    }
}

/** A page, or why there is none. */
static const amgr_fault_t *ask(amgr_source_search_t *search, const char *url,
                               amgr_answer_t *answer)
{
    const amgr_fault_t *fault;
    int late = 0;

    fault = amgr_fetch(url, search->timeout_us, answer, &late, search->pool);
    if (fault != NULL) {
        search->late |= late;
        return fault;
    }
    return amgr_fetch_refusal(answer, url, search->pool);
}

/** *out_asked is zero when nobody answered at all. */
static const amgr_fault_t *read_json(amgr_source_search_t *search,
                                     const amgr_source_pages_t *pages,
                                     int *out_asked)
{
    const char *url = apr_pstrcat(search->pool, pages->origin, pages->manager,
                                  "/status.json", NULL);
    const amgr_fault_t *fault;
    amgr_answer_t answer;

    answer.status = 0;
    fault = ask(search, url, &answer);
    *out_asked = answer.status != 0;
    if (fault != NULL) {
        return fault;
    }
    fault = amgr_source_json(answer.body, answer.length,
                             amgr_fetch_shown(url, search->pool), search->out,
                             search->pool);
    if (fault == NULL && pages->local != NULL) {
        search->out->parent = pages->local->parent;
    }
    return fault;
}

/** Whose processes are shown beside the page: where this user may not know who
 * serves it, those of the only server there is. */
static const amgr_local_server_t *guess(const amgr_source_pages_t *pages,
                                        apr_pool_t *pool)
{
    const apr_array_header_t *servers;

    if (pages->local != NULL || !pages->is_denied) {
        return pages->local;
    }
    servers = amgr_local_servers(pool);
    return servers->nelts == 1 ? &APR_ARRAY_IDX(servers, 0, amgr_local_server_t)
                               : NULL;
}

static const amgr_fault_t *read_mod_status(amgr_source_search_t *search,
                                           const amgr_source_pages_t *pages)
{
    const char *url =
        apr_pstrcat(search->pool, pages->origin, pages->status, NULL);
    const amgr_fault_t *fault;
    amgr_answer_t text;
    amgr_answer_t table;

    fault = ask(search, apr_pstrcat(search->pool, url, "?auto", NULL), &text);
    if (fault != NULL) {
        return fault;
    }
    table.body = NULL;
    if (search->wants & (AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS)) {
        fault = ask(search, url, &table);
        if (fault != NULL) {
            return fault;
        }
    }
    fault = amgr_source_mod_status(
        text.body, table.body, amgr_fetch_shown(url, search->pool),
        guess(pages, search->pool), search->out, search->pool);
    if (fault == NULL) {
        /* Of a guess nobody is signalled. */
        search->out->parent.pid = 0;
        search->out->parent.start_ticks = 0;
        if (pages->local != NULL) {
            search->out->parent = pages->local->parent;
        }
    }
    return fault;
}

int amgr_source_search_pages(amgr_source_search_t *search,
                             const amgr_source_pages_t *pages)
{
    const amgr_fault_t *fault;
    int asked;

    fault = read_json(search, pages, &asked);
    if (fault == NULL) {
        return 1;
    }
    amgr_source_search_note(search, fault);
    if (!asked) {
        return 0;
    }
    fault = read_mod_status(search, pages);
    if (fault == NULL) {
        return 1;
    }
    amgr_source_search_note(search, fault);
    return 0;
}
