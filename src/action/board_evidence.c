/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's ring of evidences, each under the serial of its record.  Not
 * every record has one, so a place keeps its evidence until a later one falls
 * on it, and the order is found by looking at all of them.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

static int place_of(apr_uint64_t serial)
{
    return (int)((serial - 1) % AMGR_EVIDENCES_MAX);
}

/* A serial stands where it belongs, or there is nothing. */
static int is_filled(const amgr_board_evidences_t *ring, int place)
{
    apr_uint64_t serial = ring->evidences[place].serial;

    return serial != 0 && place_of(serial) == place;
}

void amgr_board_write_evidence(amgr_board_t *board,
                               const amgr_evidence_t *evidence)
{
    amgr_board_evidences_t *ring = amgr_board_at_rw(board, board->at.evidences);
    int place;

    if (evidence->serial == 0) {
        return;
    }
    place = place_of(evidence->serial);
    if (is_filled(ring, place) &&
        ring->evidences[place].serial > evidence->serial) {
        return;
    }
    amgr_seq_begin_write(&ring->seq);
    ring->evidences[place] = *evidence;
    amgr_seq_end_write(&ring->seq);
}

int amgr_board_count_evidences(const amgr_board_t *board)
{
    const amgr_board_evidences_t *ring =
        amgr_board_at(board, board->at.evidences);
    int count = 0;
    int i;

    for (i = 0; i < AMGR_EVIDENCES_MAX; i++) {
        count += is_filled(ring, i);
    }
    return count;
}

/* The newest that is older than @a before, or -1; serials may change under
 * the reader, who then throws everything away. */
static int newest_before(const amgr_board_evidences_t *ring,
                         apr_uint64_t before)
{
    apr_uint64_t newest = 0;
    int found = -1;
    int i;

    for (i = 0; i < AMGR_EVIDENCES_MAX; i++) {
        apr_uint64_t serial = ring->evidences[i].serial;

        if (serial < before && serial > newest && is_filled(ring, i)) {
            newest = serial;
            found = i;
        }
    }
    return found;
}

static int copy_evidences(const amgr_board_evidences_t *ring,
                          amgr_evidence_t *out, int max)
{
    apr_uint64_t before = APR_UINT64_MAX;
    int count;
    int place;

    for (count = 0; count < max; count++) {
        place = newest_before(ring, before);
        if (place < 0) {
            break;
        }
        out[count] = ring->evidences[place];
        amgr_evidence_mend(&out[count]);
        before = out[count].serial;
    }
    return count;
}

apr_status_t amgr_board_read_evidences(const amgr_board_t *board,
                                       amgr_evidence_t *out, int max,
                                       int *out_count)
{
    const amgr_board_evidences_t *ring =
        amgr_board_at(board, board->at.evidences);
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES; i++) {
        seq = amgr_seq_begin_read(&ring->seq);
        if (seq % 2 != 0) {
            continue;
        }
        *out_count = copy_evidences(ring, out, max);
        if (amgr_seq_is_stable(&ring->seq, seq)) {
            return APR_SUCCESS;
        }
    }
    *out_count = 0;
    return APR_EAGAIN;
}

void amgr_board_carry_evidences(amgr_board_t *board, const amgr_board_t *old)
{
    amgr_board_evidences_t *ring = amgr_board_at_rw(board, board->at.evidences);
    const amgr_board_evidences_t *from = amgr_board_at(old, old->at.evidences);
    int i;

    /* As with records: one that was being written may be not quite right. */
    amgr_seq_begin_write(&ring->seq);
    memset(ring->evidences, 0, sizeof(ring->evidences));
    for (i = 0; i < AMGR_EVIDENCES_MAX; i++) {
        if (is_filled(from, i)) {
            ring->evidences[i] = from->evidences[i];
            amgr_evidence_mend(&ring->evidences[i]);
        }
    }
    amgr_seq_end_write(&ring->seq);
}
