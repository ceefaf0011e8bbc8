/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's region of managed processes.  Its writer is the supervisor,
 * which may be killed at any moment: what it leaves behind half written is
 * still told, made safe, and its heartbeat says that it is old.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

/* A writer that does not come to an end within a few of these has died or
 * waits for a processor: looking on would not bring it back. */
#define TRIES 4

/* How many rows to copy, whatever a count says. */
static apr_size_t rows_of(const amgr_managed_table_t *table)
{
    int count = __atomic_load_n(&table->count, __ATOMIC_RELAXED);

    if (count < 0) {
        return 0;
    }
    return (apr_size_t)(count < AMGR_MANAGED_MAX ? count : AMGR_MANAGED_MAX);
}

static void copy_table(amgr_managed_table_t *to,
                       const amgr_managed_table_t *from)
{
    apr_size_t rows = rows_of(from);

    memcpy(to, from, offsetof(amgr_managed_table_t, processes));
    memcpy(to->processes, from->processes, rows * sizeof(amgr_managed_t));
    /* It may have been written to meanwhile. */
    to->count = (apr_int32_t)rows;
}

/* The revision comes before the end: whoever can read the new table must not
 * take it for the old one, and who sees the new revision too early finds the
 * table being written. */
static void end_write(amgr_board_managed_t *region)
{
    __atomic_store_n(&region->revision, region->table.revision,
                     __ATOMIC_RELEASE);
    amgr_seq_end_write(&region->seq);
}

void amgr_board_write_managed(amgr_board_t *board,
                              const amgr_managed_table_t *table)
{
    amgr_board_managed_t *region = amgr_board_at_rw(board, board->managed_at);

    amgr_seq_begin_write(&region->seq);
    copy_table(&region->table, table);
    end_write(region);
}

apr_status_t amgr_board_read_managed(const amgr_board_t *board,
                                     amgr_managed_table_t *out)
{
    const amgr_board_managed_t *region =
        amgr_board_at(board, board->managed_at);
    apr_status_t rv = APR_EAGAIN;
    apr_uint64_t seq;
    int i;

    for (i = 0; i < TRIES && rv != APR_SUCCESS; i++) {
        seq = amgr_seq_begin_read(&region->seq);
        if (seq == 0) {
            return APR_NOTFOUND;
        }
        copy_table(out, &region->table);
        if (amgr_seq_is_stable(&region->seq, seq)) {
            rv = APR_SUCCESS;
        }
    }
    amgr_managed_mend(out);
    return rv;
}

int amgr_board_count_managed(const amgr_board_t *board)
{
    const amgr_board_managed_t *region =
        amgr_board_at(board, board->managed_at);

    return (int)rows_of(&region->table);
}

apr_uint64_t amgr_board_managed_revision(const amgr_board_t *board)
{
    const amgr_board_managed_t *region =
        amgr_board_at(board, board->managed_at);

    return __atomic_load_n(&region->revision, __ATOMIC_ACQUIRE);
}

void amgr_board_carry_managed(amgr_board_t *board, const amgr_board_t *old)
{
    amgr_board_managed_t *region = amgr_board_at_rw(board, board->managed_at);
    const amgr_board_managed_t *from = amgr_board_at(old, old->managed_at);

    if (from->seq == 0) {
        return;
    }
    amgr_seq_begin_write(&region->seq);
    copy_table(&region->table, &from->table);
    amgr_managed_mend(&region->table);
    end_write(region);
}
