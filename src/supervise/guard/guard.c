/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard.h: the supervisor's side.
 */
#include "supervise/guard/guard.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise/guard/guard_life.h"

static const char *const stages[AMGR_LAUNCH_STAGE_COUNT] = {
    [AMGR_LAUNCH_FINE] = "nothing is wrong",
    [AMGR_LAUNCH_NO_FORK] = "it cannot be forked",
    [AMGR_LAUNCH_NO_USER] = "its user is not known",
    [AMGR_LAUNCH_NO_GROUP] = "its group is not known",
    [AMGR_LAUNCH_NO_ENVIRONMENT] = "its environment cannot be made",
    [AMGR_LAUNCH_NO_OUTPUT] = "its output has no place to go",
    [AMGR_LAUNCH_NO_LIMIT] = "a limit cannot be set",
    [AMGR_LAUNCH_NO_DIRECTORY] = "its directory cannot be entered",
    [AMGR_LAUNCH_NO_RIGHTS] = "it cannot become its user",
    [AMGR_LAUNCH_NO_DESCRIPTORS] = "it cannot be given what it needs open",
    [AMGR_LAUNCH_NO_EXEC] = "it cannot be executed",
};

const char *amgr_launch_text(int stage)
{
    return stage < 0 || stage >= AMGR_LAUNCH_STAGE_COUNT ? "unknown"
                                                         : stages[stage];
}

apr_status_t amgr_guard_start(const amgr_guard_setup_t *setup,
                              const amgr_spec_t *spec, amgr_guard_t *out)
{
    sigset_t all;
    sigset_t before;
    int ends[2];
    int error;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    /* A signal for the supervisor must not end the guard, or run a handler of
     * the supervisor's in it, before it has made its own arrangements. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0) {
        amgr_guard_live(setup, spec, ends[1]);
    }
    error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return APR_FROM_OS_ERROR(error);
    }
    out->pid = pid;
    out->fd = ends[0];
    return APR_SUCCESS;
}

apr_status_t amgr_guard_send(const amgr_guard_t *guard, int order, int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    apr_int32_t word = order;
    struct iovec vector = {&word, sizeof(word)};
    struct msghdr message;
    struct cmsghdr *part;
    ssize_t len;

    if (guard->fd < 0) {
        return APR_EOF;
    }
    memset(&message, 0, sizeof(message));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        memset(control, 0, sizeof(control));
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(part), &fd, sizeof(fd));
    }
    do {
        len = sendmsg(guard->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (len < 0 && errno == EINTR);
    if (len >= 0) {
        return APR_SUCCESS;
    }
    return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS
               ? APR_EAGAIN
               : APR_EOF;
}

apr_status_t amgr_guard_receive(const amgr_guard_t *guard,
                                amgr_guard_event_t *out)
{
    amgr_guard_event_t event;
    ssize_t len;

    if (guard->fd < 0) {
        return APR_EOF;
    }
    /* ECONNRESET: it ended without having heard all orders, which is told once
     * and before what it had to say. */
    do {
        len = recv(guard->fd, &event, sizeof(event), MSG_DONTWAIT | MSG_TRUNC);
    } while (len < 0 && (errno == EINTR || errno == ECONNRESET));
    if (len < 0 && errno == EAGAIN) {
        return APR_EAGAIN;
    }
    if (len != (ssize_t)sizeof(event) || event.type < 0 ||
        event.type >= AMGR_GUARD_EVENT_COUNT || event.stage < 0 ||
        event.stage >= AMGR_LAUNCH_STAGE_COUNT) {
        return APR_EOF;
    }
    event.text[sizeof(event.text) - 1] = '\0';
    *out = event;
    return APR_SUCCESS;
}

void amgr_guard_close(amgr_guard_t *guard)
{
    if (guard->fd >= 0) {
        close(guard->fd);
    }
    guard->fd = -1;
}
