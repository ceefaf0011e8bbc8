/* SPDX-License-Identifier: Apache-2.0
 *
 * Any words as ManagerMaxTime, and any memory as the mailbox, in which children
 * note which limit a request obeys.  Checked besides memory: a note that was
 * made reads back, one that was not is still a choice among the limits that
 * there are, and no place outside the mailbox is read.
 */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>

#include "httpd/mailbox.h"
#include "policy/budget.h"

#define ROWS 4
#define COLUMNS 3
#define STREAMS 5
#define SELF 77

int __wrap_kill(pid_t pid, int sig);

/* Whether a process is there; half of them are. */
int __wrap_kill(pid_t pid, int sig)
{
    check(sig == 0 && pid > 0);
    errno = ESRCH;
    return pid % 2 == 0 ? 0 : -1;
}

static void check_parse(fuzz_t *in, amgr_budgets_t *table)
{
    char words[4][16];
    char *argv[4];
    amgr_budget_t budget = {-5, -5, 0};
    const char *where = NULL;
    const char *wrong;
    int argc = fuzz_below(in, 5);
    int i;

    for (i = 0; i < argc; i++) {
        fuzz_bytes(in, words[i], sizeof(words[i]) - 1);
        words[i][sizeof(words[i]) - 1] = '\0';
        argv[i] = words[i];
    }
    wrong = amgr_budget_parse(argc, argv, &budget, &where);
    check(where != NULL);
    if (wrong != NULL) {
        check(budget.max_time_us == -5 && budget.counts == -5);
        return;
    }
    check(budget.max_time_us > 0 && budget.counts >= 0 && budget.counts < 8);
    check(budget.max_time_us != AMGR_LIMIT_OFF || budget.counts == 0);
    i = amgr_budgets_add(table, &budget);
    check(i > 0 && i == amgr_budgets_add(table, &budget));
}

/* Of a limit that there is, or the server's own. */
static void check_timing(const amgr_budgets_t *table, apr_uint64_t note)
{
    const amgr_budget_t own = {12345, 0, 0};
    amgr_timing_t timing;
    int found = 0;
    int i;

    amgr_budget_read(table, &own, note, &timing);
    for (i = 0; i < table->count; i++) {
        found |= table->all[i].max_time_us == timing.max_time_us;
    }
    check(found || timing.max_time_us == own.max_time_us);
    check(!timing.paused || !timing.endless);
}

static void check_note(fuzz_t *in, const amgr_budgets_t *table)
{
    apr_time_t start_us = (apr_time_t)(fuzz_bits(in, 7));
    apr_time_t near_us =
        start_us + ((apr_time_t)fuzz_bits(in, 4) - (APR_INT64_C(1) << 31));
    int index = fuzz_below(in, 2) * table->count;
    int phase = fuzz_below(in, AMGR_PHASE_COUNT);
    apr_uint64_t note = amgr_budget_note(start_us, index, phase,
                                         (apr_uint32_t)fuzz_bits(in, 2));

    check(amgr_budget_is_about(note, start_us));
    check(!amgr_budget_is_about(note, start_us + 1));
    check(amgr_budget_note_start(note, near_us) == start_us);
    check_timing(table, note);
}

static void check_mailbox(fuzz_t *in, const amgr_budgets_t *table)
{
    static amgr_mailbox_t box;
    amgr_mailbox_stream_t *stream;
    apr_size_t size = (ROWS + ROWS * COLUMNS) * 64 + ROWS * STREAMS * 16;
    int row;
    int i;

    if (box.cells == NULL) {
        check(amgr_mailbox_create(&box, ROWS, COLUMNS, STREAMS) == APR_SUCCESS);
    }
    fuzz_bytes(in, box.cells, size);
    for (row = -1; row <= ROWS; row++) {
        int fault = amgr_mailbox_ask_fault(&box, row, SELF);
        int places = amgr_mailbox_streams(&box, row);

        check(fault >= 0 && fault < AMGR_ASK_FAULT_COUNT);
        check(places >= 0 && places <= STREAMS);
        (void)amgr_mailbox_is_stopping(&box, row, SELF); /* memory alone */
        (void)amgr_mailbox_is_wished(&box, row, SELF);
        for (i = -1; i <= COLUMNS; i++) {
            check_timing(table, amgr_mailbox_read_slot(&box, row, i));
        }
        for (i = 0; i < places; i++) {
            int column = 0;

            check_timing(table,
                         amgr_mailbox_read_stream(&box, row, i, SELF, &column));
        }
        stream = amgr_mailbox_claim(&box, row, 1, SELF);
        if (stream != NULL) {
            check(row >= 0 && row < ROWS);
            amgr_mailbox_write(amgr_mailbox_stream_note(stream), 1);
            amgr_mailbox_release(stream);
        }
    }
    (void)amgr_mailbox_untimed(&box); /* memory alone */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static amgr_budgets_t table;
    fuzz_t in = {data, data + size};
    int i;

    memset(&table, 0, sizeof(table));
    for (i = 0; i < 3; i++) {
        check_parse(&in, &table);
        check_note(&in, &table);
    }
    check_mailbox(&in, &table);
    return 0;
}
