/* SPDX-License-Identifier: Apache-2.0
 *
 * What the threads of a process are blocked on.  First the state of every
 * thread, equal ones merged; then, for the few that are shown, what their
 * descriptors are; last the addresses of the sockets among these, all in one
 * pass over the tables.
 */
#include "action/evidence.h"

#include <string.h>

#include <apr_strings.h>

#include "base/sink.h"

/** Threads that are looked at, and states that are told apart. */
#define TIDS_MAX 1024
#define STATES_MAX 64

/** Of each table of sockets: some 50,000 connections.  The deadline comes long
 * before, unless the caller has much time. */
#define TABLE_BYTES (8 * 1024 * 1024)

/** A state that threads were found in. */
typedef struct state_t {
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    int is_futex;
    int fd;
    pid_t tid;
    int count;
} state_t;

typedef struct states_t {
    state_t all[STATES_MAX];
    int count;
} states_t;

/** Sockets to be looked up, and the entry that each belongs to. */
typedef struct sockets_t {
    amgr_proc_socket_t all[AMGR_EVIDENCE_THREADS];
    int entry[AMGR_EVIDENCE_THREADS];
    int count;
} sockets_t;

static int access_of(apr_status_t rv)
{
    switch (rv) {
    case APR_SUCCESS:
        return AMGR_EVIDENCE_OK;
    case APR_EACCES:
        return AMGR_EVIDENCE_DENIED;
    case APR_NOTFOUND:
        return AMGR_EVIDENCE_GONE;
    default:
        return AMGR_EVIDENCE_FAILED;
    }
}

static int is_same(const state_t *a, const state_t *b)
{
    if (a->call.state != b->call.state || a->call.number != b->call.number ||
        a->fd != b->fd || a->is_futex != b->is_futex) {
        return 0;
    }
    if (!a->is_futex) {
        return 1;
    }
    return a->futex.is_private == b->futex.is_private &&
           (a->futex.is_private || a->futex.address == b->futex.address);
}

/* How much a state explains: what waits for somebody else comes before what
 * works, and idle threads of a pool come last. */
static int rank_of(const state_t *state)
{
    if (state->is_futex) {
        return state->futex.is_private ? 3 : 0;
    }
    if (state->fd >= 0) {
        return 0;
    }
    return state->call.state == AMGR_TASK_SYSCALL ? 2 : 1;
}

/* Add a thread in this state; 0 when it is one too many. */
static int add_state(states_t *states, const amgr_proc_syscall_t *call,
                     pid_t tid)
{
    state_t state;
    int i;

    memset(&state, 0, sizeof(state));
    state.call = *call;
    state.fd = amgr_proc_syscall_fd(call);
    state.is_futex = amgr_proc_syscall_futex(call, &state.futex);
    state.tid = tid;
    state.count = 1;
    for (i = 0; i < states->count; i++) {
        if (is_same(&states->all[i], &state)) {
            states->all[i].count++;
            return 1;
        }
    }
    if (states->count == STATES_MAX) {
        return 0;
    }
    states->all[states->count++] = state;
    return 1;
}

/* The state of every thread that can be read before the deadline. */
static void read_states(amgr_proc_dir_t *tasks, const pid_t *tids, int count,
                        apr_time_t deadline_mono_us, states_t *states,
                        amgr_evidence_t *out)
{
    amgr_proc_syscall_t call;
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        /* At each: the kernel may wait for a thread on its way to sleep. */
        if (amgr_clock_monotonic_us() >= deadline_mono_us) {
            break;
        }
        rv = amgr_proc_read_syscall(tasks, tids[i], &call);
        if (rv == APR_EACCES) {
            out->access = AMGR_EVIDENCE_DENIED; /* and so are the others */
            break;
        }
        if (rv == APR_SUCCESS) {
            out->threads_left_out += !add_state(states, &call, tids[i]);
        }
        else if (rv != APR_NOTFOUND) {
            out->threads_unread++;
        }
    }
    out->threads_unread += count - i;
}

/* By rank, each rank in the order of thread ids; few enough to insert. */
static void sort_states(states_t *states)
{
    int i;
    int at;

    for (i = 1; i < states->count; i++) {
        state_t state = states->all[i];

        for (at = i; at > 0 && rank_of(&states->all[at - 1]) > rank_of(&state);
             at--) {
            states->all[at] = states->all[at - 1];
        }
        states->all[at] = state;
    }
}

