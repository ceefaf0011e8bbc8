/* SPDX-License-Identifier: Apache-2.0
 *
 * What is seen of a process before it is retired: requests of an invented
 * server, and threads of real processes that wait for what they are told to.
 */
#include "invented.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "action/evidence.h"

#define NOBODY 65534
#define NEVER APR_INT64_MAX

/* ---- requests ------------------------------------------------------------ */

static amgr_slot_t *busy(world_t *world, int thread, apr_interval_time_t age_us)
{
    amgr_slot_t *slot = world_slot(world, 100, thread);

    slot->mode = AMGR_MODE_WRITE;
    slot->request_age_us = age_us;
    snprintf(slot->request, sizeof(slot->request), "GET /%d HTTP/1.1", thread);
    return slot;
}

static void longest_requests_first(void **state)
{
    world_t *world = world_create(2, 8);
    amgr_evidence_t evidence;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    busy(world, 0, 5 * SEC);
    busy(world, 1, AMGR_NO_TIME);
    busy(world, 3, 9 * SEC);
    busy(world, 4, 5 * SEC);
    busy(world, 5, 1 * SEC)->mode = AMGR_MODE_KEEPALIVE;
    busy(world, 6, AMGR_NO_TIME)->mode = AMGR_MODE_READ;
    memset(world_slot(world, 100, 3)->client, 'x', AMGR_SLOT_CLIENT_LEN - 1);
    memset(&evidence, 0x5a, sizeof(evidence));
    amgr_evidence_take_requests(&world->snapshot, 0, &evidence);
    assert_int_equal(evidence.pid, 100);
    assert_int_equal(evidence.rss_bytes, 10 * MB);
    assert_true(evidence.anon_bytes == AMGR_UNKNOWN);
    assert_int_equal(evidence.time_us, world->snapshot.server.time.wall_us);
    assert_int_equal(evidence.request_count, 5);
    assert_int_equal(evidence.requests_left_out, 0);
    assert_int_equal(evidence.requests[0].thread, 3);
    assert_int_equal(evidence.requests[0].age_us, 9 * SEC);
    assert_int_equal(strlen(evidence.requests[0].client),
                     AMGR_SLOT_CLIENT_LEN - 1);
    assert_string_equal(evidence.requests[0].request, "GET /3 HTTP/1.1");
    assert_int_equal(evidence.requests[1].thread, 0);
    assert_int_equal(evidence.requests[2].thread, 4);
    assert_int_equal(evidence.requests[3].thread, 1);
    assert_int_equal(evidence.requests[4].mode, AMGR_MODE_READ);
    /* The other process has none. */
    amgr_evidence_take_requests(&world->snapshot, 1, &evidence);
    assert_int_equal(evidence.request_count, 0);
    world_destroy(world);
}

static void requests_that_do_not_fit_are_counted(void **state)
{
    int threads = AMGR_EVIDENCE_REQUESTS + 9;
    world_t *world = world_create(1, threads);
    amgr_evidence_t evidence;
    int i;

    (void)state; /* cmocka's signature */
    world_natives(world, 1);
    for (i = 0; i < threads; i++) {
        /* Every second one, then the others: neither end is cut off. */
        busy(world, i, (i * 2 % threads) * SEC);
    }
    memset(&evidence, 0, sizeof(evidence));
    amgr_evidence_take_requests(&world->snapshot, 0, &evidence);
    assert_int_equal(evidence.request_count, AMGR_EVIDENCE_REQUESTS);
    assert_int_equal(evidence.requests_left_out, 9);
    for (i = 0; i < AMGR_EVIDENCE_REQUESTS; i++) {
        assert_int_equal(evidence.requests[i].age_us, (threads - 1 - i) * SEC);
    }
    world_destroy(world);
}

/* ---- threads ------------------------------------------------------------- */

/** What a thread of the victim does. */
typedef struct task_t {
    enum { RECV, READ, PRIVATE_FUTEX, SHARED_FUTEX, SPIN } what;
    int fd;
} task_t;

static int word;

static void *work(void *arg)
{
    const task_t *task = arg;
    int flag = task->what == PRIVATE_FUTEX ? FUTEX_PRIVATE_FLAG : 0;
    char byte;

    for (;;) {
        switch (task->what) {
        case RECV:
            (void)recv(task->fd, &byte, 1, 0); /* nobody sends */
            break;
        case READ:
            (void)!read(task->fd, &byte, 1); /* nobody writes */
            break;
        case SPIN:
            break;
        default:
            syscall(SYS_futex, &word, FUTEX_WAIT | flag, 0, NULL, NULL, 0);
            break;
        }
    }
    return NULL;
}

