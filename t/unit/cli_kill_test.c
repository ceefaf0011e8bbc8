/* SPDX-License-Identifier: Apache-2.0
 *
 * Killing from outside, with processes of the test as an httpd's: this process
 * is the parent and listens, its children are what they are made to be.  The
 * source is invented, and lies where a page could; nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/message.h"
#include "cli/kill/self_kill.h"
#include "proc/proc_read.h"

#define CHILDREN_MAX 8
#define SETTLED_US (2500 * APR_INT64_C(1000))

/* What a child does about SIGUSR1. */
typedef enum manner_e {
    OBEYS = 0, /* goes */
    FINISHES,  /* goes a little later */
    LINGERS,   /* goes when it would have been nudged, were it idle */
    IGNORES,   /* stays */
    DAEMON,    /* has closed the listening socket */
    WSGI,      /* likewise, with the title of a WSGI daemon */
    TITLED,    /* has that title, and listens */
    PROGRAM    /* has called exec */
} manner_e;

typedef struct world_t {
    apr_pool_t *pool;
    amgr_proc_dir_t proc;
    pid_t children[CHILDREN_MAX];
    int count;
    amgr_snapshot_t snapshot;
    amgr_process_t processes[CHILDREN_MAX + 1];
    amgr_slot_t slots[CHILDREN_MAX + 1];
    amgr_board_config_t config;
    amgr_counters_t counters;
    amgr_source_t source;
    amgr_options_t options;
    amgr_demand_t demand;
    amgr_kill_run_t run;
    amgr_kill_result_t result;
} world_t;

static int listener = -1;
static char said[65536];
static int in_syslog;
static apr_interval_time_t read_age_us; /* of what is read again */
static amgr_source_t *page;             /* the server's, when it answers */
static world_t *world;
static char *title; /* of this process, as its command line has it */

/* ---- what the tool's other parts do ------------------------------------ */

static void note(const char *format, va_list args)
{
    size_t used = strlen(said);

    vsnprintf(said + used, sizeof(said) - used, format, args);
    used = strlen(said);
    snprintf(said + used, sizeof(said) - used, "\n");
}

void amgr_message(int level, const char *format, ...)
{
    va_list args;

    (void)level; /* all are wanted */
    va_start(args, format);
    note(format, args);
    va_end(args);
}

void amgr_message_kill(const char *line, int to_syslog)
{
    amgr_message(AMGR_LEVEL_NOTICE, "%s", line);
    in_syslog += to_syslog != 0;
}

const amgr_fault_t *amgr_source_read(const amgr_target_t *target, int wants,
                                     amgr_source_t *out, apr_pool_t *pool)
{
    (void)target; /* there is one */
    if (wants & AMGR_WANT_LIVE) {
        if (page == NULL) {
            return amgr_fault_make(pool, AMGR_EXIT_FAILED, "no answer");
        }
        *out = *page;
        return NULL;
    }
    *out = world->source;
    out->age_us = read_age_us;
    return NULL;
}

/* ---- children ------------------------------------------------------------ */

static void go_later(int sig)
{
    (void)sig; /* SIGUSR1 */
    alarm(1);
}

static void go_much_later(int sig)
{
    (void)sig; /* SIGUSR1 */
    alarm(4);
}

