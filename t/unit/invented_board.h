/* SPDX-License-Identifier: Apache-2.0
 *
 * A board in shared memory with some storage to read it into, for the tests
 * of the board.
 */
#ifndef AMGR_INVENTED_BOARD_H
#define AMGR_INVENTED_BOARD_H

#include <sys/mman.h>

#include "invented.h"

#include "action/board_layout.h"

typedef struct fixture_t {
    amgr_board_t *board;
    apr_size_t size;
    world_t *out; /* storage to read into */
} fixture_t;

static const amgr_board_dims_t dims = {
    .process_max = 40, .slot_max = 400, .thread_limit = 10};
static const amgr_board_owner_t owner = {{77, 88}, "boot"};

static inline amgr_board_t *map_board(const amgr_board_dims_t *wanted,
                                      apr_size_t *size)
{
    void *memory;

    *size = amgr_board_size(wanted);
    memory = mmap(NULL, *size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return amgr_board_init(memory, wanted, &owner);
}

static inline int setup(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof(*fixture));

    fixture->board = map_board(&dims, &fixture->size);
    fixture->out = world_create(40, 10);
    *state = fixture;
    return 0;
}

static inline int teardown(void **state)
{
    fixture_t *fixture = *state;

    munmap(fixture->board, fixture->size);
    world_destroy(fixture->out);
    test_free(fixture);
    return 0;
}

#define WITH_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