/* A process with a thread for each task, which ends with this one. */
static pid_t fork_victim(task_t *tasks, int count)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    pthread_t thread;
    int i;

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        for (i = 1; i < count; i++) {
            if (pthread_create(&thread, NULL, work, &tasks[i]) != 0) {
                _exit(1);
            }
        }
        work(&tasks[0]);
    }
    return pid;
}

static void end_victim(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A snapshot of that one process. */
static world_t *world_of(amgr_proc_dir_t *proc, pid_t pid)
{
    world_t *world = world_create(1, 1);
    amgr_process_t *process = world_native(world, pid);

    assert_int_equal(amgr_proc_read_id(proc, pid, &process->id), APR_SUCCESS);
    return world;
}

static const amgr_evidence_thread_t *find_entry(const amgr_evidence_t *evidence,
                                                const char *call, int fd)
{
    int i;

    for (i = 0; i < evidence->thread_count; i++) {
        if (strcmp(evidence->blocked[i].call, call) == 0 &&
            evidence->blocked[i].fd == fd) {
            return &evidence->blocked[i];
        }
    }
    return NULL;
}

/* Until all its threads wait: neither starting nor on their way. */
static void collect_settled(amgr_proc_dir_t *proc, world_t *world, int threads,
                            const char *not_yet, amgr_evidence_t *out)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + 10 * SEC;

    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        amgr_evidence_collect(proc, &world->snapshot, 0, NEVER, out);
    } while (out->threads != threads ||
             find_entry(out, not_yet, -1) != NULL ||
             find_entry(out, "mmap", -1) != NULL ||
             find_entry(out, "mprotect", -1) != NULL ||
             find_entry(out, "page fault", -1) != NULL);
}

/* A connection over the loopback; the port that it leads to. */
static int connect_to_self(int *out_client)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&at, 0, sizeof(at));
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *out_client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(*out_client, (struct sockaddr *)&at, len), 0);
    return ntohs(at.sin_port);
}

static void what_threads_are_blocked_on(void **state)
{
    task_t tasks[] = { { PRIVATE_FUTEX, -1 }, { RECV, -1 },
                       { PRIVATE_FUTEX, -1 }, { READ, -1 },
                       { PRIVATE_FUTEX, -1 }, { SHARED_FUTEX, -1 } };
    const amgr_evidence_thread_t *entry;
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    char want[64];
    int pipes[2];
    int port;
    pid_t pid;

    (void)state; /* cmocka's signature */
    port = connect_to_self(&tasks[1].fd);
    assert_int_equal(pipe(pipes), 0);
    tasks[3].fd = pipes[0];
    pid = fork_victim(tasks, (int)AMGR_COUNT(tasks));
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    collect_settled(&proc, world, (int)AMGR_COUNT(tasks), "running", &evidence);
    assert_int_equal(evidence.access, AMGR_EVIDENCE_OK);
    assert_int_equal(evidence.pid, pid);
    assert_int_equal(evidence.thread_count, 4);
    assert_int_equal(evidence.threads_unread, 0);
    assert_int_equal(evidence.threads_left_out, 0);
    entry = find_entry(&evidence, "recvfrom", tasks[1].fd);
    assert_non_null(entry);
    assert_int_equal(entry->count, 1);
    assert_int_equal(entry->state, AMGR_TASK_SYSCALL);
    snprintf(want, sizeof(want), " to 127.0.0.1:%d", port);
    assert_memory_equal(entry->target, "tcp 127.0.0.1:", 14);
    assert_string_equal(strstr(entry->target, " to "), want);
    entry = find_entry(&evidence, "read", pipes[0]);
    assert_non_null(entry);
    assert_memory_equal(entry->target, "pipe:[", 6);
    snprintf(want, sizeof(want), "shared futex 0x%llx",
             (unsigned long long)(uintptr_t)&word);
    /* Idle threads come last, in one entry. */
    entry = &evidence.blocked[3];
    assert_string_equal(entry->target, "private futex");
    assert_string_equal(entry->call, "futex");
    assert_int_equal(entry->count, 3);
    assert_int_equal(entry->tid, pid);
    entry = find_entry(&evidence, "futex", -1);
    assert_string_equal(entry->target, want);
    assert_int_equal(entry->count, 1);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
    end_victim(pid);
    close(tasks[1].fd);
    close(pipes[0]);
    close(pipes[1]);
}

