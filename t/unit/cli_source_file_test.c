/* SPDX-License-Identifier: Apache-2.0
 *
 * The data file as a source: what the module and the original write is read
 * back, and whatever else may stand at its place is refused.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#include "cli/source/source_parts.h"

#define SERVER          \
    "busy-workers\t1\n" \
    "idle-workers\t3\n" \
    "uptime\t35\n"

static const char whole[] =
    "# Global Apache server metrics.\n"
    "busy-workers\t1\n"
    "bytes-per-request\t1024.0\n"
    "bytes-per-second\t204.8\n"
    "cpu-load\t0.228571\n"
    "idle-workers\t3\n"
    "requests-per-second\t1e-05\n"
    "total-accesses\t7\n"
    "total-traffic\t7168\n"
    "uptime\t35\n"
    "\n"
    "# Metrics internal to apache-manager.\n"
    "foreign-worker-count\t3\n"
    "native-worker-count\t4\n"
    "status-response\t1\n"
    "workers-hanging\t2\n"
    "workers-killed-active\t5\n"
    "workers-killed-idle\t6\n"
    "\n"
    "# Memory usage of native Apache worker processes.\n"
    "memory-usage\tnative\tcount\t4\n"
    "memory-usage\tnative\tmin\t11907072\n"
    "memory-usage\tnative\tmax\t12050432\n"
    "memory-usage\tnative\taverage\t11980800.0\n"
    "memory-usage\tnative\tmedian\t11982848.5\n"
    "\n"
    "# Memory usage of 'a b' WSGI worker processes.\n"
    "memory-usage\ta b\tcount\t1\n"
    "memory-usage\ta b\tmin\t10\n"
    "memory-usage\ta b\tmax\t10\n"
    "memory-usage\ta b\taverage\t10.0\n"
    "memory-usage\ta b\tmedian\t10\n";

typedef struct fixture_t {
    char dir[SCRATCH_SIZE];
    char path[SCRATCH_SIZE + 16];
    apr_pool_t *pool;
} fixture_t;

static int setup(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof(*fixture));
    int fd;

    assert_int_equal(scratch_make(fixture->dir, 0700), 0);
    snprintf(fixture->path, sizeof(fixture->path), "%s/data", fixture->dir);
    fd = open(fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(apr_initialize(), APR_SUCCESS);
    apr_pool_create(&fixture->pool, NULL);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;

    apr_pool_destroy(fixture->pool);
    apr_terminate();
    unlink(fixture->path);
    rmdir(fixture->path);
    rmdir(fixture->dir);
    test_free(fixture);
    return 0;
}

static void put(const fixture_t *fixture, const char *text, size_t len)
{
    FILE *file = fopen(fixture->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static const amgr_fault_t *read_text(const fixture_t *fixture, const char *text,
                                     amgr_source_t *out)
{
    put(fixture, text, strlen(text));
    return amgr_source_data_file(fixture->path, out, fixture->pool);
}

static void a_whole_one_is_read(void **state)
{
    const fixture_t *fixture = *state;
    const amgr_server_t *server;
    const amgr_snapshot_t *snapshot;
    amgr_source_t source;

    assert_null(read_text(fixture, whole, &source));
    assert_int_equal(source.kind, AMGR_SOURCE_DATA_FILE);
    assert_string_equal(source.name, fixture->path);
    assert_int_equal(source.parent.pid, 0);
    assert_null(source.control_socket);
    snapshot = source.view.snapshot;
    server = &snapshot->server;
    assert_int_equal(server->busy_workers, 1);
    assert_int_equal(server->idle_workers, 3);
    assert_true(server->bytes_per_request == 1024.0);
    assert_true(server->bytes_per_second == 204.8);
    assert_true(server->cpu_load == 0.228571);
    assert_true(server->requests_per_second == 1e-05);
    assert_int_equal(server->total_accesses, 7);
    assert_int_equal(server->total_bytes, 7168);
    assert_int_equal(server->uptime_us, 35 * APR_USEC_PER_SEC);
    assert_true(server->extended);
    assert_true(snapshot->incomplete);
    assert_int_equal(snapshot->hanging, 2);
    assert_int_equal(snapshot->process_count, 0);
    assert_int_equal(source.view.counters->killed_active, 5);
    assert_int_equal(source.view.counters->killed_idle, 6);
    assert_int_equal(snapshot->group_count, 2);
    assert_string_equal(snapshot->groups[0].name, "native");
    assert_int_equal(snapshot->groups[0].role, AMGR_ROLE_WORKER);
    assert_int_equal(snapshot->groups[0].rss.count, 4);
    assert_int_equal(snapshot->groups[0].rss.known, 4);
    assert_int_equal(snapshot->groups[0].rss.min, 11907072);
    assert_int_equal(snapshot->groups[0].rss.max, 12050432);
    assert_true(snapshot->groups[0].rss.average == 11980800.0);
    assert_true(snapshot->groups[0].rss.median == 11982848.5);
    assert_int_equal(snapshot->groups[0].rss.sum, 4 * 11980800);
    assert_string_equal(snapshot->groups[1].name, "a b");
    assert_int_equal(snapshot->groups[1].role, AMGR_ROLE_WSGI);
    assert_int_equal(snapshot->groups[1].rss.count, 1);
}

static void its_age_is_told(void **state)
{
    const fixture_t *fixture = *state;
    struct timeval times[2];
    amgr_source_t source;

    assert_null(read_text(fixture, SERVER, &source));
    assert_in_range(source.age_us, 0, 60 * APR_USEC_PER_SEC);
    gettimeofday(&times[0], NULL);
    times[0].tv_sec -= 3600;
    times[1] = times[0];
    assert_int_equal(utimes(fixture->path, times), 0);
    assert_null(amgr_source_data_file(fixture->path, &source, fixture->pool));
    assert_in_range(source.age_us, 3599 * APR_USEC_PER_SEC,
                    3660 * APR_USEC_PER_SEC);
    /* From the future: the clock was set. */
    times[0].tv_sec += 7200;
    times[1] = times[0];
    assert_int_equal(utimes(fixture->path, times), 0);
    assert_null(amgr_source_data_file(fixture->path, &source, fixture->pool));
    assert_int_equal(source.age_us, 0);
}

