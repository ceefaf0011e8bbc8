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
#include "proc/proc_read.h"

/** What httpd says to plain HTTP where it speaks TLS. */
#define BAD_REQUEST 400

void amgr_source_search_note(amgr_source_search_t *search,
                             const amgr_fault_t *fault)
{
    const char *text = fault->text;

    if (search->whence != NULL) {
        text = apr_psprintf(search->pool, "%s (Listen of %s)", text,
                            amgr_fault_quote(search->pool, search->whence));
        search->whence = NULL;
    }
    APR_ARRAY_PUSH(search->tried, const char *) = text;
    amgr_message(AMGR_LEVEL_VERBOSE, "%s", text);
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

    search->is_asked = 1;
    fault = amgr_fetch(url, search->timeout_us, answer, &late, search->pool);
    if (fault != NULL) {
        search->is_late |= late;
        return fault;
    }
    search->is_answered = 1;
    return amgr_fetch_refusal(answer, url, search->pool);
}

/** Whether a page is of this httpd, and not of one behind it, as a proxy passes
 * it on, or told from within a pid namespace: it names the parent (-X) or
 * children of it, whoever has served it for one, and nobody else's processes.
 * Some may have ended since its tick. */
static int is_of(const amgr_snapshot_t *snapshot, pid_t parent)
{
    amgr_proc_dir_t proc;
    amgr_proc_stat_t stat;
    int strangers = 0;
    int own = 0;
    int i;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        pid_t pid = snapshot->processes[i].id.pid;

        if (pid == parent) {
            own++;
        }
        else if (amgr_proc_read_stat(&proc, pid, &stat) == APR_SUCCESS) {
            own += stat.ppid == parent;
            strangers += stat.ppid != parent;
        }
    }
    amgr_proc_dir_close(&proc);
    return strangers == 0 && own > 0;
}

/** Whose page it is: what it tells is whole in any case, but of another's
 * nothing follows for this one. */
static void set_parent(amgr_source_t *source, const amgr_local_server_t *local)
{
    /* Those whose parent has ended are nobody's children. */
    if (local->is_orphan || is_of(source->view.snapshot, local->parent.pid)) {
        source->parent = local->parent;
        return;
    }
    amgr_message(AMGR_LEVEL_INFO,
                 "%s names other processes than httpd %ld has (another "
                 "server's page, or of another pid namespace): of that it "
                 "tells nothing",
                 source->name, (long)local->parent.pid);
}

/** *out_status is of HTTP; 0: nobody answered at all. */
static const amgr_fault_t *read_json(amgr_source_search_t *search,
                                     const amgr_source_pages_t *pages,
                                     int *out_status)
{
    const char *url = apr_pstrcat(search->pool, pages->origin, pages->manager,
                                  "/status.json", NULL);
    const amgr_fault_t *fault;
    amgr_answer_t answer;

    answer.status = 0;
    fault = ask(search, url, &answer);
    *out_status = answer.status;
    if (fault != NULL) {
        return fault;
    }
    fault = amgr_source_json(answer.body, answer.length,
                             amgr_fetch_shown(url, search->pool), search->out,
                             search->pool);
    if (fault == NULL && pages->server->is_local) {
        set_parent(search->out, &pages->server->local);
    }
    return fault;
}

const amgr_local_server_t *
amgr_source_search_guess(amgr_source_search_t *search,
                         const amgr_source_server_t *server)
{
    const amgr_local_server_t *only;

    if (server->is_local || !server->is_denied) {
        return server->is_local ? &server->local : NULL;
    }
    only = amgr_local_only_server(search->pool);
    search->is_guessed |= only != NULL;
    if (only != NULL && only->is_orphan) {
        amgr_source_search_orphaned(search);
    }
    return only;
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
        amgr_source_search_guess(search, pages->server), search->out,
        search->pool);
    return fault;
}

/* NOLINTNEXTLINE(misc-no-recursion): once, for it takes pages->tls away */
int amgr_source_search_pages(amgr_source_search_t *search,
                             const amgr_source_pages_t *pages)
{
    amgr_source_pages_t again = *pages;
    const amgr_fault_t *fault;
    int status;

    fault = read_json(search, pages, &status);
    if (fault == NULL) {
        return 1;
    }
    amgr_source_search_note(search, fault);
    if (status == BAD_REQUEST && pages->tls != NULL) {
        again.origin = pages->tls;
        again.tls = NULL;
        return amgr_source_search_pages(search, &again);
    }
    if (status == 0) {
        return 0;
    }
    fault = read_mod_status(search, pages);
    if (fault == NULL) {
        return 1;
    }
    amgr_source_search_note(search, fault);
    return 0;
}
