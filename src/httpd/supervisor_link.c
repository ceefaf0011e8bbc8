/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_link.h.
 */
#include "httpd/supervisor_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <http_config.h>
#include <unixd.h>

#include "httpd/control_setting.h"
#include "httpd/helper_process.h"

#define SOCKET_NAME "apache-managed.sock"

/** The specifications, and the error log. */
#define DESCRIPTORS_MAX 2

const char *amgr_supervisor_link_socket(apr_pool_t *pool)
{
    return ap_runtime_dir_relative(pool, SOCKET_NAME);
}

apr_status_t amgr_supervisor_link_create(amgr_supervisor_ends_t *out)
{
    static const int on = 1;
    int pair[2];
    int hold[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return errno;
    }
    if (pipe2(hold, O_CLOEXEC) != 0) {
        apr_status_t rv = errno;

        close(pair[0]);
        close(pair[1]);
        return rv;
    }
    out->ours = pair[0];
    out->theirs = pair[1];
    out->hold_read = hold[0];
    out->hold_write = hold[1];
    /* Before the first message, which would come without a sender. */
    if (setsockopt(out->theirs, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) !=
        0) {
        apr_status_t rv = errno;

        amgr_supervisor_link_destroy(out);
        return rv;
    }
    return APR_SUCCESS;
}

void amgr_supervisor_link_leave(amgr_supervisor_ends_t *ends)
{
    close(ends->theirs);
    close(ends->hold_write);
}

void amgr_supervisor_link_destroy(amgr_supervisor_ends_t *ends)
{
    amgr_supervisor_link_leave(ends);
    close(ends->ours);
    close(ends->hold_read);
}

int amgr_supervisor_link_is_gone(int fd)
{
    struct pollfd entry = {fd, 0, 0};

    return poll(&entry, 1, 0) == 1 && (entry.revents & (POLLHUP | POLLNVAL));
}

/** One message with its descriptors. */
static apr_status_t send_message(int fd, amgr_parent_message_t *message,
                                 const int *descriptors, int count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control;
    apr_size_t bytes = (apr_size_t)count * sizeof(int);
    struct iovec part;
    struct msghdr sent;
    ssize_t got;

    message->version = AMGR_PARENT_VERSION;
    message->size = sizeof(*message);
    part.iov_base = message;
    part.iov_len = sizeof(*message);
    memset(&sent, 0, sizeof(sent));
    sent.msg_iov = &part;
    sent.msg_iovlen = 1;
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        sent.msg_control = control.space;
        sent.msg_controllen = CMSG_SPACE(bytes);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(&control.header), descriptors, bytes);
    }
    do {
        got = sendmsg(fd, &sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? errno : APR_SUCCESS;
}

static apr_status_t write_all(void *baton, const char *data, apr_size_t len)
{
    const int *fd = baton;

    while (len > 0) {
        ssize_t written = write(*fd, data, len);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? errno : APR_ENOSPC;
        }
        data += written;
        len -= (apr_size_t)written;
    }
    return APR_SUCCESS;
}

/** All sections in memory that has a descriptor: *out_fd is the caller's. */
static apr_status_t pack(const amgr_config_t *config, int *out_fd,
                         apr_uint64_t *out_bytes)
{
    int fd = memfd_create("apache-manager", MFD_CLOEXEC);
    amgr_sink_t sink;
    char buf[4096];
    apr_status_t rv;

    if (fd < 0) {
        return errno;
    }
    amgr_sink_init(&sink, buf, sizeof(buf), write_all, &fd);
    if (config->managed != NULL) {
        amgr_specs_pack((const amgr_spec_t *const *)config->managed->elts,
                        config->managed->nelts, &sink);
    }
    else {
        amgr_specs_pack(NULL, 0, &sink);
    }
    rv = amgr_sink_finish(&sink);
    if (rv == APR_SUCCESS && lseek(fd, 0, SEEK_SET) != 0) {
        rv = errno;
    }
    if (rv != APR_SUCCESS) {
        close(fd);
        return rv;
    }
    *out_fd = fd;
    *out_bytes = sink.total;
    return APR_SUCCESS;
}

/** Where it takes orders: beside the board, unless that place is another
 * server's, or the path is too long for a socket. */
static void set_socket(amgr_parent_message_t *message,
                       const amgr_runtime_t *runtime, apr_pool_t *pool)
{
    const char *path = amgr_supervisor_link_socket(pool);

    if (runtime->place != AMGR_BOARD_DIR_TAKEN && path != NULL &&
        strlen(path) < sizeof(message->socket)) {
        apr_cpystrn(message->socket, path, sizeof(message->socket));
    }
}

apr_status_t amgr_supervisor_link_apply(int fd, server_rec *s,
                                        const amgr_runtime_t *runtime,
                                        const amgr_config_t *config,
                                        apr_uint64_t number)
{
    amgr_parent_message_t message;
    int descriptors[DESCRIPTORS_MAX] = {-1, -1};
    int log_fd = amgr_helper_process_log_fd(s);
    apr_pool_t *pool;
    apr_status_t rv;

    memset(&message, 0, sizeof(message));
    message.word = AMGR_PARENT_APPLY;
    message.number = number;
    message.control = amgr_control_is_on_anywhere();
    message.exit_when_done = config->exit_when_done;
    message.start_in_order = config->start_in_order;
    message.control_uid = geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
    rv = apr_pool_create(&pool, NULL);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    set_socket(&message, runtime, pool);
    apr_pool_destroy(pool);
    rv = pack(config, &descriptors[0], &message.bytes);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    descriptors[1] = log_fd;
    rv = send_message(fd, &message, descriptors, log_fd >= 0 ? 2 : 1);
    close(descriptors[0]);
    return rv;
}

/** One that is nothing but its word. */
static apr_status_t send_word(int fd, int word)
{
    amgr_parent_message_t message;

    memset(&message, 0, sizeof(message));
    message.word = word;
    return send_message(fd, &message, NULL, 0);
}

apr_status_t amgr_supervisor_link_restart(int fd)
{
    return send_word(fd, AMGR_PARENT_RESTART);
}

apr_status_t amgr_supervisor_link_end(int fd)
{
    return send_word(fd, AMGR_PARENT_END);
}
