/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading fixture trees and the real /proc: whatever is missing, empty or
 * malformed has its one status, is counted, and leaves the output alone; a
 * descriptor kept beyond the end of its process says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_info.h"
#include "proc/proc_read.h"

static apr_uint64_t page;

static void open_fixture(amgr_proc_dir_t *dir, const char *name)
{
    const char *root = getenv("AMGR_SRCDIR");
    char path[4096];

    snprintf(path, sizeof(path), "%s/t/unit/fixtures/proc/%s",
             root == NULL ? "." : root, name);
    assert_int_equal(amgr_proc_dir_open(dir, path), APR_SUCCESS);
}

static void test_dir(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_stat_t stat;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&dir, "/nowhere"), APR_NOTFOUND);
    assert_int_equal(dir.fd, -1);
    assert_int_equal(amgr_proc_read_stat(&dir, 1, &stat), EBADF);
    assert_int_equal(dir.errors.other, 1);
    amgr_proc_dir_close(&dir);
    open_fixture(&dir, "apache");
    assert_true(fcntl(dir.fd, F_GETFD) & FD_CLOEXEC);
    amgr_proc_dir_close(&dir);
    amgr_proc_dir_close(&dir);
    assert_int_equal(dir.fd, -1);
}

static void test_good(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    amgr_proc_status_t status;
    amgr_proc_smaps_t smaps;
    amgr_proc_id_t id;
    apr_interval_time_t uptime;
    char buf[64];
    apr_size_t len;

    (void)state; /* cmocka's signature */
    open_fixture(&dir, "apache");
    assert_int_equal(amgr_proc_read_stat(&dir, 100, &stat), APR_SUCCESS);
    assert_string_equal(stat.comm, "apache2");
    assert_int_equal(stat.ppid, 1);
    assert_int_equal(amgr_proc_read_statm(&dir, 100, &statm), APR_SUCCESS);
    assert_int_equal(statm.rss_bytes, 3000 * page);
    assert_int_equal(amgr_proc_read_status(&dir, 101, &status), APR_SUCCESS);
    assert_int_equal(status.uid[0], 33);
    assert_int_equal(status.anon_bytes, 4000 * 1024);
    assert_int_equal(amgr_proc_read_smaps(&dir, 100, &smaps), APR_SUCCESS);
    assert_int_equal(smaps.uss_bytes, 4000 * 1024);
    assert_int_equal(amgr_proc_read_uptime(&dir, &uptime), APR_SUCCESS);
    assert_int_equal(uptime, APR_INT64_C(350735470000));
    assert_int_equal(amgr_proc_read_id(&dir, 100, &id), APR_SUCCESS);
    assert_int_equal(id.start_ticks, 5000);
    assert_int_equal(amgr_proc_read_raw(&dir, 100, "cmdline", buf, sizeof(buf),
                                        &len), APR_SUCCESS);
    assert_int_equal(len, 27);
    assert_string_equal(buf, "/usr/sbin/apache2");
    assert_int_equal(amgr_proc_read_link(&dir, 101, "exe", buf, sizeof(buf)),
                     APR_SUCCESS);
    assert_string_equal(buf, "/usr/sbin/apache2 (deleted)");
    assert_int_equal(dir.errors.vanished + dir.errors.denied +
                         dir.errors.malformed + dir.errors.other, 0);
    amgr_proc_dir_close(&dir);
}

typedef struct hostile_case_t {
    pid_t pid;
    apr_status_t stat;
    apr_status_t statm;
} hostile_case_t;