static void states_that_do_not_fit_are_counted(void **state)
{
    task_t tasks[AMGR_EVIDENCE_THREADS + 6];
    int count = (int)AMGR_COUNT(tasks);
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    pid_t pid;
    int pipes[2];
    int i;

    (void)state; /* cmocka's signature */
    assert_int_equal(pipe(pipes), 0);
    for (i = 0; i < count; i++) {
        tasks[i].what = i < 3 ? PRIVATE_FUTEX : READ;
        tasks[i].fd = i < 3 ? -1 : dup(pipes[0]);
    }
    pid = fork_victim(tasks, count);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    collect_settled(&proc, world, count, "running", &evidence);
    assert_int_equal(evidence.thread_count, AMGR_EVIDENCE_THREADS);
    assert_int_equal(evidence.threads_left_out, 6);
    for (i = 0; i < AMGR_EVIDENCE_THREADS; i++) {
        assert_string_equal(evidence.blocked[i].call, "read");
    }
    /* A deadline that has passed leaves all of them out, and says so. */
    amgr_evidence_collect(&proc, &world->snapshot, 0, 1, &evidence);
    assert_int_equal(evidence.access, AMGR_EVIDENCE_OK);
    assert_int_equal(evidence.thread_count, 0);
    assert_int_equal(evidence.threads_unread, count);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
    end_victim(pid);
    for (i = 3; i < count; i++) {
        close(tasks[i].fd);
    }
    close(pipes[0]);
    close(pipes[1]);
}

static void a_socket_that_is_not_found_says_so(void **state)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + 20 * SEC;
    apr_interval_time_t span_us = 0;
    task_t task = { RECV, -1 };
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    pid_t pid;

    (void)state; /* cmocka's signature */
    (void)connect_to_self(&task.fd); /* the port is of no matter */
    pid = fork_victim(&task, 1);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    collect_settled(&proc, world, 1, "running", &evidence);
    assert_int_equal(evidence.thread_count, 1);
    /* Some span is enough for the thread, and not for the tables. */
    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        span_us = span_us % 1000 + 3;
        amgr_evidence_collect(&proc, &world->snapshot, 0,
                              amgr_clock_monotonic_us() + span_us, &evidence);
    } while (evidence.thread_count == 0 ||
             strncmp(evidence.blocked[0].target, "socket:[", 8) != 0);
    assert_non_null(strstr(evidence.blocked[0].target, "], not found in time"));
    world_destroy(world);
    amgr_proc_dir_close(&proc);
    end_victim(pid);
    close(task.fd);
}

/* What a thread sees that reads from this file. */
static void check_path(const char *path, const char *shown)
{
    task_t task = { READ, -1 };
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    pid_t pid;

    assert_int_equal(mkfifo(path, 0600), 0);
    task.fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(unlink(path), 0);
    assert_true(task.fd >= 0);
    pid = fork_victim(&task, 1);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    collect_settled(&proc, world, 1, "running", &evidence);
    assert_int_equal(evidence.thread_count, 1);
    assert_string_equal(evidence.blocked[0].target, shown);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
    end_victim(pid);
    close(task.fd);
}

