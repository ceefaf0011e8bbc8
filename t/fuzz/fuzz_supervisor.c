/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor to which anything happens in any order, as the input says:
 * guards that tell what they should or what they should not, that hang up or
 * die, verifiers that pass and fail, configurations, orders, messages that are
 * none, forks that fail, time, the parent's end.  Checked besides memory and
 * what supervisor_world.h holds: what is published is sound and its counters
 * never go back; there is something of a run when and only when the state says
 * so; and when all behave at last and it is told to end, it does.
 */
#include "supervisor_parent.h"
#include "supervisor_world.h"

#include <poll.h>

/** What happens at most, and turns in which all must be over then. */
#define HAPPENINGS_MAX 400
#define TURNS_TO_END 3000

static fuzz_t input;
static int happened;
static int is_ending; /**< all behave, and it was told to end */
static int end_turns;
static amgr_managed_table_t before;

/* Anything, some of it almost right. */
static void send_nonsense(void)
{
    amgr_parent_message_t message = make_message(0);
    size_t len = sizeof(message) - (size_t)fuzz_below(&input, 2);
    int fd = -1;

    message.word = (apr_int32_t)fuzz_bits(&input, 1) - 1;
    message.bytes = fuzz_bits(&input, 2);
    memset(message.socket, fuzz_below(&input, 2) * 'x', sizeof(message.socket));
    if (fuzz_below(&input, 2) != 0) {
        char bytes[32];

        fuzz_bytes(&input, bytes, sizeof(bytes));
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        check(fd >= 0 && write(fd, bytes, sizeof(bytes)) > 0);
    }
    if (message.word != AMGR_PARENT_END && message.word >= 0) {
        send_message(&message, len, fd);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void say(child_t *guard, const amgr_guard_event_t *event, size_t len)
{
    if (guard->fd >= 0 &&
        send(guard->fd, event, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 &&
        event->type >= 0 && event->type < AMGR_GUARD_EVENT_COUNT) {
        guard->said |= 1 << event->type;
    }
}

static int has_said(const child_t *guard, int type)
{
    return (guard->said & 1 << type) != 0;
}

/* Then there is nothing left of its run. */
static int has_told_end(const child_t *guard)
{
    return has_said(guard, AMGR_GUARD_EMPTY) ||
           has_said(guard, AMGR_GUARD_FAILED);
}

static void say_event(child_t *guard, int type, int status)
{
    amgr_guard_event_t event;

    memset(&event, 0, sizeof(event));
    event.type = type;
    event.pid = pid_of(guard) + CHILDREN_MAX;
    event.start_ticks = 77;
    event.wait_status = status;
    event.is_all = status == 0;
    event.stage = type == AMGR_GUARD_FAILED ? AMGR_LAUNCH_NO_EXEC : 0;
    event.output_bytes = (apr_uint64_t)world.turns;
    say(guard, &event, sizeof(event));
}

/* A run to its end, as a sound guard tells it. */
static void end_run(child_t *guard, int status)
{
    if (has_said(guard, AMGR_GUARD_STARTED) &&
        !has_said(guard, AMGR_GUARD_EXITED)) {
        say_event(guard, AMGR_GUARD_EXITED, status);
    }
    if (!has_said(guard, AMGR_GUARD_FAILED)) {
        say_event(guard, AMGR_GUARD_EMPTY, 0);
    }
    end_child(guard, 0, 0);
}

static void hear_orders(child_t *guard)
{
    apr_int32_t order;

    while (guard->fd >= 0 && recv(guard->fd, &order, sizeof(order),
                                  MSG_DONTWAIT) == (ssize_t)sizeof(order)) {
        check(order >= 0 && order < AMGR_GUARD_ORDER_COUNT);
        if (order != AMGR_GUARD_REOPEN) {
            guard->order = order;
        }
    }
}

/* The next thing that a sound guard tells. */
static void go_on(child_t *guard)
{
    hear_orders(guard);
    if (guard->order >= 0) {
        end_run(guard, SIGTERM);
    }
    else if (!has_said(guard, AMGR_GUARD_STARTED)) {
        say_event(guard, AMGR_GUARD_STARTED, 0);
    }
    else {
        say_event(guard, AMGR_GUARD_READY + fuzz_below(&input, 4), 0);
    }
}

static void say_nonsense(child_t *guard)
{
    amgr_guard_event_t event;
    size_t len = sizeof(event) - (fuzz_below(&input, 8) == 0);

    fuzz_bytes(&input, &event, 12);
    memset((char *)&event + 12, fuzz_below(&input, 256), sizeof(event) - 12);
    event.type = fuzz_below(&input, AMGR_GUARD_EVENT_COUNT + 1);
    event.stage = fuzz_below(&input, AMGR_LAUNCH_STAGE_COUNT + 1);
    event.wait_status = (apr_int32_t)fuzz_bits(&input, 2);
    say(guard, &event, len);
}

/* One of those that are there, or NULL. */
static child_t *choose(int is_attempt)
{
    int skip = fuzz_below(&input, 4);
    child_t *found = NULL;
    int i;

    for (i = world.count - 1; i >= 0 && skip >= 0; i--) {
        child_t *child = &world.children[i];

        if (child->is_attempt == is_attempt && !child->has_ended) {
            found = child;
            skip--;
        }
    }
    return found;
}

static void happen_to_guard(child_t *guard)
{
    switch (fuzz_below(&input, 8)) {
    case 0:
        say_nonsense(guard);
        break;
    case 1:
        say_event(guard, AMGR_GUARD_FAILED, 0);
        end_child(guard, 0, 0);
        break;
    case 2:
        end_run(guard, fuzz_below(&input, 4) << 8);
        break;
    case 3:
        end_child(guard, SIGKILL,
                  has_told_end(guard) ? 0 : fuzz_below(&input, 3));
        break;
    case 4:
        close(guard->fd);
        guard->fd = -1;
        break;
    default:
        go_on(guard);
        break;
    }
}

static void pass_time(void)
{
    static const apr_interval_time_t spans[] = {1000, 100000, APR_USEC_PER_SEC,
                                                3 * APR_USEC_PER_SEC,
                                                70 * APR_USEC_PER_SEC};

    world.now_us += spans[fuzz_below(&input, (int)AMGR_COUNT(spans))];
}

static void order(void)
{
    int index = fuzz_below(&input, 4);
    int verb = fuzz_below(&input, AMGR_VERB_COUNT + 1);

    if (verb == AMGR_VERB_COUNT) {
        if (fuzz_below(&input, 8) == 0) {
            amgr_supervisor_shut_down(world.supervisor);
        }
        return;
    }
    (void)amgr_supervisor_order(world.supervisor, index, verb); /* or not */
    (void)amgr_supervisor_is_settled(world.supervisor, index, verb);
}

static void change_world(void)
{
    switch (fuzz_below(&input, 8)) {
    case 0:
        world.fork_fails = !world.fork_fails;
        break;
    case 1:
        world.is_taken = !world.is_taken;
        break;
    case 2: {
        amgr_parent_message_t message = make_message(AMGR_PARENT_RESTART);

        send_message(&message, sizeof(message), -1);
        break;
    }
    case 3:
        world.has_last_run = 0;
        break;
    case 4:
        if (fuzz_below(&input, 16) == 0) {
            world.parent = 1;
        }
        break;
    default:
        send_nonsense();
        break;
    }
}

static void happen(void)
{
    child_t *child;

    switch (fuzz_below(&input, 8)) {
    case 0:
        pass_time();
        break;
    case 1:
        configure(fuzz_below(&input, CONFIGURATIONS), fuzz_below(&input, 4));
        break;
    case 2:
        order();
        break;
    case 3:
        change_world();
        break;
    case 4:
        child = choose(1);
        if (child != NULL) {
            end_child(child, fuzz_below(&input, 2) << 8, 0);
        }
        break;
    default:
        child = choose(0);
        if (child != NULL) {
            happen_to_guard(child);
        }
        break;
    }
}

/* Guards do as they are told, and time passes as the loop sleeps. */
static void behave(int timeout_ms)
{
    amgr_parent_message_t message = make_message(AMGR_PARENT_END);
    int i;

    world.fork_fails = 0;
    world.has_last_run = 0;
    for (i = 0; i < world.count; i++) {
        child_t *child = &world.children[i];

        if (child->has_ended || child->is_attempt) {
            end_child(child, 0, 0);
            continue;
        }
        hear_orders(child);
        if (child->order >= 0) {
            end_run(child, SIGTERM);
        }
    }
    if (!is_ending) {
        is_ending = 1;
        send_message(&message, sizeof(message), -1);
    }
    world.now_us += (apr_time_t)timeout_ms * 1000 + 10;
    check(end_turns++ < TURNS_TO_END);
}

/* There is something of a run when the state says so, and else nothing. */
static void check_ward(const amgr_ward_t *ward)
{
    check(ward->spec != NULL);
    if (!amgr_ward_is_on(ward)) {
        check(ward->guard.pid == 0 && ward->guard.fd < 0);
        check(!has_run(ward->row.name));
        check(ward->step_due_us == AMGR_NO_TIME &&
              ward->start_due_us == AMGR_NO_TIME &&
              ward->stopping_due_us == AMGR_NO_TIME);
        check(ward->row.state != AMGR_MANAGED_BACKOFF || ward->is_asked ||
              ward->delay_due_us != AMGR_NO_TIME);
        return;
    }
    check(ward->guard.pid != 0 || ward->is_lost);
    /* Who is to end is pressed, or was killed with all that it had. */
    check(ward->row.state != AMGR_MANAGED_STOPPING ||
          ward->step_due_us != AMGR_NO_TIME || ward->is_lost ||
          ward->step == AMGR_WARD_AXED);
    /* Who has said that it stops is so for a time, and else is watched. */
    if (ward->row.state == AMGR_MANAGED_READY) {
        check(ward->row.ready || ward->stopping_due_us != AMGR_NO_TIME);
        check(!ward->row.ready ||
              ward->spec->liveness.type != AMGR_VERIFY_NOTIFY ||
              ward->watchdog_due_us != AMGR_NO_TIME);
    }
}

static void on_turn(int timeout_ms)
{
    int i;

    check(timeout_ms >= 0 && timeout_ms <= 501);
    world.turns++;
    world.now_us++;
    for (i = 0; i < world.supervisor->ward_count; i++) {
        check_ward(world.supervisor->wards[i]);
    }
    if (fuzz_left(&input) > 0 && happened++ < HAPPENINGS_MAX &&
        world.count < CHILDREN_MAX / 2) {
        happen();
    }
    else {
        behave(timeout_ms);
    }
}

static void check_counters(const amgr_managed_t *row, const amgr_managed_t *was)
{
    int i;

    check(row->starts >= was->starts && row->cpu_us >= was->cpu_us &&
          row->checks_passed >= was->checks_passed &&
          row->checks_failed >= was->checks_failed &&
          row->output_bytes >= was->output_bytes &&
          row->output_dropped >= was->output_dropped);
    for (i = 0; i < AMGR_MANAGED_EXIT_COUNT; i++) {
        check(row->exits[i] >= was->exits[i]);
    }
}

/* Whether it may have been forgotten and begun again since: by a configuration
 * without it and another with it, perhaps within one turn. */
static int is_anew(const amgr_managed_t *row, const amgr_managed_table_t *table)
{
    return table->applied != before.applied && row->starts <= 1;
}

static void on_publish(const amgr_managed_table_t *table)
{
    static amgr_managed_table_t mended;
    int i;

    check(table->revision >= before.revision);
    check(table->applied >= before.applied || before.applied == 0);
    mended = *table;
    amgr_managed_mend(&mended);
    for (i = 0; i < table->count; i++) {
        /* A guard may tell of a signal that there is none of. */
        mended.processes[i].exit_signal = table->processes[i].exit_signal;
    }
    check(memcmp(&mended, table, sizeof(mended)) == 0);
    for (i = 0; i < table->count; i++) {
        const amgr_managed_t *row = &table->processes[i];
        const amgr_managed_t *was = amgr_managed_find(&before, row->name);

        check(!row->ready || row->state == AMGR_MANAGED_READY ||
              row->state == AMGR_MANAGED_EXITED);
        check(row->starts >= row->exits[AMGR_MANAGED_EXIT_LOST]);
        if (was != NULL && !is_anew(row, table)) {
            check_counters(row, was);
        }
    }
    before = *table;
}

static void note(void *baton, int what, int level, int error, const char *text)
{
    (void)baton; /* whoever listens */
    (void)error;
    check(what >= 0 && what < AMGR_SAY_COUNT);
    check(level >= 0 && level < AMGR_LEVEL_COUNT);
    check(text[0] != '\0');
}

static void begin(amgr_supervisor_setup_t *setup)
{
    const amgr_teller_t teller = {note, NULL};
    int on = 1;
    int ends[2];

    memset(&world, 0, sizeof(world));
    memset(&before, 0, sizeof(before));
    world.now_us = 1000 * APR_USEC_PER_SEC;
    world.parent = getpid();
    world.pool = fuzz_pool();
    happened = is_ending = end_turns = 0;
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                     ends) == 0);
    check(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    parent_fd = ends[1];
    memset(setup, 0, sizeof(*setup));
    setup->parent = getpid();
    setup->parent_fd = ends[0];
    setup->wait_fd = -1;
    setup->guard.teller = teller;
    setup->guard.log_fd = -1;
    setup->guard.hold_fd = -1;
    setup->guard.lock_fd = -1;
    setup->check.teller = teller;
}

/* All that its end would have given back to the system. */
static void clean_up(void)
{
    amgr_supervisor_t *supervisor = world.supervisor;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (supervisor->wards[i]->guard.fd >= 0) {
            close(supervisor->wards[i]->guard.fd);
        }
        amgr_ward_release(supervisor->wards[i]);
        free(supervisor->wards[i]);
    }
    close(supervisor->signal_fd);
    if (supervisor->setup.parent_fd >= 0) {
        close(supervisor->setup.parent_fd);
    }
    if (supervisor->setup.wait_fd >= 0) {
        close(supervisor->setup.wait_fd);
    }
    for (i = 0; i < world.count; i++) {
        if (world.children[i].fd >= 0) {
            close(world.children[i].fd);
        }
    }
    close(parent_fd);
    apr_pool_destroy(world.pool);
    world.pool = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static amgr_supervisor_setup_t setup;
    int i;

    input.at = data;
    input.end = data + size;
    begin(&setup);
    if (fuzz_below(&input, 4) == 0) {
        setup.wait_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        world.has_last_run = 1;
    }
    if (setjmp(world.over) == 0) {
        amgr_supervisor_run(&setup);
    }
    check(world.supervisor->phase == AMGR_PHASE_ENDING);
    for (i = 0; i < world.count; i++) {
        const child_t *child = &world.children[i];

        check(child->is_attempt || child->is_reaped || world.parent == 1);
    }
    clean_up();
    return 0;
}