static void what_is_not_told_is_not_known(void **state)
{
    const fixture_t *fixture = *state;
    amgr_source_t source;

    assert_null(read_text(fixture, SERVER "news\tof\tlater\tversions\tcome\n",
                          &source));
    assert_int_equal(source.view.snapshot->hanging, -1);
    assert_int_equal(source.view.snapshot->group_count, 1);
    assert_int_equal(source.view.snapshot->groups[0].rss.known, 0);
    assert_true(source.view.snapshot->server.cpu_load < 0);
}

static void nonsense_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "hello\n",
        "# Global Apache server metrics.\n",
        "busy-workers\t1", /* cut short */
        SERVER "cpu-load\n",
        SERVER "cpu-load\t\n",
        SERVER "cpu-load\t1\t2\n",
        SERVER "cpu-load\t1,5\n",
        SERVER "cpu-load\t-1\n",
        SERVER "cpu-load\t+1\n",
        SERVER "cpu-load\t 1\n",
        SERVER "cpu-load\t1 \n",
        SERVER "cpu-load\t0x10\n",
        SERVER "cpu-load\tnan\n",
        SERVER "cpu-load\tinf\n",
        SERVER "cpu-load\t1e999\n",
        SERVER "cpu-load\t1e\n",
        SERVER "cpu-load\t1.2.3\n",
        SERVER "uptime\tNone\n",
        SERVER "total-traffic\t99999999999999999999999\n",
        SERVER "memory-usage\n",
        SERVER "memory-usage\tnative\tcount\n",
        SERVER "memory-usage\tnative\tcount\tmany\n",
        SERVER "memory-usage\tnative\tcount\t1\t2\n",
    };
    const fixture_t *fixture = *state;
    amgr_source_t source;
    size_t i;

    for (i = 0; i < AMGR_COUNT(texts); i++) {
        const amgr_fault_t *fault = read_text(fixture, texts[i], &source);

        if (fault == NULL) {
            fail_msg("'%s' was read", texts[i]);
            return;
        }
        assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
        assert_non_null(strstr(fault->text, fixture->path));
    }
    put(fixture, SERVER "\0", sizeof(SERVER));
    assert_non_null(
        amgr_source_data_file(fixture->path, &source, fixture->pool));
}

/* Every beginning of a file is refused or read, and nothing else happens. */
static void any_beginning_is_survived(void **state)
{
    const fixture_t *fixture = *state;
    amgr_source_t source;
    size_t len;

    for (len = 0; len < sizeof(whole); len++) {
        const amgr_fault_t *fault;

        put(fixture, whole, len);
        fault = amgr_source_data_file(fixture->path, &source, fixture->pool);
        if (len > 0 && whole[len - 1] != '\n') {
            assert_non_null(fault);
        }
    }
}

static void numbers_have_bounds(void **state)
{
    const fixture_t *fixture = *state;
    amgr_source_t source;
    char text[8192] = SERVER;
    char name[16];
    int i;

    assert_null(read_text(fixture,
                          "busy-workers\t9999999999\nuptime\t1e18\n"
                          "total-traffic\t9999999999999999999\n"
                          "memory-usage\tnative\taverage\t1e18\n"
                          "memory-usage\tnative\tcount\t1e18\n",
                          &source));
    assert_int_equal(source.view.snapshot->server.busy_workers, APR_INT32_MAX);
    assert_true(source.view.snapshot->server.uptime_us > 0);
    /* More groups than are told apart. */
    for (i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "%d", i);
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "memory-usage\tgroup-%s\tcount\t1\n", name);
    }
    assert_null(read_text(fixture, text, &source));
    assert_in_range(source.view.snapshot->group_count, 2, AMGR_GROUPS_MAX);
}

static void only_a_file_is_read(void **state)
{
    const fixture_t *fixture = *state;
    const amgr_fault_t *fault;
    amgr_source_t source;

    assert_int_equal(truncate(fixture->path, 2 * 1024 * 1024), 0);
    fault = amgr_source_data_file(fixture->path, &source, fixture->pool);
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "too large"));
    unlink(fixture->path);
    fault = amgr_source_data_file(fixture->path, &source, fixture->pool);
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "none"));
    /* Without a writer opening it would wait. */
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    fault = amgr_source_data_file(fixture->path, &source, fixture->pool);
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "not a regular file"));
    unlink(fixture->path);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    fault = amgr_source_data_file(fixture->path, &source, fixture->pool);
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "not a regular file"));
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_whole_one_is_read),
        WITH_FILE(its_age_is_told),
        WITH_FILE(what_is_not_told_is_not_known),
        WITH_FILE(nonsense_is_refused),
        WITH_FILE(any_beginning_is_survived),
        WITH_FILE(numbers_have_bounds),
        WITH_FILE(only_a_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
