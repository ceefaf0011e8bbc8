/* SPDX-License-Identifier: Apache-2.0
 *
 * What the board says of the server beside its ticks: as it was written,
 * bounded when it was damaged, and apart from the configuration.
 */
#include "invented_board.h"

static amgr_board_about_t *region_about(fixture_t *fixture)
{
    amgr_board_config_region_t *region =
        amgr_board_at_rw(fixture->board, fixture->board->at.config);

    return &region->about;
}

static void what_is_written_is_read(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_config_t config;
    amgr_board_about_t about;
    amgr_board_about_t read;

    assert_int_equal(amgr_board_read_about(fixture->board, &read),
                     APR_NOTFOUND);
    memset(&about, 0, sizeof(about));
    about.started_us = 5;
    about.listen_count = 40; /* more than are told of */
    strcpy(about.listens[31].address, "192.0.2.1");
    about.listens[31].port = 443;
    about.listens[31].tls = 1;
    strcpy(about.control_socket, "/run/apache2/socket");
    amgr_board_write_about(fixture->board, &about);
    assert_int_equal(amgr_board_read_about(fixture->board, &read), APR_SUCCESS);
    assert_memory_equal(&read, &about, sizeof(read));
    /* One is there, the other is not. */
    assert_int_equal(amgr_board_read_config(fixture->board, &config),
                     APR_NOTFOUND);
    memset(&config, 0, sizeof(config));
    amgr_board_write_config(fixture->board, &config);
    assert_int_equal(amgr_board_read_about(fixture->board, &read), APR_SUCCESS);
    assert_int_equal(read.started_us, 5);
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
}

static void damage_is_bounded(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_about_t about;
    amgr_board_about_t read;
    int i;

    memset(&about, 0, sizeof(about));
    amgr_board_write_about(fixture->board, &about);
    memset(region_about(fixture), 0xff, sizeof(about));
    assert_int_equal(amgr_board_read_about(fixture->board, &read), APR_SUCCESS);
    assert_int_equal(read.listen_count, 0);
    for (i = 0; i < AMGR_BOARD_LISTENS_MAX; i++) {
        assert_int_equal(strnlen(read.listens[i].address, 48), 47);
    }
    assert_int_equal(strnlen(read.description, 128), 127);
    assert_int_equal(strnlen(read.built, 32), 31);
    assert_int_equal(strnlen(read.kill_commands[AMGR_COMMAND_AFTER], 256), 255);
    assert_int_equal(strnlen(read.data_file, 1024), 1023);
    assert_int_equal(strnlen(read.control_socket, 108), 107);
}

static void a_dead_writer_is_given_up(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_config_region_t *region =
        amgr_board_at_rw(fixture->board, fixture->board->at.config);
    amgr_board_about_t about;

    region->about_seq = 3;
    assert_int_equal(amgr_board_read_about(fixture->board, &about), APR_EAGAIN);
    memset(&about, 0, sizeof(about));
    about.syslog = 1;
    amgr_board_write_about(fixture->board, &about);
    memset(&about, 0, sizeof(about));
    assert_int_equal(amgr_board_read_about(fixture->board, &about),
                     APR_SUCCESS);
    assert_int_equal(about.syslog, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(what_is_written_is_read),
        WITH_BOARD(damage_is_bounded),
        WITH_BOARD(a_dead_writer_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