static void put_futex(const amgr_proc_futex_t *futex,
                      amgr_evidence_thread_t *entry)
{
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, entry->target, sizeof(entry->target));
    if (futex->is_private) {
        amgr_sink_puts(&sink, "private futex");
    }
    else {
        amgr_sink_printf(&sink, "shared futex 0x%llx",
                         (unsigned long long)futex->address);
    }
    (void)amgr_sink_text(&sink); /* terminates it in place */
}

/* The name of a session's file is the key to the session: of "sess_KEY", as PHP
 * calls it, nothing but the prefix is kept. */
static void hide_key(char *path, apr_size_t size)
{
    static const char prefix[] = "/sess_";
    char *name = strrchr(path, '/');
    apr_size_t used;

    if (name == NULL) {
        apr_cpystrn(path, "...", size); /* the end of a name: who knows */
        return;
    }
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0) {
        return;
    }
    used = (apr_size_t)(name - path) + sizeof(prefix) - 1;
    apr_cpystrn(path + used, "...", size - used);
}

/* What its descriptor is, but for the addresses of a socket. */
static void put_target(amgr_proc_dir_t *tasks, int index,
                       amgr_evidence_thread_t *entry, sockets_t *sockets)
{
    amgr_proc_target_t target;
    apr_status_t rv;

    rv = amgr_proc_read_target(tasks, entry->tid, entry->fd, &target);
    if (rv != APR_SUCCESS) {
        apr_cpystrn(entry->target,
                    rv == APR_EACCES     ? "no permission"
                    : rv == APR_NOTFOUND ? "closed by now"
                                         : "unknown",
                    sizeof(entry->target));
        return;
    }
    apr_cpystrn(entry->target, target.text, sizeof(entry->target));
    if (target.kind == AMGR_TARGET_PATH) {
        hide_key(entry->target, sizeof(entry->target));
    }
    if (target.kind == AMGR_TARGET_SOCKET) {
        sockets->all[sockets->count].inode = target.inode;
        sockets->entry[sockets->count] = index;
        sockets->count++;
    }
}

/* "tcp 127.0.0.1:40000 to 10.0.0.5:3306 (CLOSE_WAIT)"; without the local
 * address where both do not fit. */
static apr_status_t put_inet(const amgr_proc_socket_t *found, int with_local,
                             amgr_evidence_thread_t *entry)
{
    const char *state = amgr_proc_tcp_state_word(found->state);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, entry->target, sizeof(entry->target));
    amgr_sink_puts(&sink, found->kind == AMGR_SOCKET_TCP ? "tcp" : "udp");
    if (found->listening) {
        amgr_sink_puts(&sink, " listening on ");
        amgr_sink_puts(&sink, found->local);
    }
    else {
        if (with_local) {
            amgr_sink_putc(&sink, ' ');
            amgr_sink_puts(&sink, found->local);
        }
        if (found->peer[0] != '\0') {
            amgr_sink_puts(&sink, " to ");
            amgr_sink_puts(&sink, found->peer);
        }
        if (found->kind == AMGR_SOCKET_TCP &&
            strcmp(state, "ESTABLISHED") != 0) {
            amgr_sink_printf(&sink, " (%s)", state);
        }
    }
    (void)amgr_sink_text(&sink); /* terminates it in place */
    return sink.status;
}

static void put_unix(const amgr_proc_socket_t *found,
                     amgr_evidence_thread_t *entry)
{
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, entry->target, sizeof(entry->target));
    amgr_sink_puts(&sink, found->listening ? "unix listening on " : "unix ");
    amgr_sink_puts(&sink, found->local[0] != '\0' ? found->local : "(no name)");
    (void)amgr_sink_text(&sink); /* terminates it in place */
}

/* Why the addresses of a socket are not there, behind its inode. */
static void put_missing(apr_status_t rv, amgr_evidence_thread_t *entry)
{
    apr_size_t used = strlen(entry->target);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, entry->target + used,
                        sizeof(entry->target) - used);
    if (rv == APR_ENOSPC) {
        amgr_sink_printf(&sink, ", not found within %d KiB",
                         TABLE_BYTES / 1024);
    }
    else if (rv == APR_TIMEUP) {
        amgr_sink_puts(&sink, ", not found in time");
    }
    else if (rv == APR_EACCES) {
        amgr_sink_puts(&sink, ", no permission");
    }
    (void)amgr_sink_text(&sink); /* terminates it in place */
}

