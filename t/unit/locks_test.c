/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks in shared memory: what is taken for one with an owner, and real
 * processes that share a mutex, whose holder is to be killed, or was.  Only the
 * clock is invented.
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

#include "action/lock_holder.h"
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

static void what_the_kernel_lets_go_of(void **state)
{
    static const struct {
        apr_uint32_t words[5];
        int robust;
    } cases[] = {
        { { FUTEX_WAITERS | 4711, 0, 4711, 1, 128 | 16 }, 1 },
        { { FUTEX_WAITERS | 4711, 1, 4711, 1, 128 | 16 | 32 | 1 }, 1 },
        { { FUTEX_WAITERS | 4711, 0, 4712, 1, 128 | 16 }, 0 },
        { { FUTEX_WAITERS | 4711, 0, 4711, 1, 128 }, 0 },
        { { FUTEX_WAITERS | 4711, 0, 4711, 1, 16 }, 0 },
        { { FUTEX_WAITERS | 4711, 0, 4711, 1, 0x10000 | 128 | 16 }, 0 },
        { { FUTEX_WAITERS | 4711, 0, 0, 0, 0 }, 0 },
        { { 2, 0, 4711, 1, 128 | 16 }, 0 },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(amgr_lock_wait_is_robust(cases[i].words),
                         cases[i].robust);
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

static void make_mutex(stage_t *stage, int flags, int robust)
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
    assert_int_equal(pthread_mutexattr_setrobust(&attr, robust), 0);
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

/* A server of these workers. */
static void seat(stage_t *stage, pid_t *pids, int count)
{
    int i;
    int j;

    for (i = 1; i < count; i++) { /* a snapshot's pids ascend */
        pid_t pid = pids[i];

        for (j = i; j > 0 && pids[j - 1] > pid; j--) {
            pids[j] = pids[j - 1];
        }
        pids[j] = pid;
    }
    stage->world = world_create(count, 1);
    for (i = 0; i < count; i++) {
        amgr_process_t *process = world_native(stage->world, pids[i]);

        assert_int_equal(
            amgr_proc_read_id(&stage->proc, pids[i], &process->id),
            APR_SUCCESS);
    }
}

/* Whoever waits are the server's workers, the holder is none any more. */
static void set_stage_of(stage_t *stage, int flags, int robust)
{
    int i;

    make_mutex(stage, flags, robust);
    assert_int_equal(amgr_proc_dir_open(&stage->proc, "/proc"), APR_SUCCESS);
    stage->holder = fork_one(stage);
    wait_for_call(stage, stage->holder, PAUSE);
    for (i = 0; i < WAITERS; i++) {
        stage->waiters[i] = fork_one(stage);
    }
    seat(stage, stage->waiters, WAITERS);
}

static void set_stage(stage_t *stage, int flags)
{
    set_stage_of(stage, flags, PTHREAD_MUTEX_STALLED);
}

/* The holder is one of the workers, and all others wait. */
static void set_living_stage(stage_t *stage, int robust)
{
    pid_t pids[WAITERS + 1];

    set_stage_of(stage, MAP_SHARED, robust);
    world_destroy(stage->world);
    memcpy(pids, stage->waiters, sizeof(stage->waiters));
    pids[WAITERS] = stage->holder;
    seat(stage, pids, WAITERS + 1);
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
    make_mutex(&stage, MAP_PRIVATE, PTHREAD_MUTEX_STALLED);
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

/* What is found of one that is to be killed. */
static int held(stage_t *stage, pid_t pid, apr_time_t deadline_us,
                amgr_lock_report_t *report)
{
    const amgr_snapshot_t *snapshot = &stage->world->snapshot;

    return amgr_lock_holder_look(
        &stage->proc, snapshot,
        (int)(world_find(stage->world, pid) - snapshot->processes), deadline_us,
        report);
}

static void a_holder_that_others_wait_for(void **state)
{
    amgr_lock_report_t report;
    stage_t stage;
    int i;

    (void)state; /* cmocka's signature */
    set_living_stage(&stage, PTHREAD_MUTEX_STALLED);
    for (i = 0; i < WAITERS; i++) {
        wait_for_call(&stage, stage.waiters[i], SYS_futex);
    }
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_LOCK);
    assert_int_equal(report.owner, stage.holder);
    assert_int_equal(report.pid, stage.waiters[0]);
    assert_int_equal(report.waiters, 1);
    assert_true(report.address == (apr_uint64_t)(uintptr_t)stage.mutex);
    assert_string_equal(report.mapping, "/memfd:amgr lock (deleted)");
    /* Who waits for it, too, holds nothing. */
    assert_int_equal(held(&stage, stage.waiters[0], NEVER, &report),
                     AMGR_HELD_NOTHING);
    assert_int_equal(report.waiters, 0);
    assert_int_equal(held(&stage, stage.holder, 1, &report),
                     AMGR_HELD_UNKNOWN);
    /* One that is there still is enough. */
    world_remove(stage.world, stage.waiters[0]);
    world_remove(stage.world, stage.waiters[2]);
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_LOCK);
    assert_int_equal(report.pid, stage.waiters[1]);
    world_remove(stage.world, stage.waiters[1]);
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_NOTHING);
    end(stage.holder);
    clear_stage(&stage);
}

