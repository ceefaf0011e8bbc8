/* SPDX-License-Identifier: Apache-2.0
 *
 * Orphaned locks: what is taken for a lock with an owner, and real processes
 * that share a mutex, whose holder is killed.  Only the clock is invented.
 */
#include "invented.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "action/locks.h"

#define NEVER APR_INT64_MAX
#define WAITERS 3

static void who_owns_a_lock(void **state)
{
    static const struct {
        apr_uint32_t words[5];
        pid_t owner;
    } cases[] = {
        { { 2, 0, 4711, 1, 128 }, 4711 },
        { { 1, 0, 4711, 1, 131 }, 4711 },
        { { 0, 0, 4711, 1, 128 }, 0 },              /* free */
        { { 3, 0, 4711, 1, 128 }, 0 },              /* no mutex */
        { { 2, 0, 4711, 0, 128 }, 0 },              /* nobody uses it */
        { { 2, 0, 4711, 1, 0 }, 0 },                /* not shared */
        { { 2, 0, 4711, 1, 128 | 16 }, 0 },         /* robust */
        { { 2, 0, 4711, 1, 0x10080 }, 0 },          /* anything */
        { { 2, 0, 0, 1, 128 }, 0 },                 /* no owner */
        { { 2, 0, 1, 1, 128 }, 0 },
        { { 2, 0, 0x80000000u, 1, 128 }, 0 },
        { { 4711, 0, 0, 0, 0 }, 0 },                /* a number */
        { { FUTEX_WAITERS | 4711, 0, 0, 0, 0 }, 4711 },
        { { FUTEX_WAITERS | FUTEX_OWNER_DIED | 4711, 0, 0, 0, 0 }, 4711 },
        { { FUTEX_WAITERS, 0, 0, 0, 0 }, 0 },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(amgr_lock_wait_owner(cases[i].words), cases[i].owner);
    }
}

/** A mutex in memory that processes share, and who is at it. */
typedef struct stage_t {
    pthread_mutex_t *mutex;
    size_t size;
    pid_t holder;
    pid_t waiters[WAITERS];
    amgr_proc_dir_t proc;
    world_t *world;
} stage_t;

static void make_mutex(stage_t *stage, int flags)
{
    pthread_mutexattr_t attr;
    int fd = memfd_create("amgr lock", MFD_CLOEXEC);

    stage->size = (size_t)sysconf(_SC_PAGESIZE);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)stage->size), 0);
    stage->mutex =
        mmap(NULL, stage->size, PROT_READ | PROT_WRITE, flags, fd, 0);
    assert_ptr_not_equal(stage->mutex, MAP_FAILED);
    close(fd);
    assert_int_equal(pthread_mutexattr_init(&attr), 0);
    assert_int_equal(
        pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
    assert_int_equal(pthread_mutex_init(stage->mutex, &attr), 0);
    pthread_mutexattr_destroy(&attr);
}

/* A process that takes the lock and keeps it. */
static pid_t fork_one(stage_t *stage)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || pthread_mutex_lock(stage->mutex) != 0) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* Until its one thread is in that call. */
static void wait_for_call(stage_t *stage, pid_t pid, int number)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + 10 * SEC;
    amgr_proc_syscall_t call;
    amgr_proc_dir_t tasks;
    amgr_proc_id_t id;

    assert_int_equal(amgr_proc_read_id(&stage->proc, pid, &id), APR_SUCCESS);
    assert_int_equal(amgr_proc_tasks_open(&stage->proc, &id, &tasks),
                     APR_SUCCESS);
    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        assert_int_equal(amgr_proc_read_syscall(&tasks, pid, &call),
                         APR_SUCCESS);
    } while (call.number != number);
    amgr_proc_dir_close(&tasks);
}

#ifdef SYS_pause
#define PAUSE SYS_pause
#else
#define PAUSE SYS_ppoll
#endif

