/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parent sends: a configuration with its descriptors, or the word to
 * end.  It is of the same user and mostly of the same code, but may be of
 * another build after a restart: whatever does not fit is said and left alone,
 * and no descriptor that came stays open but the two that were asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervise/supervisor_parts.h"

/** More specifications than this are none. */
#define BYTES_MAX (16 * 1024 * 1024)

/** Descriptors that can come with a message, to be closed if for nothing
 * else; and messages that are taken at once. */
#define DESCRIPTORS_MAX 8
#define MESSAGES_MAX 8

typedef struct received_t {
    amgr_parent_message_t message;
    int fds[DESCRIPTORS_MAX];
    int fd_count;
    int is_parents; /**< the kernel says that the parent has sent it */
    int is_wrong;   /**< of another size, or cut */
    int is_short;   /**< descriptors that it came with could not be had */
} received_t;

static void ignore(const amgr_supervisor_t *supervisor, int error,
                   const char *why)
{
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_ERR, error,
             "a message to the supervisor is ignored: %s", why);
}

static void take_control(const amgr_supervisor_t *supervisor,
                         const struct cmsghdr *header, received_t *out)
{
    const unsigned char *data = CMSG_DATA(header);
    apr_size_t len = header->cmsg_len - CMSG_LEN(0);
    struct ucred sender;
    int fd;

    if (header->cmsg_level != SOL_SOCKET) {
        return;
    }
    if (header->cmsg_type == SCM_CREDENTIALS && len == sizeof(sender)) {
        memcpy(&sender, data, sizeof(sender));
        out->is_parents =
            sender.pid == supervisor->setup.parent && sender.uid == geteuid();
        return;
    }
    if (header->cmsg_type != SCM_RIGHTS) {
        return;
    }
    for (; len >= sizeof(fd); len -= sizeof(fd), data += sizeof(fd)) {
        memcpy(&fd, data, sizeof(fd));
        if (out->fd_count < DESCRIPTORS_MAX) {
            out->fds[out->fd_count++] = fd;
        }
        else {
            close(fd);
        }
    }
}

/** The next message.  1: there was one; 0: none now; -1: never again. */
static int receive(const amgr_supervisor_t *supervisor, received_t *out)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int)) +
                   CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {&out->message, sizeof(out->message)};
    struct msghdr got;
    struct cmsghdr *header;
    ssize_t len;

    memset(out, 0, sizeof(*out));
    memset(&got, 0, sizeof(got));
    got.msg_iov = &part;
    got.msg_iovlen = 1;
    got.msg_control = control.space;
    got.msg_controllen = sizeof(control.space);
    do {
        len = recvmsg(supervisor->setup.parent_fd, &got,
                      MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len <= 0) {
        return len < 0 && (errno == EAGAIN || errno == ENOMEM) ? 0 : -1;
    }
    for (header = CMSG_FIRSTHDR(&got); header != NULL;
         header = CMSG_NXTHDR(&got, header)) {
        take_control(supervisor, header, out);
    }
    if (len != (ssize_t)sizeof(out->message) ||
        (got.msg_flags & MSG_TRUNC) != 0) {
        out->is_wrong = 1;
    }
    out->is_short = (got.msg_flags & MSG_CTRUNC) != 0;
    return 1;
}

/** NULL, or what is wrong with it. */
static const char *check(const received_t *received)
{
    const amgr_parent_message_t *message = &received->message;

    if (!received->is_parents) {
        return "it is not from the parent";
    }
    if (received->is_wrong) {
        return "it is cut, or of another size";
    }
    if (message->version != AMGR_PARENT_VERSION ||
        message->size != sizeof(*message)) {
        return "it is of another version";
    }
    if (message->word < 0 || message->word >= AMGR_PARENT_WORD_COUNT) {
        return "its word is unknown";
    }
    if (memchr(message->socket, '\0', sizeof(message->socket)) == NULL) {
        return "its path has no end";
    }
    if (message->word != AMGR_PARENT_APPLY) {
        return received->fd_count == 0 && !received->is_short
                   ? NULL
                   : "it has descriptors";
    }
    if (received->is_short ? received->fd_count > 1
                           : received->fd_count < 1 || received->fd_count > 2) {
        return "it has not the descriptors that are expected";
    }
    return message->bytes <= BYTES_MAX ? NULL
                                       : "it has too many specifications";
}

/** All of @a fd, a file in memory of at least @a bytes, malloc'ed. */
static char *read_all(int fd, apr_size_t bytes, int *out_error)
{
    apr_size_t done = 0;
    struct stat info;
    char *text;

    if (fstat(fd, &info) != 0) {
        *out_error = errno;
        return NULL;
    }
    *out_error = EINVAL;
    if (!S_ISREG(info.st_mode) || (apr_uint64_t)info.st_size < bytes) {
        return NULL;
    }
    text = malloc(bytes + 1);
    if (text == NULL) {
        *out_error = ENOMEM;
        return NULL;
    }
    while (done < bytes) {
        ssize_t got = pread(fd, text + done, bytes - done, (off_t)done);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            *out_error = got < 0 ? errno : EINVAL;
            free(text);
            return NULL;
        }
        done += (apr_size_t)got;
    }
    text[bytes] = '\0';
    return text;
}