static void who_has_the_pid_is_another(void **state)
{
    amgr_lock_report_t report;
    stage_t stage;

    (void)state; /* cmocka's signature */
    set_living_stage(&stage, PTHREAD_MUTEX_STALLED);
    wait_for_call(&stage, stage.waiters[0], SYS_futex);
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_LOCK);
    world_find(stage.world, stage.holder)->id.start_ticks++;
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_NOTHING);
    end(stage.holder);
    clear_stage(&stage);
}

static void a_robust_lock_is_no_reason(void **state)
{
    amgr_lock_report_t report;
    stage_t stage;
    siginfo_t info;
    int i;

    (void)state; /* cmocka's signature */
    set_living_stage(&stage, PTHREAD_MUTEX_ROBUST);
    for (i = 0; i < WAITERS; i++) {
        wait_for_call(&stage, stage.waiters[i], SYS_futex);
    }
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_NOTHING);
    /* Indeed: the next one learns of it, and ends. */
    end(stage.holder);
    for (i = 0; i < WAITERS; i++) {
        assert_int_equal(waitid(P_PID, (id_t)stage.waiters[i], &info,
                                WEXITED | WNOWAIT), 0);
        assert_int_equal(info.si_code, CLD_EXITED);
    }
    clear_stage(&stage);
}

/* A copy of a lock names a living thread, and is nobody else's. */
static void a_copy_is_no_reason(void **state)
{
    apr_uint32_t words[5] = { 2, 0, 0, 1, 128 };
    pid_t pids[2];
    amgr_lock_report_t report;
    stage_t stage;

    (void)state; /* cmocka's signature */
    memset(&stage, 0, sizeof(stage));
    make_mutex(&stage, MAP_PRIVATE, PTHREAD_MUTEX_STALLED);
    assert_int_equal(amgr_proc_dir_open(&stage.proc, "/proc"), APR_SUCCESS);
    stage.holder = fork_one(&stage);
    wait_for_call(&stage, stage.holder, PAUSE);
    words[2] = (apr_uint32_t)stage.holder;
    memcpy(stage.mutex, words, sizeof(words));
    stage.waiters[0] = fork_one(&stage);
    wait_for_call(&stage, stage.waiters[0], SYS_futex);
    pids[0] = stage.holder;
    pids[1] = stage.waiters[0];
    seat(&stage, pids, 2);
    assert_int_equal(held(&stage, stage.holder, NEVER, &report),
                     AMGR_HELD_NOTHING);
    end(stage.holder);
    end(stage.waiters[0]);
    world_destroy(stage.world);
    amgr_proc_dir_close(&stage.proc);
    munmap(stage.mutex, stage.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_owns_a_lock),
        cmocka_unit_test(what_the_kernel_lets_go_of),
        cmocka_unit_test(a_lock_whose_holder_was_killed),
        cmocka_unit_test(a_zombie_holds_nothing),
        cmocka_unit_test(nobody_looks_without_reason),
        cmocka_unit_test(memory_that_is_not_shared),
        cmocka_unit_test(a_holder_that_others_wait_for),
        cmocka_unit_test(who_has_the_pid_is_another),
        cmocka_unit_test(a_robust_lock_is_no_reason),
        cmocka_unit_test(a_copy_is_no_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