static void test_hostile(void **state)
{
    static const hostile_case_t cases[] = {
        { 10, APR_SUCCESS, APR_SUCCESS },
        { 11, APR_SUCCESS, APR_SUCCESS },
        { 12, APR_SUCCESS, APR_SUCCESS },
        { 13, APR_SUCCESS, APR_SUCCESS },
        { 14, APR_SUCCESS, APR_SUCCESS },
        { 20, APR_NOTFOUND, APR_NOTFOUND },  /* files of 0 bytes */
        { 21, APR_SUCCESS, APR_EGENERAL },   /* over 64 bits */
        { 22, APR_SUCCESS, APR_EGENERAL },   /* over 64 bits in bytes */
        { 23, APR_NOTFOUND, APR_NOTFOUND },  /* files missing */
        { 24, APR_EGENERAL, APR_NOTFOUND },  /* cut */
        { 25, APR_EGENERAL, APR_NOTFOUND },  /* garbage */
        { 99, APR_NOTFOUND, APR_NOTFOUND },  /* nothing at all */
        { 0, APR_NOTFOUND, APR_NOTFOUND },
        { -1, APR_NOTFOUND, APR_NOTFOUND },
        { 2147483647, APR_NOTFOUND, APR_NOTFOUND }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_proc_dir_t dir;
        amgr_proc_stat_t stat = { .ppid = 4711 };
        amgr_proc_statm_t statm = { 91, 92, 93, 94 };

        open_fixture(&dir, "hostile");
        assert_int_equal(amgr_proc_read_stat(&dir, cases[i].pid, &stat),
                         cases[i].stat);
        assert_int_equal(stat.ppid, cases[i].stat == APR_SUCCESS ? 1 : 4711);
        assert_int_equal(amgr_proc_read_statm(&dir, cases[i].pid, &statm),
                         cases[i].statm);
        if (cases[i].statm != APR_SUCCESS) {
            assert_int_equal(statm.rss_bytes, 92);
        }
        assert_int_equal(dir.errors.vanished,
                         (cases[i].stat == APR_NOTFOUND) +
                             (cases[i].statm == APR_NOTFOUND));
        assert_int_equal(dir.errors.malformed,
                         (cases[i].stat == APR_EGENERAL) +
                             (cases[i].statm == APR_EGENERAL));
        assert_int_equal(dir.by_file[AMGR_PROC_FILE_STAT].malformed,
                         cases[i].stat == APR_EGENERAL);
        assert_int_equal(dir.by_file[AMGR_PROC_FILE_STATM].vanished,
                         cases[i].statm == APR_NOTFOUND);
        amgr_proc_dir_close(&dir);
    }
}

static void test_no_memory(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_statm_t statm;
    char buf[64];
    apr_size_t len;

    (void)state; /* cmocka's signature */
    open_fixture(&dir, "apache");
    assert_int_equal(amgr_proc_read_statm(&dir, 2, &statm), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_statm(&dir, 107, &statm), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_raw(&dir, 2, "cmdline", buf, sizeof(buf),
                                        &len), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_link(&dir, 2, "exe", buf, sizeof(buf)),
                     APR_NOTFOUND);
    assert_int_equal(dir.by_file[AMGR_PROC_FILE_EXE].vanished, 1);
    assert_int_equal(dir.by_file[AMGR_PROC_FILE_CMDLINE].vanished, 1);
    amgr_proc_dir_close(&dir);
}

static void test_small_buffers(void **state)
{
    amgr_proc_dir_t dir;
    char buf[64];
    apr_size_t len = 4711;

    (void)state; /* cmocka's signature */
    open_fixture(&dir, "apache");
    memset(buf, '#', sizeof(buf));
    assert_int_equal(amgr_proc_read_raw(&dir, 100, "cmdline", buf, 0, &len),
                     APR_EINVAL);
    assert_int_equal(amgr_proc_read_raw(&dir, 100, "cmdline", buf, 5, &len),
                     APR_SUCCESS);
    assert_int_equal(len, 4);
    assert_string_equal(buf, "/usr");
    assert_int_equal(buf[5], '#');
    assert_int_equal(amgr_proc_read_link(&dir, 100, "exe", buf, 0),
                     APR_EINVAL);
    /* 17 bytes and the NUL */
    assert_int_equal(amgr_proc_read_link(&dir, 100, "exe", buf, 17),
                     APR_ENAMETOOLONG);
    assert_int_equal(amgr_proc_read_link(&dir, 100, "exe", buf, 18),
                     APR_SUCCESS);
    assert_int_equal(
        amgr_proc_read_raw(&dir, 100,
                           "a-name-that-is-longer-than-any-that-the-kernel-"
                           "has-in-its-proc-file-system", buf, 64, &len),
        APR_ENAMETOOLONG);
    amgr_proc_dir_close(&dir);
}