static void live(int manner, int ready)
{
    if (manner == FINISHES) {
        signal(SIGUSR1, go_later);
    }
    else if (manner == LINGERS) {
        signal(SIGUSR1, go_much_later);
    }
    else if (manner == IGNORES) {
        signal(SIGUSR1, SIG_IGN);
    }
    if (manner == DAEMON || manner == WSGI) {
        close(listener);
    }
    if (manner == WSGI || manner == TITLED) {
        memset(title, ' ', strlen(title));
        memcpy(title, "(wsgi:x)", sizeof("(wsgi:x)") - 1);
    }
    if (write(ready, "x", 1) != 1) {
        _exit(1);
    }
    if (manner == PROGRAM) {
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

static pid_t start_child(int manner)
{
    int ready[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        live(manner, ready[1]);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* The source knows it as a worker that is idle, by its pid alone, as a page
 * would. */
static amgr_process_t *know(pid_t pid)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    amgr_process_t *process;
    int i = snapshot->process_count;

    while (i > 0 && world->processes[i - 1].id.pid > pid) {
        world->processes[i] = world->processes[i - 1];
        i--;
    }
    snapshot->process_count++;
    process = &world->processes[i];
    memset(process, 0, sizeof(*process));
    process->id.pid = pid;
    process->rss_bytes = AMGR_UNKNOWN;
    return process;
}

static pid_t add_child(int manner)
{
    pid_t pid = start_child(manner);

    world->children[world->count++] = pid;
    know(pid);
    return pid;
}

static amgr_slot_t *give_slot(pid_t pid)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    amgr_process_t *process = amgr_snapshot_find(snapshot, pid);
    amgr_slot_t *slot = &world->slots[snapshot->slot_count];

    assert_non_null(process);
    process->first_slot = snapshot->slot_count++;
    process->slot_count = 1;
    slot->request_age_us = AMGR_NO_TIME;
    slot->mode = AMGR_MODE_READY;
    return slot;
}

/* How a child ended: its signal, 0 when it runs. */
static int ended_by(pid_t pid)
{
    int status;

    return waitpid(pid, &status, WNOHANG) == pid && WIFSIGNALED(status)
               ? WTERMSIG(status)
               : 0;
}

/* Until all children are old enough to be told for what they are. */
static void settle(void)
{
    static const struct timespec pause = {0, 10 * 1000 * 1000};
    amgr_instant_t now;
    amgr_proc_id_t id;

    assert_true(world->count > 0);
    assert_int_equal(
        amgr_proc_read_id(&world->proc, world->children[world->count - 1], &id),
        APR_SUCCESS);
    do {
        nanosleep(&pause, NULL);
        amgr_clock_read(&now);
    } while (now.boot_us - amgr_proc_ticks_us(id.start_ticks) < SETTLED_US);
}

/* A board knows start times and is believed at once. */
static void make_board(void)
{
    int i;

    world->source.kind = AMGR_SOURCE_BOARD;
    amgr_clock_read(&world->snapshot.server.time);
    for (i = 0; i < world->snapshot.process_count; i++) {
        assert_int_equal(amgr_proc_read_id(&world->proc,
                                           world->processes[i].id.pid,
                                           &world->processes[i].id),
                         APR_SUCCESS);
    }
}

static const amgr_fault_t *kill_now(void)
{
    static const amgr_target_t target;
    const amgr_fault_t *fault;

    world->demand.dry_run = world->options.dry_run;
    world->demand.max_kills = world->options.max_kills;
    fault =
        amgr_self_kill(&world->run, &world->demand, &target, &world->source);
    return fault != NULL ? fault
                         : amgr_kill_finish(&world->run, &world->result);
}

static void assert_said(const char *text)
{
    if (strstr(said, text) == NULL) {
        fail_msg("not said: %s\nbut:\n%s", text, said);
    }
}

static int setup(void **state)
{
    amgr_proc_id_t self;

    (void)state; /* cmocka's signature */
    world = test_calloc(1, sizeof(*world));
    said[0] = '\0';
    in_syslog = 0;
    read_age_us = 0;
    page = NULL;
    assert_int_equal(apr_pool_create(&world->pool, NULL), APR_SUCCESS);
    assert_int_equal(amgr_proc_dir_open(&world->proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&world->proc, getpid(), &self),
                     APR_SUCCESS);
    world->snapshot.processes = world->processes;
    world->snapshot.slots = world->slots;
    world->snapshot.server.extended = 1;
    amgr_snapshot_group(&world->snapshot, "native", AMGR_KIND_NATIVE,
                        AMGR_ROLE_WORKER);
    world->snapshot.groups[0].fresh_bytes = AMGR_UNKNOWN;
    amgr_limits_init(&world->config.limits);
    world->config.limits.grace_us = apr_time_from_msec(300);
    world->source.kind = AMGR_SOURCE_MOD_STATUS;
    world->source.name = "a page";
    world->source.parent = self;
    world->source.view.snapshot = &world->snapshot;
    world->source.view.config = &world->config;
    world->source.view.counters = &world->counters;
    world->source.view.show_requests = AMGR_SHOW_FULL;
    amgr_demand_init(&world->demand);
    world->demand.max_memory_idle_bytes = 1024;
    world->options.max_memory_active_bytes = AMGR_LIMIT_OFF;
    world->options.max_memory_idle_bytes = 1024;
    world->options.max_time_us = AMGR_LIMIT_OFF;
    world->run.options = &world->options;
    world->run.proc = &world->proc;
    world->run.pool = world->pool;
    return 0;
}

static int teardown(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < world->count; i++) {
        kill(world->children[i], SIGKILL);
        waitpid(world->children[i], NULL, 0); /* reaped already in some */
    }
    amgr_proc_dir_close(&world->proc);
    apr_pool_destroy(world->pool);
    test_free(world);
    return 0;
}

/* ---- tests ---------------------------------------------------------------- */

/* One of each kind, all of them workers if the page were to be believed; the
 * page names a stranger too. */
static void a_page_is_believed_about_nobody(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t daemon = add_child(DAEMON);
    pid_t program = add_child(PROGRAM);

    (void)state; /* cmocka's signature */
    know(getpid());
    know(getppid());
    know(1);
    settle();
    assert_null(kill_now());
    assert_int_equal(world->run.count, 1);
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(daemon), 0);
    assert_int_equal(ended_by(program), 0);
    assert_int_equal(kill(daemon, 0), 0);
    assert_int_equal(kill(program, 0), 0);
    assert_said("Killed 1 of 1 Apache worker.\n");
    assert_int_equal(world->result.killed_idle, 1);
    assert_int_equal(in_syslog, 1);
}

