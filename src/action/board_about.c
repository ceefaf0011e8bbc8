/* SPDX-License-Identifier: Apache-2.0
 *
 * What the board says of the server and its configuration.  Beside the
 * configuration that pages read, and apart from it: whoever ticks writes that
 * again when it finds out about its rights, and the parent alone writes this.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

/* The text in an array of its own size ends. */
#define END(text) ((text)[sizeof(text) - 1] = '\0')

void amgr_board_write_about(amgr_board_t *board,
                            const amgr_board_about_t *about)
{
    amgr_board_config_region_t *region =
        amgr_board_at_rw(board, board->at.config);

    amgr_seq_begin_write(&region->about_seq);
    region->about = *about;
    amgr_seq_end_write(&region->about_seq);
}

static void mend(amgr_board_about_t *about)
{
    int i;

    if (about->listen_count < 0) {
        about->listen_count = 0;
    }
    for (i = 0; i < AMGR_BOARD_LISTENS_MAX; i++) {
        END(about->listens[i].address);
    }
    for (i = 0; i < AMGR_COMMAND_EVENT_COUNT; i++) {
        END(about->kill_commands[i]);
    }
    END(about->description);
    END(about->built);
    END(about->data_file);
    END(about->control_socket);
}

apr_status_t amgr_board_read_about(const amgr_board_t *board,
                                   amgr_board_about_t *out)
{
    const amgr_board_config_region_t *region =
        amgr_board_at(board, board->at.config);
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES; i++) {
        seq = amgr_seq_begin_read(&region->about_seq);
        if (seq == 0) {
            return APR_NOTFOUND;
        }
        *out = region->about;
        if (amgr_seq_is_stable(&region->about_seq, seq)) {
            mend(out);
            return APR_SUCCESS;
        }
    }
    return APR_EAGAIN;
}