static void assert_pids(const pid_t *pids, int count, const pid_t *expected,
                        int expected_count)
{
    assert_int_equal(count, expected_count);
    assert_memory_equal(pids, expected,
                        (apr_size_t)count * sizeof(*pids));
}

static void test_list(void **state)
{
    static const pid_t all[] = { 1,   2,   20,  100, 101, 102, 103, 104,
                                 105, 106, 107, 110, 111, 112 };
    amgr_proc_dir_t dir;
    pid_t pids[32];
    int count;
    int max;

    (void)state; /* cmocka's signature */
    open_fixture(&dir, "apache");
    assert_int_equal(amgr_proc_list(&dir, pids, 32, &count), APR_SUCCESS);
    assert_pids(pids, count, all, AMGR_COUNT(all));
    for (max = 0; max < (int)AMGR_COUNT(all); max++) {
        assert_int_equal(amgr_proc_list(&dir, pids, max, &count), APR_ENOSPC);
        assert_pids(pids, count, all, max);
    }
    assert_int_equal(amgr_proc_list(&dir, pids, AMGR_COUNT(all), &count),
                     APR_SUCCESS);
    amgr_proc_dir_close(&dir);
    /* Names that only look like pids are none. */
    open_fixture(&dir, "hostile");
    assert_int_equal(amgr_proc_list(&dir, pids, 32, &count), APR_SUCCESS);
    assert_int_equal(count, 12);
    assert_int_equal(pids[0], 10);
    amgr_proc_dir_close(&dir);
}