/* By its title it would be free of -i. */
static void a_title_makes_no_daemon(void **state)
{
    pid_t worker = add_child(TITLED);
    pid_t daemon = add_child(WSGI);

    (void)state; /* cmocka's signature */
    settle();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(daemon), 0);
    assert_said("Killed 1 of 2 Apache workers.");
    world->demand.max_memory_active_bytes = 1024;
    assert_null(kill_now());
    assert_said("Killing WSGI worker ");
    assert_int_equal(ended_by(daemon), SIGUSR1);
}

/* As the manager of mod_fcgid does, whose end ends httpd; the page's own
 * figures made it no worker. */
static void nor_does_a_listener_make_a_worker(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t daemon = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    settle();
    amgr_snapshot_find(&world->snapshot, daemon)->role = AMGR_ROLE_DAEMON;
    world->demand.max_memory_active_bytes = 1024;
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(daemon), 0);
    assert_said("Killed 1 of 1 Apache worker.");
}

/* The page tells how many workers there are, and not which. */
static void nor_does_a_guess(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t daemon = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    settle();
    amgr_snapshot_find(&world->snapshot, daemon)->process_slot = -1;
    world->source.is_guessed = 1;
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(daemon), 0);
}

/* It was forked after the tick. */
static pid_t add_unknown(void)
{
    pid_t pid = start_child(OBEYS);

    world->children[world->count++] = pid;
    return pid;
}

/* A worker of a threaded MPM has threads. */
static void a_single_thread_makes_none_of_a_threaded_server(void **state)
{
    pid_t daemon = add_unknown();

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    know(add_unknown());
    settle();
    make_board();
    world->demand.max_memory_active_bytes = 1024;
    assert_null(kill_now());
    assert_said("Killed 1 of 1 Apache worker.");
    assert_int_equal(ended_by(daemon), 0);
}

/* It is older than the page that is read, and younger than any judgement. */
static void what_was_just_forked_is_waited_for(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_said("too young to be told apart");
    assert_said("Killed 1 of 1 Apache worker.");
}

static void a_board_is_believed_about_its_own_alone(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t other = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    make_board();
    world->processes[1].id.start_ticks++;
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(other), 0);
}

static void one_that_does_not_go_is_forced(void **state)
{
    pid_t worker = add_child(IGNORES);

    (void)state; /* cmocka's signature */
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGKILL);
    assert_said("has not ended in time: SIGKILL");
    assert_said("Killed 1 of 1 Apache worker.");
}

static void one_that_finishes_has_time(void **state)
{
    pid_t worker = add_child(FINISHES);

    (void)state; /* cmocka's signature */
    world->config.limits.grace_us = apr_time_from_sec(20);
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGALRM);
    assert_said("is gone after 1");
    assert_said(": drained");
}

/* What a slot said before it was asked does not make it pass for idle. */
static void an_old_slot_does_not_hurry_it(void **state)
{
    pid_t worker = add_child(LINGERS);

    (void)state; /* cmocka's signature */
    world->config.limits.grace_us = apr_time_from_sec(20);
    give_slot(worker);
    read_age_us = apr_time_from_sec(15);
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGALRM);
}