/* Whoever waits are the server's workers, the holder is none any more. */
static void set_stage(stage_t *stage, int flags)
{
    int i;
    int j;

    make_mutex(stage, flags);
    assert_int_equal(amgr_proc_dir_open(&stage->proc, "/proc"), APR_SUCCESS);
    stage->holder = fork_one(stage);
    wait_for_call(stage, stage->holder, PAUSE);
    stage->world = world_create(WAITERS, 1);
    for (i = 0; i < WAITERS; i++) {
        stage->waiters[i] = fork_one(stage);
    }
    for (i = 1; i < WAITERS; i++) { /* a snapshot's pids ascend */
        pid_t pid = stage->waiters[i];

        for (j = i; j > 0 && stage->waiters[j - 1] > pid; j--) {
            stage->waiters[j] = stage->waiters[j - 1];
        }
        stage->waiters[j] = pid;
    }
    for (i = 0; i < WAITERS; i++) {
        amgr_process_t *process =
            world_native(stage->world, stage->waiters[i]);

        assert_int_equal(amgr_proc_read_id(&stage->proc, stage->waiters[i],
                                           &process->id), APR_SUCCESS);
    }
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void clear_stage(stage_t *stage)
{
    int i;

    for (i = 0; i < WAITERS; i++) {
        end(stage->waiters[i]);
    }
    world_destroy(stage->world);
    amgr_proc_dir_close(&stage->proc);
    munmap(stage->mutex, stage->size);
}

static int look(stage_t *stage, amgr_locks_t *locks, apr_time_t now_us,
                amgr_lock_report_t *report)
{
    return amgr_locks_look(locks, &stage->proc, &stage->world->snapshot,
                           now_us, NEVER, report);
}

static void a_lock_whose_holder_was_killed(void **state)
{
    amgr_lock_report_t report;
    amgr_locks_t locks;
    stage_t stage;
    int i;

    (void)state; /* cmocka's signature */
    set_stage(&stage, MAP_SHARED);
    for (i = 0; i < WAITERS; i++) {
        wait_for_call(&stage, stage.waiters[i], SYS_futex);
    }
    memset(&locks, 0, sizeof(locks));
    /* The holder lives: nothing is wrong, however long it takes. */
    amgr_locks_alert(&locks, 10 * SEC);
    for (i = 10; i < 15; i++) {
        assert_false(look(&stage, &locks, i * SEC, &report));
    }
    end(stage.holder);
    assert_false(look(&stage, &locks, 20 * SEC, &report));
    /* Not before a second has passed. */
    assert_false(look(&stage, &locks, 20 * SEC + SEC / 2, &report));
    assert_true(look(&stage, &locks, 21 * SEC, &report));
    assert_int_equal(report.owner, stage.holder);
    assert_int_equal(report.waiters, WAITERS);
    assert_true(report.address == (apr_uint64_t)(uintptr_t)stage.mutex);
    assert_string_equal(report.mapping, "/memfd:amgr lock (deleted)");
    assert_true(report.pid == stage.waiters[0] ||
                report.pid == stage.waiters[1] ||
                report.pid == stage.waiters[2]);
    /* Once is enough. */
    for (i = 22; i < 60; i++) {
        assert_false(look(&stage, &locks, i * SEC, &report));
    }
    clear_stage(&stage);
}

static void a_zombie_holds_nothing(void **state)
{
    amgr_lock_report_t report;
    amgr_locks_t locks;
    siginfo_t info;
    stage_t stage;

    (void)state; /* cmocka's signature */
    set_stage(&stage, MAP_SHARED);
    wait_for_call(&stage, stage.waiters[0], SYS_futex);
    assert_int_equal(kill(stage.holder, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)stage.holder, &info,
                            WEXITED | WNOWAIT), 0);
    memset(&locks, 0, sizeof(locks));
    amgr_locks_alert(&locks, 10 * SEC);
    assert_false(look(&stage, &locks, 10 * SEC, &report));
    assert_true(look(&stage, &locks, 11 * SEC, &report));
    assert_int_equal(report.owner, stage.holder);
    assert_int_equal(waitpid(stage.holder, NULL, 0), stage.holder);
    clear_stage(&stage);
}

static void nobody_looks_without_reason(void **state)
{
    amgr_lock_report_t report;
    amgr_locks_t locks;
    stage_t stage;
    int i;

    (void)state; /* cmocka's signature */
    set_stage(&stage, MAP_SHARED);
    for (i = 0; i < WAITERS; i++) {
        wait_for_call(&stage, stage.waiters[i], SYS_futex);
    }
    end(stage.holder);
    memset(&locks, 0, sizeof(locks));
    for (i = 10; i < 20; i++) {
        assert_false(look(&stage, &locks, i * SEC, &report));
    }
    /* A deadline that has passed: the next look goes on where it ended. */
    amgr_locks_alert(&locks, 20 * SEC);
    assert_false(amgr_locks_look(&locks, &stage.proc, &stage.world->snapshot,
                                 20 * SEC, 1, &report));
    assert_int_equal(locks.cursor, 1);
    assert_false(look(&stage, &locks, 21 * SEC, &report));
    assert_true(look(&stage, &locks, 22 * SEC, &report));
    /* What was released is forgotten. */
    amgr_locks_alert(&locks, 23 * SEC);
    stage.world->snapshot.process_count = 0;
    for (i = 24; i < 24 + 12; i++) {
        assert_false(look(&stage, &locks, i * SEC, &report));
    }
    for (i = 0; i < AMGR_LOCKS_SUSPECTS; i++) {
        assert_true(locks.suspects[i].address == 0);
    }
    clear_stage(&stage);
}

/* Each process has a copy of the lock to itself: nobody else waits for it. */
static void memory_that_is_not_shared(void **state)
{
    apr_uint32_t words[5] = { 2, 0, 0, 1, 128 };
    amgr_lock_report_t report;
    amgr_locks_t locks;
    stage_t stage;
    int i;

    (void)state; /* cmocka's signature */
    memset(&stage, 0, sizeof(stage));
    make_mutex(&stage, MAP_PRIVATE);
    assert_int_equal(amgr_proc_dir_open(&stage.proc, "/proc"), APR_SUCCESS);
    stage.holder = fork_one(&stage);
    end(stage.holder);
    words[2] = (apr_uint32_t)stage.holder;
    memcpy(stage.mutex, words, sizeof(words));
    stage.world = world_create(WAITERS, 1);
    stage.waiters[0] = fork_one(&stage);
    wait_for_call(&stage, stage.waiters[0], SYS_futex);
    assert_int_equal(
        amgr_proc_read_id(&stage.proc, stage.waiters[0],
                          &world_native(stage.world, stage.waiters[0])->id),
        APR_SUCCESS);
    memset(&locks, 0, sizeof(locks));
    amgr_locks_alert(&locks, 10 * SEC);
    for (i = 10; i < 14; i++) {
        assert_false(look(&stage, &locks, i * SEC, &report));
    }
    end(stage.waiters[0]);
    world_destroy(stage.world);
    amgr_proc_dir_close(&stage.proc);
    munmap(stage.mutex, stage.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_owns_a_lock),
        cmocka_unit_test(a_lock_whose_holder_was_killed),
        cmocka_unit_test(a_zombie_holds_nothing),
        cmocka_unit_test(nobody_looks_without_reason),
        cmocka_unit_test(memory_that_is_not_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