static void test_children(void **state)
{
    static const pid_t workers[] = { 101, 102, 103, 104, 105, 106, 107 };
    static const pid_t scanned[] = { 110 };
    amgr_proc_dir_t dir;
    pid_t pids[32];
    int count = 4711;

    (void)state; /* cmocka's signature */
    open_fixture(&dir, "apache");
    assert_int_equal(amgr_proc_read_children(&dir, 100, pids, 32, &count),
                     APR_SUCCESS);
    assert_pids(pids, count, workers, 7);
    assert_int_equal(amgr_proc_read_children(&dir, 100, pids, 3, &count),
                     APR_ENOSPC);
    assert_pids(pids, count, workers, 3);
    assert_int_equal(amgr_proc_read_children(&dir, 101, pids, 32, &count),
                     APR_SUCCESS);
    assert_pids(pids, count, scanned, 1);
    assert_int_equal(amgr_proc_read_children(&dir, 112, pids, 32, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 0);
    count = 4711;
    assert_int_equal(amgr_proc_read_children(&dir, 999, pids, 32, &count),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_children(&dir, 0, pids, 32, &count),
                     APR_NOTFOUND);
    assert_int_equal(count, 4711);
    amgr_proc_dir_close(&dir);
    open_fixture(&dir, "hostile");
    assert_int_equal(amgr_proc_read_children(&dir, 26, pids, 32, &count),
                     APR_EGENERAL);
    amgr_proc_dir_close(&dir);
}

/* A child that waits to be killed. */
static pid_t spawn(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void test_real_children(void **state)
{
    enum { MANY = 40 };
    amgr_proc_dir_t dir;
    pid_t mine[MANY];
    pid_t found[MANY + 8];
    int count;
    int i;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    for (i = 0; i < MANY; i++) {
        mine[i] = spawn();
    }
    assert_int_equal(amgr_proc_read_children(&dir, getpid(), found, MANY + 8,
                                             &count), APR_SUCCESS);
    for (i = 0; i < MANY; i++) {
        kill(mine[i], SIGKILL);
        waitpid(mine[i], NULL, 0);
    }
    assert_int_equal(count, MANY);
    for (i = 1; i < count; i++) {
        assert_true(found[i] > found[i - 1]);
    }
    assert_int_equal(amgr_proc_read_children(&dir, getpid(), found, MANY + 8,
                                             &count), APR_SUCCESS);
    assert_int_equal(count, 0);
    amgr_proc_dir_close(&dir);
}

static void test_real_self(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    amgr_proc_status_t status;
    amgr_proc_smaps_t smaps;
    amgr_instant_t now;
    apr_interval_time_t uptime;
    apr_time_t age;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_stat(&dir, getpid(), &stat), APR_SUCCESS);
    assert_int_equal(stat.ppid, getppid());
    assert_int_equal(stat.session, getsid(0));
    assert_int_equal(stat.state, 'R');
    assert_int_equal(amgr_proc_read_statm(&dir, getpid(), &statm),
                     APR_SUCCESS);
    assert_true(statm.rss_bytes > 0 && statm.rss_bytes < statm.size_bytes);
    assert_int_equal(amgr_proc_read_status(&dir, getpid(), &status),
                     APR_SUCCESS);
    assert_int_equal(status.uid[1], geteuid());
    assert_int_equal(status.gid[0], getgid());
    assert_true(status.threads >= 1);
    assert_true(status.anon_bytes <= status.rss_bytes);
    assert_int_equal(amgr_proc_read_smaps(&dir, getpid(), &smaps),
                     APR_SUCCESS);
    assert_true(smaps.uss_bytes <= smaps.rss_bytes);
    assert_int_equal(amgr_proc_read_uptime(&dir, &uptime), APR_SUCCESS);
    amgr_clock_read(&now);
    assert_true(now.boot_us - uptime < 2000000 &&
                now.boot_us - uptime > -2000000);
    age = now.wall_us - amgr_proc_started_us(stat.start_ticks, &now);
    assert_true(age > -1000000 && age < apr_time_from_sec(600));
    amgr_proc_dir_close(&dir);
}

/* The kept descriptor outlives its process, but does not speak for it. */
static void test_keep(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_statm_t statm = { 91, 92, 93, 94 };
    siginfo_t info;
    pid_t child;
    int fd = -1;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    child = spawn();
    assert_int_equal(amgr_proc_keep(&dir, child, "statm", &fd), APR_SUCCESS);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(amgr_proc_reread_statm(&dir, fd, &statm), APR_SUCCESS);
    assert_int_equal(amgr_proc_reread_statm(&dir, fd, &statm), APR_SUCCESS);
    assert_true(statm.rss_bytes > 0 && statm.rss_bytes != 92);
    statm.rss_bytes = 92;
    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    assert_int_equal(amgr_proc_reread_statm(&dir, fd, &statm), APR_NOTFOUND);
    waitpid(child, NULL, 0);
    assert_int_equal(amgr_proc_reread_statm(&dir, fd, &statm), APR_NOTFOUND);
    assert_int_equal(statm.rss_bytes, 92);
    assert_int_equal(dir.errors.vanished, 2);
    close(fd);
    assert_int_equal(amgr_proc_keep(&dir, child, "statm", &fd), APR_NOTFOUND);
    amgr_proc_dir_close(&dir);
}

static void test_denied(void **state)
{
    amgr_proc_dir_t dir;
    char buf[256];
    apr_size_t len;
    int status = 0;
    pid_t child;

    (void)state; /* cmocka's signature */
    if (geteuid() != 0) {
        return; /* nobody's right to drop */
    }
    child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0 ||
            amgr_proc_dir_open(&dir, "/proc") != APR_SUCCESS) {
            _exit(9);
        }
        _exit((amgr_proc_read_raw(&dir, 1, "environ", buf, sizeof(buf),
                                  &len) != APR_EACCES) +
              (amgr_proc_read_link(&dir, 1, "exe", buf, sizeof(buf)) !=
               APR_EACCES) * 2 +
              (dir.errors.denied != 2) * 4);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dir),           cmocka_unit_test(test_good),
        cmocka_unit_test(test_hostile),       cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_small_buffers), cmocka_unit_test(test_list),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_real_children),
        cmocka_unit_test(test_real_self),     cmocka_unit_test(test_keep),
        cmocka_unit_test(test_denied)
    };

    page = (apr_uint64_t)sysconf(_SC_PAGESIZE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