static void a_hanging_one_is_killed_at_once(void **state)
{
    pid_t worker = add_child(FINISHES);
    amgr_slot_t *slot = give_slot(worker);

    (void)state; /* cmocka's signature */
    slot->mode = AMGR_MODE_WRITE;
    slot->request_age_us = apr_time_from_sec(40);
    snprintf(slot->request, sizeof(slot->request), "GET /slow HTTP/1.1");
    world->processes[0].active = 1;
    world->demand.max_time_us = apr_time_from_sec(30);
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGKILL);
    assert_said("(active) hanging for 40 seconds since last request (GET /slow "
                "HTTP/1.1): request age 40s over --max-time 30s, SIGKILL");
    assert_int_equal(world->result.killed_active, 1);
}

/* It was asked for its memory; what it does passes the time limit by then. */
static void one_that_comes_to_hang_is_not_waited_for(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *slot = give_slot(worker);

    (void)state; /* cmocka's signature */
    world->config.limits.grace_us = apr_time_from_sec(20);
    world->config.limits.hanging_us = apr_time_from_sec(600);
    world->demand.max_memory_active_bytes = 1024;
    world->demand.max_time_us = apr_time_from_sec(4);
    world->processes[0].active = 1;
    make_board();
    slot->mode = AMGR_MODE_WRITE;
    slot->start_time_us =
        world->snapshot.server.time.wall_us - apr_time_from_sec(2);
    slot->stop_time_us = slot->start_time_us - 1;
    slot->request_age_us = apr_time_from_sec(2);
    assert_null(kill_now());
    assert_said("over --max-memory-active 1024 bytes, asked to finish");
    assert_said("is gone after 2");
    assert_int_equal(ended_by(worker), SIGKILL);
}

/* The figures are of a tick ago: they are read again before it is done. */
static void an_old_age_is_made_sure_of(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *slot = give_slot(worker);

    (void)state; /* cmocka's signature */
    slot->mode = AMGR_MODE_WRITE;
    slot->request_age_us = apr_time_from_sec(40);
    world->processes[0].active = 1;
    world->source.age_us = apr_time_from_sec(5);
    world->demand.max_time_us = apr_time_from_sec(30);
    make_board();
    assert_null(kill_now());
    assert_said("waiting for the next, 12 seconds at most");
    assert_int_equal(ended_by(worker), SIGKILL);
}

/* A page of the server, of now: its one worker with this slot. */
static amgr_slot_t *make_page(pid_t pid)
{
    amgr_snapshot_t *snapshot = test_calloc(1, sizeof(*snapshot));
    amgr_instant_t now;

    amgr_clock_read(&now);
    /* The board's tick was five seconds ago. */
    world->source.age_us = apr_time_from_sec(5);
    world->snapshot.server.time.boot_us = now.boot_us - world->source.age_us;
    page = test_calloc(1, sizeof(*page));
    *page = world->source;
    page->kind = AMGR_SOURCE_STATUS_JSON;
    page->name = "http://127.0.0.1/manager-status/status.json";
    *snapshot = world->snapshot;
    snapshot->processes = test_calloc(1, sizeof(*snapshot->processes));
    snapshot->process_count = 1;
    snapshot->processes[0].id.pid = pid;
    snapshot->processes[0].slot_count = 1;
    snapshot->slots = test_calloc(1, sizeof(*snapshot->slots));
    snapshot->slot_count = 1;
    snapshot->slots[0].mode = AMGR_MODE_WRITE;
    snapshot->slots[0].start_time_us = now.wall_us - apr_time_from_sec(6);
    snapshot->slots[0].request_age_us = apr_time_from_sec(6);
    snprintf(snapshot->slots[0].request, sizeof(snapshot->slots[0].request),
             "GET /now HTTP/1.1");
    page->view.snapshot = snapshot;
    return &snapshot->slots[0];
}

static void free_page(void)
{
    test_free(page->view.snapshot->slots);
    test_free(page->view.snapshot->processes);
    test_free((amgr_snapshot_t *)page->view.snapshot);
    test_free(page);
    page = NULL;
}

/* The page knows it for a worker; the other one may be a daemon. */
static void of_one_that_no_tick_saw_a_page_tells(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t daemon = add_unknown();
    pid_t other = add_unknown();

    (void)state; /* cmocka's signature */
    settle();
    make_board();
    world->demand.max_memory_active_bytes = 1024;
    world->demand.max_time_us = apr_time_from_sec(600);
    make_page(other);
    assert_null(kill_now());
    free_page();
    assert_int_equal(ended_by(worker), SIGUSR1);
    assert_int_equal(ended_by(other), SIGUSR1);
    assert_int_equal(ended_by(daemon), 0);
}

