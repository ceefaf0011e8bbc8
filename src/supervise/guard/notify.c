/* SPDX-License-Identifier: Apache-2.0
 *
 * See notify.h.
 */
#include "supervise/guard/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** Datagrams that are heard before others are; and taken, with those that are
 * not looked at. */
#define DATAGRAMS_MAX 32
#define TAKEN_MAX 256

/** So many strangers in a second are a flood. */
#define STRANGERS_MAX 8

/** Generations between the guard and who speaks. */
#define STEPS_MAX 64

static int is_line(const char *line, apr_size_t len, const char *text)
{
    return len == strlen(text) && memcmp(line, text, len) == 0;
}

static void take_status(amgr_notice_t *notice, const char *text, apr_size_t len)
{
    if (len >= sizeof(notice->status)) {
        len = sizeof(notice->status) - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    memcpy(notice->status, text, len);
    notice->status[len] = '\0';
    notice->said |= AMGR_NOTICE_STATUS;
}

static void take_line(amgr_notice_t *notice, const char *line, apr_size_t len)
{
    static const char status[] = "STATUS=";
    const apr_size_t status_len = sizeof(status) - 1;

    if (is_line(line, len, "READY=1")) {
        /* Of what was said before nothing holds any more; the other way round
         * both do, in the order of a run. */
        notice->said &= ~(unsigned int)AMGR_NOTICE_STOPPING;
        notice->said |= AMGR_NOTICE_READY;
    }
    else if (is_line(line, len, "WATCHDOG=1")) {
        notice->said |= AMGR_NOTICE_WATCHDOG;
    }
    else if (is_line(line, len, "STOPPING=1")) {
        notice->said |= AMGR_NOTICE_STOPPING;
    }
    else if (len >= status_len && memcmp(line, status, status_len) == 0) {
        take_status(notice, line + status_len, len - status_len);
    }
}

void amgr_notice_parse(const char *bytes, apr_size_t len, amgr_notice_t *notice)
{
    const char *end;
    apr_size_t part;

    /* A text has no NUL; what comes after one was meant otherwise. */
    end = len > 0 ? memchr(bytes, '\0', len) : NULL;
    if (end != NULL) {
        len = (apr_size_t)(end - bytes);
    }
    while (len > 0) {
        end = memchr(bytes, '\n', len);
        part = end != NULL ? (apr_size_t)(end - bytes) : len;
        take_line(notice, bytes, part);
        if (end == NULL) {
            return;
        }
        bytes += part + 1;
        len -= part + 1;
    }
}

/** What the kernel has named it: "@" stands for the NUL at the beginning. */
static int read_address(amgr_notify_t *notify)
{
    struct sockaddr_un address;
    socklen_t len = sizeof(address);
    int name_len;

    if (getsockname(notify->fd, (struct sockaddr *)&address, &len) != 0) {
        return errno;
    }
    name_len = (int)len - (int)offsetof(struct sockaddr_un, sun_path) - 1;
    if (name_len <= 0 || name_len >= AMGR_NOTIFY_ADDRESS_LEN - 1) {
        return ENAMETOOLONG;
    }
    snprintf(notify->address, sizeof(notify->address), "@%.*s", name_len,
             address.sun_path + 1);
    return 0;
}

apr_status_t amgr_notify_open(amgr_notify_t *notify)
{
    sa_family_t family = AF_UNIX;
    const int on = 1;
    int error = 0;

    memset(notify, 0, sizeof(*notify));
    notify->friend_uid = (uid_t)-1;
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    /* Before it has a name: no datagram comes without credentials. */
    if (setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0 ||
        bind(notify->fd, (const struct sockaddr *)&family, sizeof(family)) !=
            0) {
        error = errno;
    }
    if (error == 0) {
        error = read_address(notify);
    }
    if (error != 0) {
        amgr_notify_close(notify);
        return APR_FROM_OS_ERROR(error);
    }
    return APR_SUCCESS;
}

int amgr_notify_is_below(amgr_proc_dir_t *proc, pid_t pid, pid_t top)
{
    amgr_proc_stat_t stat;
    int i;

    for (i = 0; i < STEPS_MAX && pid > 1; i++) {
        if (amgr_proc_read_stat(proc, pid, &stat) != APR_SUCCESS) {
            return 0;
        }
        if (stat.ppid == top) {
            return 1;
        }
        pid = stat.ppid;
    }
    return 0;
}

/** The sender of a datagram as the kernel has seen it; pid 0: not told, or of a
 * place that we cannot see. */
static struct ucred sender_of(struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    struct ucred sender = {0, (uid_t)-1, (gid_t)-1};

    if (part != NULL && part->cmsg_level == SOL_SOCKET &&
        part->cmsg_type == SCM_CREDENTIALS &&
        part->cmsg_len >= CMSG_LEN(sizeof(sender))) {
        memcpy(&sender, CMSG_DATA(part), sizeof(sender));
    }
    return sender;
}

/** Whether a sender is of a user who floods us, and of whom nobody was ever
 * heard: not worth a look at /proc.  Root and we ourselves are always. */
static int is_flooding(const amgr_notify_t *notify, uid_t uid)
{
    return notify->strangers >= STRANGERS_MAX && uid == notify->stranger_uid &&
           uid != 0 && uid != geteuid() && uid != notify->friend_uid;
}

static void note_stranger(amgr_notify_t *notify, const struct ucred *sender,
                          apr_time_t now_mono_us)
{
    notify->stranger = sender->pid > 0 ? sender->pid : -1;
    if (sender->uid != notify->stranger_uid || notify->strangers == 0) {
        notify->stranger_uid = sender->uid;
        notify->strangers = 0;
        notify->strangers_mono_us = now_mono_us;
    }
    if (++notify->strangers >= STRANGERS_MAX) {
        notify->pause_mono_us = now_mono_us + AMGR_NOTIFY_PAUSE_US;
    }
}

/** One datagram.  -1: there is none; 0: it was not looked at; 1: it was. */
static int read_one(amgr_notify_t *notify, amgr_proc_dir_t *proc,
                    apr_time_t now_mono_us, amgr_notice_t *notice)
{
    /* Room for the credentials, and for no descriptor: the kernel drops them
     * all, and none is ever open here. */
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
    char bytes[AMGR_NOTIFY_LEN_MAX];
    struct iovec vector = {bytes, sizeof(bytes)};
    struct msghdr message;
    struct ucred sender;
    ssize_t len;

    memset(&message, 0, sizeof(message));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    len = recvmsg(notify->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0) {
        return errno == EINTR ? 0 : -1;
    }
    sender = sender_of(&message);
    if (is_flooding(notify, sender.uid)) {
        notify->pause_mono_us = now_mono_us + AMGR_NOTIFY_PAUSE_US;
        return 0;
    }
    if (!amgr_notify_is_below(proc, sender.pid, getpid())) {
        note_stranger(notify, &sender, now_mono_us);
        return 1;
    }
    notify->friend_uid = sender.uid;
    if ((message.msg_flags & MSG_TRUNC) == 0) {
        amgr_notice_parse(bytes, (apr_size_t)len, notice);
    }
    return 1;
}

int amgr_notify_read(amgr_notify_t *notify, amgr_proc_dir_t *proc,
                     apr_time_t now_mono_us, amgr_notice_t *notice)
{
    int heard = 0;
    int got;
    int i;

    notify->pause_mono_us = 0;
    if (now_mono_us - notify->strangers_mono_us > APR_USEC_PER_SEC) {
        notify->strangers = 0;
    }
    for (i = 0; i < TAKEN_MAX && heard < DATAGRAMS_MAX && notify->fd >= 0;
         i++) {
        got = read_one(notify, proc, now_mono_us, notice);
        if (got < 0) {
            return 0;
        }
        heard += got;
    }
    return notify->fd >= 0;
}

void amgr_notify_close(amgr_notify_t *notify)
{
    if (notify->fd >= 0) {
        close(notify->fd);
    }
    notify->fd = -1;
}