static void put_sockets(amgr_proc_dir_t *tasks, apr_time_t deadline_mono_us,
                        sockets_t *sockets, amgr_evidence_t *out)
{
    amgr_proc_budget_t budget = {TABLE_BYTES, deadline_mono_us};
    apr_status_t rv;
    int i;

    if (sockets->count == 0) {
        return;
    }
    rv = amgr_proc_find_sockets(tasks, out->blocked[sockets->entry[0]].tid,
                                &budget, sockets->all, sockets->count);
    for (i = 0; i < sockets->count; i++) {
        const amgr_proc_socket_t *found = &sockets->all[i];
        amgr_evidence_thread_t *entry = &out->blocked[sockets->entry[i]];

        if (found->kind == AMGR_SOCKET_UNKNOWN) {
            put_missing(rv, entry);
        }
        else if (found->kind == AMGR_SOCKET_UNIX) {
            put_unix(found, entry);
        }
        else if (put_inet(found, 1, entry) != APR_SUCCESS) {
            (void)put_inet(found, 0, entry); /* one address always fits */
        }
    }
}

/* The states that explain most, with all that can be said of them. */
static void put_states(amgr_proc_dir_t *tasks, states_t *states,
                       apr_time_t deadline_mono_us, amgr_evidence_t *out)
{
    sockets_t sockets;
    int i;

    memset(&sockets, 0, sizeof(sockets));
    sort_states(states);
    for (i = 0; i < states->count; i++) {
        const state_t *state = &states->all[i];
        amgr_evidence_thread_t *entry;

        if (i >= AMGR_EVIDENCE_THREADS) {
            out->threads_left_out += state->count;
            continue;
        }
        entry = &out->blocked[out->thread_count++];
        memset(entry, 0, sizeof(*entry));
        entry->tid = (apr_int32_t)state->tid;
        entry->count = state->count;
        entry->state = state->call.state;
        entry->fd = state->fd;
        amgr_proc_syscall_name(&state->call, entry->call, sizeof(entry->call));
        (void)amgr_proc_read_wchan(tasks, state->tid, entry->wchan,
                                   sizeof(entry->wchan)); /* or none */
        if (state->is_futex) {
            put_futex(&state->futex, entry);
        }
        else if (state->fd >= 0) {
            put_target(tasks, i, entry, &sockets);
        }
    }
    put_sockets(tasks, deadline_mono_us, &sockets, out);
}

/* Why no thread could be read, when none could. */
static int access_of_none(amgr_proc_dir_t *tasks, pid_t tid)
{
    amgr_proc_stat_t stat;

    /* It is there, so its kernel does not tell what it does. */
    return amgr_proc_read_stat(tasks, tid, &stat) == APR_SUCCESS
               ? AMGR_EVIDENCE_FAILED
               : AMGR_EVIDENCE_GONE;
}

static void look_at_threads(amgr_proc_dir_t *tasks, apr_time_t deadline_mono_us,
                            amgr_evidence_t *out)
{
    pid_t tids[TIDS_MAX];
    states_t states;
    apr_status_t rv;
    int count;

    rv = amgr_proc_list(tasks, tids, TIDS_MAX, &count);
    if (rv != APR_SUCCESS && rv != APR_ENOSPC) {
        out->access = access_of(rv);
        return;
    }
    states.count = 0;
    if (rv == APR_ENOSPC) {
        out->threads_unread = out->threads > count ? out->threads - count : 1;
    }
    else {
        out->threads = count;
    }
    read_states(tasks, tids, count, deadline_mono_us, &states, out);
    if (states.count == 0 && out->access == AMGR_EVIDENCE_OK &&
        out->threads_unread == 0) {
        out->access = access_of_none(tasks, count > 0 ? tids[0] : 0);
    }
    put_states(tasks, &states, deadline_mono_us, out);
}

void amgr_evidence_take_threads(amgr_proc_dir_t *proc, const amgr_proc_id_t *id,
                                apr_time_t deadline_mono_us,
                                amgr_evidence_t *out)
{
    amgr_proc_dir_t tasks;
    apr_status_t rv;

    out->thread_count = 0;
    out->threads_unread = 0;
    out->threads_left_out = 0;
    rv = amgr_proc_tasks_open(proc, id, &tasks);
    out->access = access_of(rv);
    if (rv == APR_SUCCESS) {
        look_at_threads(&tasks, deadline_mono_us, out);
        amgr_proc_dir_close(&tasks);
    }
}