/* At the tick nothing ran for longer than it may; now it does. */
static void what_hangs_since_the_tick_is_found(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *ticked = give_slot(worker);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    settle();
    make_board();
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_time_us = apr_time_from_sec(2);
    slot = make_page(worker);
    ticked->mode = AMGR_MODE_WRITE;
    ticked->start_time_us = slot->start_time_us;
    ticked->request_age_us = apr_time_from_sec(1);
    assert_null(kill_now());
    free_page();
    assert_said("(GET /now HTTP/1.1): request age 2");
    assert_said("not asked first: its only request is over --max-time");
    assert_null(strstr(said, "waiting for the next"));
    assert_int_equal(ended_by(worker), SIGKILL);
}

/* The wall clock was set forward by an hour: no request is older than its
 * process, nor than the tick that did not see it. */
static void a_clock_that_jumps_kills_nobody(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    give_slot(worker);
    settle();
    make_board();
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_time_us = apr_time_from_sec(60);
    slot = make_page(worker);
    slot->request_age_us = apr_time_from_sec(3600);
    assert_null(kill_now());
    free_page();
    assert_said("found 1 worker within resource usage limits");
    assert_int_equal(ended_by(worker), 0);
}

/* The tick saw it, and did not count its time: the client is at work. */
static void a_request_without_a_time_has_none_now(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *ticked = give_slot(worker);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    settle();
    make_board();
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_time_us = apr_time_from_sec(1);
    slot = make_page(worker);
    slot->start_time_us += apr_time_from_sec(4);
    slot->request_age_us = apr_time_from_sec(2);
    ticked->mode = AMGR_MODE_WRITE;
    ticked->start_time_us = slot->start_time_us;
    assert_null(kill_now());
    free_page();
    assert_said("found 1 worker within resource usage limits");
    assert_int_equal(ended_by(worker), 0);
}

/* It was idle at the tick; what it does now is told. */
static void a_threaded_worker_is_counted_by_what_it_does(void **state)
{
    pid_t worker = add_child(IGNORES);

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    give_slot(worker);
    settle();
    make_board();
    world->demand.max_memory_active_bytes = 1024;
    make_page(worker);
    assert_null(kill_now());
    free_page();
    assert_said("(active)");
    assert_said("SIGKILL cuts off at least 1 request (as of 0.");
    assert_null(strstr(said, "no request lost"));
    assert_int_equal(ended_by(worker), SIGKILL);
}

/* Its only request was for the page. */
static void who_served_the_page_is_idle(void **state)
{
    pid_t worker = add_child(OBEYS);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    give_slot(worker);
    settle();
    make_board();
    world->demand.max_time_us = apr_time_from_sec(60);
    slot = make_page(worker);
    slot->request_age_us = 1000;
    snprintf(slot->request, sizeof(slot->request),
             "GET /manager-status/status.json HTTP/1.1");
    assert_null(kill_now());
    free_page();
    assert_said("(idle)");
    assert_int_equal(ended_by(worker), SIGUSR1);
}

/* Neither answers it nor ticks: memory alone is certain. */
static void what_nobody_knows_is_not_well(void **state)
{
    pid_t worker = add_child(OBEYS);
    const amgr_fault_t *fault;

    (void)state; /* cmocka's signature */
    give_slot(worker);
    make_board();
    world->config.ticker = 1;
    world->config.limits.interval_us = apr_time_from_msec(500);
    world->source.age_us = apr_time_from_msec(1500);
    read_age_us = apr_time_from_msec(1500);
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_time_us = apr_time_from_sec(2);
    fault = kill_now();
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "neither answers nor ticks"));
    assert_null(strstr(said, "resource usage limits"));
    assert_int_equal(ended_by(worker), 0);
}

