/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's ring of records.  A record's place follows from its serial, so
 * a place that holds another serial than it should is simply not there.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

static int place_of(apr_uint64_t serial)
{
    return (int)((serial - 1) % AMGR_RECORDS_MAX);
}

static void mend(amgr_record_t *record)
{
    record->group[sizeof(record->group) - 1] = '\0';
    record->request[sizeof(record->request) - 1] = '\0';
    record->vhost[sizeof(record->vhost) - 1] = '\0';
}

void amgr_board_write_record(amgr_board_t *board, amgr_record_t *record)
{
    amgr_board_records_t *ring = amgr_board_at_rw(board, board->at.records);

    if (record->serial == 0) {
        record->serial = ring->last_serial + 1;
    }
    else if (ring->records[place_of(record->serial)].serial != record->serial) {
        return;
    }
    amgr_seq_begin_write(&ring->seq);
    ring->records[place_of(record->serial)] = *record;
    if (record->serial > ring->last_serial) {
        ring->last_serial = record->serial;
    }
    amgr_seq_end_write(&ring->seq);
}

/* Copy the newest records; how many there were. */
static int copy_records(const amgr_board_records_t *ring, amgr_record_t *out,
                        int max)
{
    apr_uint64_t serial = ring->last_serial;
    int count = 0;
    int i;

    for (i = 0; i < AMGR_RECORDS_MAX && count < max && serial > 0;
         i++, serial--) {
        out[count] = ring->records[place_of(serial)];
        if (out[count].serial == serial) {
            mend(&out[count++]);
        }
    }
    return count;
}

apr_status_t amgr_board_read_records(const amgr_board_t *board,
                                     amgr_record_t *out, int max,
                                     int *out_count)
{
    const amgr_board_records_t *ring = amgr_board_at(board, board->at.records);
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES; i++) {
        seq = amgr_seq_begin_read(&ring->seq);
        if (seq % 2 != 0) {
            continue;
        }
        *out_count = copy_records(ring, out, max);
        if (amgr_seq_is_stable(&ring->seq, seq)) {
            return APR_SUCCESS;
        }
    }
    *out_count = 0;
    return APR_EAGAIN;
}

void amgr_board_carry_records(amgr_board_t *board, const amgr_board_t *old)
{
    amgr_board_records_t *ring = amgr_board_at_rw(board, board->at.records);
    const amgr_board_records_t *from = amgr_board_at(old, old->at.records);
    apr_uint64_t serial = from->last_serial;
    int i;

    /* Whether its writer died in the middle does not matter: at worst one
     * record is not quite right. */
    amgr_seq_begin_write(&ring->seq);
    memset(ring->records, 0, sizeof(ring->records));
    ring->last_serial = serial;
    for (i = 0; i < AMGR_RECORDS_MAX && serial > 0; i++, serial--) {
        amgr_record_t *record = &ring->records[place_of(serial)];

        *record = from->records[place_of(serial)];
        if (record->serial != serial) {
            memset(record, 0, sizeof(*record));
            continue;
        }
        mend(record);
    }
    amgr_seq_end_write(&ring->seq);
}