static void keys_of_sessions_are_not_told(void **state)
{
    char dir[SCRATCH_SIZE];
    char path[256];
    char shown[256];

    (void)state; /* cmocka's signature */
    assert_int_equal(scratch_make(dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/plain", dir);
    snprintf(shown, sizeof(shown), "%s/plain (deleted)", dir);
    check_path(path, shown);
    snprintf(path, sizeof(path), "%s/sess_0123secret", dir);
    snprintf(shown, sizeof(shown), "%s/sess_...", dir);
    check_path(path, shown);
    /* Of so long a name only a part is left, and perhaps of a key. */
    snprintf(path, sizeof(path), "%s/sess_%0120d", dir, 7);
    check_path(path, "...");
    assert_int_equal(rmdir(dir), 0);
}

static void a_process_that_is_gone(void **state)
{
    task_t task = { PRIVATE_FUTEX, -1 };
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    pid_t pid;

    (void)state; /* cmocka's signature */
    pid = fork_victim(&task, 1);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    world_begin(world, pid, 0);
    end_victim(pid);
    amgr_evidence_collect(&proc, &world->snapshot, 0, NEVER, &evidence);
    assert_int_equal(evidence.access, AMGR_EVIDENCE_GONE);
    assert_int_equal(evidence.thread_count, 0);
    assert_int_equal(evidence.request_count, 1);
    /* Its pid is another's: nothing of that one is told. */
    world->snapshot.processes[0].id.pid = getpid();
    amgr_evidence_collect(&proc, &world->snapshot, 0, NEVER, &evidence);
    assert_int_equal(evidence.access, AMGR_EVIDENCE_GONE);
    assert_int_equal(evidence.thread_count, 0);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
}

/* A zombie has threads to list, and nothing to tell. */
static void a_zombie(void **state)
{
    task_t task = { PRIVATE_FUTEX, -1 };
    siginfo_t info;
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;
    pid_t pid;

    (void)state; /* cmocka's signature */
    pid = fork_victim(&task, 1);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    amgr_evidence_collect(&proc, &world->snapshot, 0, NEVER, &evidence);
    assert_true(evidence.thread_count <= 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
}

/* What an observer without rights sees of a process that may not be traced. */
static int access_without_rights(pid_t pid)
{
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    world_t *world;

    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return -1;
    }
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    world = world_of(&proc, pid);
    amgr_evidence_collect(&proc, &world->snapshot, 0, NEVER, &evidence);
    return evidence.thread_count == 0 && evidence.threads_unread == 1
               ? evidence.access
               : -1;
}

static void without_the_right_to_look(void **state)
{
    task_t task = { PRIVATE_FUTEX, -1 };
    pid_t observer;
    pid_t victim;
    int status;

    (void)state; /* cmocka's signature */
    prctl(PR_SET_DUMPABLE, 0); /* also as an ordinary user */
    victim = fork_victim(&task, 1);
    prctl(PR_SET_DUMPABLE, 1);
    observer = fork();
    if (observer == 0) {
        _exit(access_without_rights(victim) & 0xff);
    }
    assert_int_equal(waitpid(observer, &status, 0), observer);
    end_victim(victim);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), AMGR_EVIDENCE_DENIED);
}

static void damage_is_mended(void **state)
{
    amgr_evidence_t evidence;
    int i;

    (void)state; /* cmocka's signature */
    memset(&evidence, 0x7f, sizeof(evidence));
    amgr_evidence_mend(&evidence);
    assert_int_equal(evidence.request_count, AMGR_EVIDENCE_REQUESTS);
    assert_int_equal(evidence.thread_count, AMGR_EVIDENCE_THREADS);
    for (i = 0; i < AMGR_EVIDENCE_REQUESTS; i++) {
        amgr_evidence_request_t *r = &evidence.requests[i];

        assert_int_equal(strlen(r->client), sizeof(r->client) - 1);
        assert_int_equal(strlen(r->vhost), sizeof(r->vhost) - 1);
        assert_int_equal(strlen(r->protocol), sizeof(r->protocol) - 1);
        assert_int_equal(strlen(r->request), sizeof(r->request) - 1);
    }
    for (i = 0; i < AMGR_EVIDENCE_THREADS; i++) {
        amgr_evidence_thread_t *t = &evidence.blocked[i];

        assert_int_equal(strlen(t->call), sizeof(t->call) - 1);
        assert_int_equal(strlen(t->target), sizeof(t->target) - 1);
        assert_int_equal(strlen(t->wchan), sizeof(t->wchan) - 1);
    }
    evidence.request_count = -1;
    evidence.thread_count = APR_INT32_MIN;
    amgr_evidence_mend(&evidence);
    assert_int_equal(evidence.request_count, 0);
    assert_int_equal(evidence.thread_count, 0);
    assert_string_equal(amgr_evidence_access_word(-1), "unknown");
    assert_string_equal(amgr_evidence_access_word(AMGR_EVIDENCE_ACCESS_COUNT),
                        "unknown");
    assert_string_equal(amgr_evidence_access_word(AMGR_EVIDENCE_DENIED),
                        "denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_requests_first),
        cmocka_unit_test(requests_that_do_not_fit_are_counted),
        cmocka_unit_test(what_threads_are_blocked_on),
        cmocka_unit_test(states_that_do_not_fit_are_counted),
        cmocka_unit_test(a_socket_that_is_not_found_says_so),
        cmocka_unit_test(keys_of_sessions_are_not_told),
        cmocka_unit_test(a_process_that_is_gone),
        cmocka_unit_test(a_zombie),
        cmocka_unit_test(without_the_right_to_look),
        cmocka_unit_test(damage_is_mended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