/* Requests of HTTP/2 share the slot of their connection, which is not timed. */
static void what_no_slot_times_is_not_well(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *slot = give_slot(worker);
    const amgr_fault_t *fault;

    (void)state; /* cmocka's signature */
    settle();
    make_board();
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_time_us = apr_time_from_sec(1);
    slot->mode = AMGR_MODE_WRITE;
    slot->streams = 2;
    fault = kill_now();
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "2 requests of HTTP/2 were not judged"));
    assert_null(strstr(said, "resource usage limits"));
    /* None was over the server's threshold a moment ago. */
    world->config.limits.hanging_us = apr_time_from_sec(1);
    assert_null(kill_now());
    world->snapshot.hanging = 1;
    assert_non_null(kill_now());
    /* Its process is younger. */
    world->demand.max_time_us = apr_time_from_sec(600);
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), 0);
}

/* The server ticks no more, and what it said of its workers does not count. */
static void make_silent(void)
{
    make_board();
    world->source.age_us = apr_time_from_sec(23);
    read_age_us = world->source.age_us;
}

static void assert_unsure(const amgr_fault_t *fault)
{
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "neither answers nor ticks"));
}

static void figures_of_long_ago_make_nobody_idle(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    make_silent();
    assert_unsure(kill_now());
    assert_int_equal(ended_by(worker), 0);
    assert_null(strstr(said, "resource usage limits"));
    assert_null(strstr(said, "waiting for the next"));
}

static void nor_active(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_memory_active_bytes = 1024;
    make_silent();
    assert_unsure(kill_now());
    assert_int_equal(ended_by(worker), 0);
    assert_said("is left alone, since nothing tells what it does now");
}

/* Memory is known without it, and a limit for both is for whoever there is. */
static void what_is_over_both_limits_goes_unseen(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    world->demand.max_memory_active_bytes = 2048;
    make_silent();
    assert_unsure(kill_now());
    assert_said("Killed 1 of 1 Apache worker.");
    assert_int_equal(ended_by(worker), SIGUSR1);
}

static void assert_untold(const amgr_fault_t *fault)
{
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "page does not tell of them"));
}

/* It is a page of other processes, or has no table of them. */
static void a_page_that_does_not_tell_makes_nobody_idle(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    settle();
    give_slot(worker);
    world->source.is_untold = 1;
    assert_untold(kill_now());
    assert_int_equal(ended_by(worker), 0);
    world->demand.max_memory_active_bytes = 2048;
    assert_untold(kill_now());
    assert_int_equal(ended_by(worker), SIGUSR1);
}

/* What the board says is of some seconds ago, and still better than that. */
static void nor_does_it_stand_in_for_a_tick(void **state)
{
    pid_t worker = add_child(IGNORES);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    give_slot(worker);
    settle();
    make_board();
    amgr_snapshot_find(&world->snapshot, worker)->active = 1;
    slot = make_page(worker);
    page->kind = AMGR_SOURCE_MOD_STATUS;
    page->is_untold = 1;
    slot->mode = AMGR_MODE_READY;
    slot->request_age_us = AMGR_NO_TIME;
    assert_null(kill_now());
    free_page();
    assert_said("waiting for the next");
    assert_int_equal(ended_by(worker), 0);
}

/* The server answers, and that is of now. */
static void a_page_stands_in_for_a_tick(void **state)
{
    pid_t worker = add_child(OBEYS);
    amgr_slot_t *slot;

    (void)state; /* cmocka's signature */
    give_slot(worker);
    settle();
    make_silent();
    slot = make_page(worker);
    slot->mode = AMGR_MODE_READY;
    slot->request_age_us = AMGR_NO_TIME;
    world->source.age_us = apr_time_from_sec(23);
    assert_null(kill_now());
    free_page();
    assert_said("(idle)");
    assert_int_equal(ended_by(worker), SIGUSR1);
}

/* The first is hanging as far as anybody knew, and is none of the one. */
static void one_that_is_dropped_is_not_counted(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t daemon = add_child(WSGI);
    amgr_process_t *process;

    (void)state; /* cmocka's signature */
    world->demand.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    world->demand.max_memory_active_bytes = 1024;
    world->options.max_kills = 1;
    process = amgr_snapshot_find(&world->snapshot, daemon);
    process->role = AMGR_ROLE_WSGI;
    process->kind = AMGR_KIND_FOREIGN;
    make_silent();
    assert_unsure(kill_now());
    assert_int_equal(ended_by(worker), 0);
    assert_int_equal(ended_by(daemon), SIGUSR1);
    assert_said("Killed 1 of 2 Apache workers.");
}