/** The error log is another file now. */
static void change_log(const amgr_supervisor_t *supervisor, int fd)
{
    int log_fd = supervisor->setup.guard.log_fd;

    if (log_fd < 0 || fd == log_fd) {
        return;
    }
    if (dup3(fd, log_fd, log_fd > STDERR_FILENO ? O_CLOEXEC : 0) < 0) {
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING,
                 errno, "cannot change to the new error log");
    }
}

/** Files of output may have been renamed, whether there is another error log
 * for every guard or not. */
static void reopen_all(const amgr_supervisor_t *supervisor)
{
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_reopen(supervisor, supervisor->wards[i]);
    }
}

/** It will be sent again, until there is what it needs: said once. */
static int put_off(amgr_supervisor_t *supervisor, int error)
{
    if (!supervisor->is_put_off) {
        supervisor->is_put_off = 1;
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_ERR,
                 error,
                 "the new configuration of managed processes cannot be taken "
                 "now: it is tried again");
    }
    return 0;
}

/** Non-zero: it was dealt with, well or not. */
static int apply(amgr_supervisor_t *supervisor, const received_t *received)
{
    const amgr_parent_message_t *message = &received->message;
    int is_done;
    int error;
    char *text;

    if (received->fd_count > 1) {
        change_log(supervisor, received->fds[1]);
    }
    reopen_all(supervisor);
    if (supervisor->phase >= AMGR_PHASE_ENDING) {
        /* By a signal, which the parent cannot know of: no trouble. */
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_INFO, 0,
                 "a new configuration is left to the next supervisor: this one "
                 "ends");
        return 1;
    }
    if (received->is_short) {
        return put_off(supervisor, EMFILE);
    }
    text = read_all(received->fds[0], (apr_size_t)message->bytes, &error);
    if (text == NULL && (error == ENOMEM || error == EIO)) {
        return put_off(supervisor, error);
    }
    if (text == NULL) {
        ignore(supervisor, error, "its specifications cannot be read");
        return 1;
    }
    is_done = amgr_supervisor_apply(supervisor, text,
                                    (apr_size_t)message->bytes, message);
    free(text);
    return is_done || put_off(supervisor, ENOMEM);
}

/** Unless a configuration comes, there is nobody any more to send one. */
static void expect(amgr_supervisor_t *supervisor)
{
    if (supervisor->phase < AMGR_PHASE_ENDING) {
        supervisor->expect_us =
            supervisor->now.mono_us + (supervisor->setup.patience_us > 0
                                           ? supervisor->setup.patience_us
                                           : AMGR_RESTART_PATIENCE_US);
    }
}

void amgr_supervisor_look_expected(amgr_supervisor_t *supervisor)
{
    if (supervisor->expect_us == AMGR_NO_TIME ||
        supervisor->now.mono_us < supervisor->expect_us) {
        return;
    }
    supervisor->expect_us = AMGR_NO_TIME;
    if (supervisor->phase >= AMGR_PHASE_ENDING) {
        return;
    }
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING, 0,
             "no configuration has come since the server was restarted: "
             "managed processes are its no more");
    amgr_supervisor_leave(supervisor, AMGR_PHASE_ENDING);
}

/** It has said so, or is not there any more. */
static void end_with_parent(amgr_supervisor_t *supervisor)
{
    supervisor->is_signalled = 0;
    supervisor->is_dirty = 1;
    amgr_supervisor_leave(supervisor, AMGR_PHASE_ENDING);
}

static void obey(amgr_supervisor_t *supervisor, const received_t *received)
{
    const char *wrong = check(received);

    if (wrong != NULL) {
        ignore(supervisor, 0, wrong);
        return;
    }
    switch (received->message.word) {
    case AMGR_PARENT_APPLY:
        supervisor->expect_us = AMGR_NO_TIME;
        if (apply(supervisor, received)) {
            supervisor->is_put_off = 0;
            supervisor->table.applied = received->message.number;
            supervisor->is_dirty = 1;
        }
        break;
    case AMGR_PARENT_RESTART:
        expect(supervisor);
        break;
    default:
        end_with_parent(supervisor);
        break;
    }
}

void amgr_supervisor_hear_parent(amgr_supervisor_t *supervisor)
{
    received_t received;
    int got;
    int i;

    for (i = 0; i < MESSAGES_MAX && supervisor->setup.parent_fd >= 0; i++) {
        got = receive(supervisor, &received);
        if (got == 0) {
            return;
        }
        if (got < 0) {
            /* Nobody is left who could say anything: as if it had said so. */
            close(supervisor->setup.parent_fd);
            supervisor->setup.parent_fd = -1;
            end_with_parent(supervisor);
            return;
        }
        obey(supervisor, &received);
        while (received.fd_count > 0) {
            close(received.fds[--received.fd_count]);
        }
    }
}