static void a_threaded_worker_is_killed_with_a_warning(void **state)
{
    pid_t worker = add_child(IGNORES);

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    give_slot(worker);
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), SIGKILL);
    assert_said("SIGKILL cuts off whatever they do (no request was seen in "
                "them 0.0 s ago); with ManagerSocket they");
    assert_null(strstr(said, "no request lost"));
}

/* Seconds ago it was idle: that is no reason to cut off what it does now. */
static void a_threaded_worker_is_looked_at_again(void **state)
{
    pid_t worker = add_child(IGNORES);

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    world->source.age_us = apr_time_from_sec(5);
    give_slot(worker);
    make_board();
    assert_null(kill_now());
    assert_said("waiting for the next, 12 seconds at most");
    assert_int_equal(ended_by(worker), SIGKILL);
}

static void a_dry_run_cuts_off_nothing(void **state)
{
    pid_t worker = add_child(IGNORES);

    (void)state; /* cmocka's signature */
    world->snapshot.server.threaded = 1;
    world->options.dry_run = 1;
    give_slot(worker);
    make_board();
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), 0);
    assert_said("SIGKILL would cut off whatever they do");
    assert_null(strstr(said, "cuts off"));
}

static void a_dry_run_sends_nothing(void **state)
{
    pid_t worker = add_child(OBEYS);
    pid_t other = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    make_board();
    world->options.dry_run = 1;
    assert_null(kill_now());
    assert_int_equal(ended_by(worker), 0);
    assert_int_equal(ended_by(other), 0);
    assert_said("Would kill native worker ");
    assert_said(" bytes over --max-memory-idle 1024 bytes, nothing sent\n");
    assert_said("Would kill 2 of 2 Apache workers.\n");
    assert_null(strstr(said, "Killed"));
    assert_null(strstr(said, "Killing"));
    assert_int_equal(in_syslog, 0);
    assert_int_equal(world->result.killed_idle, 2);
}

static void no_more_than_were_asked_for(void **state)
{
    pid_t workers[2];
    int first;

    (void)state; /* cmocka's signature */
    workers[0] = add_child(OBEYS);
    workers[1] = add_child(OBEYS);
    first = workers[0] > workers[1];
    make_board();
    world->options.max_kills = 1;
    assert_null(kill_now());
    assert_int_equal(ended_by(workers[first]), SIGUSR1);
    assert_int_equal(ended_by(workers[!first]), 0);
    assert_said("Killed 1 of 2 Apache workers.\n");
    assert_said("--max-kills 1: whoever else");
}

static void one_that_has_gone_is_no_failure(void **state)
{
    pid_t worker = add_child(OBEYS);

    (void)state; /* cmocka's signature */
    add_child(OBEYS);
    make_board();
    kill(worker, SIGKILL);
    while (waitpid(worker, NULL, 0) != worker) {
        /* EINTR */
    }
    world->demand.max_memory_idle_bytes = APR_INT64_C(1) << 40;
    assert_null(kill_now());
    assert_said("No Apache workers killed (found 1 worker within");
}

/* Nobody has reaped it. */
static void a_zombie_is_gone(void **state)
{
    pid_t worker = add_child(OBEYS);
    siginfo_t info;

    (void)state; /* cmocka's signature */
    add_child(OBEYS);
    make_board();
    kill(worker, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)worker, &info, WEXITED | WNOWAIT), 0);
    world->demand.max_memory_idle_bytes = APR_INT64_C(1) << 40;
    assert_null(kill_now());
    assert_said("No Apache workers killed (found 1 worker within");
}

/* That nobody is over a limit is no news of a server without workers. */
static void without_a_worker_nothing_is_well(void **state)
{
    const amgr_fault_t *fault;

    (void)state; /* cmocka's signature */
    fault = kill_now();
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "no worker of this server"));
    assert_null(strstr(said, "limits"));
}

static void a_parent_that_is_another_now_has_no_children(void **state)
{
    pid_t worker = add_child(OBEYS);
    const amgr_fault_t *fault;

    (void)state; /* cmocka's signature */
    make_board();
    world->source.parent.start_ticks++;
    fault = kill_now();
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "has ended"));
    assert_int_equal(ended_by(worker), 0);
}

static void what_is_not_wise_is_warned_of(void **state)
{
    (void)state; /* cmocka's signature */
    add_child(OBEYS);
    add_child(OBEYS);
    make_board();
    world->snapshot.groups[0].fresh_bytes = 4096;
    amgr_kill_warn_limits(&world->options, &world->snapshot);
    assert_said("--max-memory-idle 1.02 KB is less than a fresh worker has "
                "(4.1 KB)");
    assert_null(kill_now());
    assert_said("these are all native workers, 2 at once");
}

static void the_last_one_is_warned_of(void **state)
{
    (void)state; /* cmocka's signature */
    add_child(OBEYS);
    make_board();
    assert_null(kill_now());
    assert_said("no other native worker serves");
}

static void heed_not(int sig)
{
    (void)sig; /* SIGINT */
}

/* A Control-C in the middle of waiting. */
static void an_interrupt_ends_the_wait(void **state)
{
    pid_t worker = add_child(IGNORES);
    const amgr_fault_t *fault;
    pid_t self = getpid();
    pid_t helper;

    (void)state; /* cmocka's signature */
    make_board();
    world->config.limits.grace_us = apr_time_from_sec(60);
    signal(SIGINT, heed_not); /* until it is waited for */
    helper = fork();
    if (helper == 0) {
        static const struct timespec pause = {0, 50 * 1000 * 1000};

        while (getppid() == self) {
            kill(self, SIGINT);
            nanosleep(&pause, NULL);
        }
        _exit(0);
    }
    world->children[world->count++] = helper;
    fault = kill_now();
    signal(SIGINT, SIG_DFL);
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "interrupted while 1 of 1 workers"));
    assert_said("Killed 0 of 1 Apache worker (1 still finishing).");
    assert_int_equal(ended_by(worker), 0);
}

static int open_listener(void **state)
{
    struct sockaddr_in address;

    (void)state; /* cmocka's signature */
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    return listener < 0 ||
           bind(listener, (const struct sockaddr *)&address, sizeof(address)) !=
               0 ||
           listen(listener, 1) != 0;
}

static int close_listener(void **state)
{
    (void)state; /* cmocka's signature */
    return close(listener);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_believed_about_nobody),
        TEST(a_title_makes_no_daemon),
        TEST(nor_does_a_listener_make_a_worker),
        TEST(nor_does_a_guess),
        TEST(of_one_that_no_tick_saw_a_page_tells),
        TEST(a_single_thread_makes_none_of_a_threaded_server),
        TEST(what_was_just_forked_is_waited_for),
        TEST(a_board_is_believed_about_its_own_alone),
        TEST(one_that_does_not_go_is_forced),
        TEST(one_that_finishes_has_time),
        TEST(an_old_slot_does_not_hurry_it),
        TEST(a_hanging_one_is_killed_at_once),
        TEST(one_that_comes_to_hang_is_not_waited_for),
        TEST(an_old_age_is_made_sure_of),
        TEST(what_hangs_since_the_tick_is_found),
        TEST(a_clock_that_jumps_kills_nobody),
        TEST(a_request_without_a_time_has_none_now),
        TEST(a_threaded_worker_is_counted_by_what_it_does),
        TEST(who_served_the_page_is_idle),
        TEST(what_nobody_knows_is_not_well),
        TEST(what_no_slot_times_is_not_well),
        TEST(figures_of_long_ago_make_nobody_idle),
        TEST(nor_active),
        TEST(what_is_over_both_limits_goes_unseen),
        TEST(a_page_that_does_not_tell_makes_nobody_idle),
        TEST(nor_does_it_stand_in_for_a_tick),
        TEST(a_page_stands_in_for_a_tick),
        TEST(one_that_is_dropped_is_not_counted),
        TEST(a_threaded_worker_is_killed_with_a_warning),
        TEST(a_threaded_worker_is_looked_at_again),
        TEST(a_dry_run_cuts_off_nothing),
        TEST(a_dry_run_sends_nothing),
        TEST(no_more_than_were_asked_for),
        TEST(one_that_has_gone_is_no_failure),
        TEST(a_zombie_is_gone),
        TEST(without_a_worker_nothing_is_well),
        TEST(a_parent_that_is_another_now_has_no_children),
        TEST(what_is_not_wise_is_warned_of),
        TEST(the_last_one_is_warned_of),
        TEST(an_interrupt_ends_the_wait),
    };
    int rv;

    if (argc < 1 || strlen(argv[0]) < sizeof("(wsgi:x)")) {
        return 1;
    }
    title = argv[0];
    apr_initialize();
    rv = cmocka_run_group_tests_name("killing from outside", tests,
                                     open_listener, close_listener);
    apr_terminate();
    return rv;
}
