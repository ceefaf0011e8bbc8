/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a long file of /proc, read in pieces that the first of them say,
 * and as the kernel's answer to who listens.  Checked besides memory: whole
 * lines are handed on, in order and without their ends, the same in whatever
 * pieces they were read; no socket is taken but those that an answer tells of
 * within its length, and that listen.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/proc_lines.h"
#include "proc/proc_listen.h"

/** What read() takes for the file, beyond any descriptor. */
#define FILE_FD 1000000

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_sendto(int fd, const void *buf, size_t size, int flags,
                      const struct sockaddr *to, socklen_t to_len);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags,
                        struct sockaddr *from, socklen_t *from_len);

static fuzz_t file;
static size_t piece;
static int listeners; /**< that were told at most */
static int taken;

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    size_t len = fuzz_left(&file);

    if (fd != FILE_FD) {
        return __real_read(fd, buf, size);
    }
    len = len < size ? len : size;
    len = piece == 0 || len < piece ? len : piece;
    memcpy(buf, file.at, len);
    file.at += len;
    return (ssize_t)len;
}

ssize_t __wrap_sendto(int fd, const void *buf, size_t size, int flags,
                      const struct sockaddr *to, socklen_t to_len)
{
    (void)fd; /* the kernel need not hear it */
    (void)buf;
    (void)flags;
    (void)to;
    (void)to_len;
    return (ssize_t)size;
}

/* How many messages of a datagram may be of sockets that listen. */
static int count_listeners(const uint8_t *at, size_t len)
{
    struct nlmsghdr head;
    int count = 0;

    while (len >= sizeof(head)) {
        memcpy(&head, at, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len) {
            break;
        }
        count += head.nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg));
        if (NLMSG_ALIGN(head.nlmsg_len) >= len) {
            break;
        }
        at += NLMSG_ALIGN(head.nlmsg_len);
        len -= NLMSG_ALIGN(head.nlmsg_len);
    }
    return count;
}

/* As an earlier datagram may have left them behind the end of this one. */
static void fill_with_listeners(char *buf, size_t size)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_msg body;
    } message;

    memset(&message, 0, sizeof(message));
    message.head.nlmsg_len = sizeof(message);
    message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.body.idiag_family = AF_INET;
    message.body.idiag_state = 10;
    for (; size >= sizeof(message); size -= sizeof(message)) {
        memcpy(buf, &message, sizeof(message));
        buf += sizeof(message);
    }
}

/* Datagrams of the kernel's, of which the first two bytes are the length. */
ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags,
                        struct sockaddr *from, socklen_t *from_len)
{
    size_t len = (size_t)fuzz_bits(&file, 2);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    (void)fd; /* there is one */
    (void)flags;
    if (fuzz_left(&file) == 0) {
        return -1;
    }
    len = len < fuzz_left(&file) ? len : fuzz_left(&file);
    len = len < size ? len : size;
    memcpy(buf, file.at, len);
    fill_with_listeners((char *)buf + NLMSG_ALIGN(len),
                        NLMSG_ALIGN(len) < size ? size - NLMSG_ALIGN(len) : 0);
    listeners += count_listeners(file.at, len);
    file.at += len;
    memcpy(from, &kernel, sizeof(kernel));
    *from_len = sizeof(kernel);
    return (ssize_t)len;
}

static int append(void *baton, const char *line, apr_size_t len)
{
    check(memchr(line, '\n', len) == NULL);
    fuzz_append(baton, line, len);
    fuzz_append(baton, "\n", 1);
    return 0;
}

static fuzz_output_t walk(const uint8_t *data, size_t size, size_t of)
{
    const amgr_proc_budget_t budget = {1 << 24, APR_INT64_MAX};
    fuzz_output_t output = {NULL, 0};

    fuzz_append(&output, "", 0);
    file.at = data;
    file.end = data + size;
    piece = of;
    check(amgr_proc_each_line(FILE_FD, &budget, append, &output) ==
          APR_SUCCESS);
    return output;
}

static int take_listener(void *baton, const amgr_proc_socket_t *found)
{
    (void)baton; /* each by itself */
    check(++taken <= listeners);
    check(found->listening && found->local[0] != '\0');
    check(memchr(found->local, '\0', sizeof(found->local)) != NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const amgr_proc_budget_t none = {0, 0};
    fuzz_t in = {data, data + size};
    size_t of = 1 + (size_t)fuzz_below(&in, 256);
    fuzz_output_t whole = walk(in.at, fuzz_left(&in), 0);
    fuzz_output_t cut = walk(in.at, fuzz_left(&in), of);
    amgr_proc_dir_t dir;

    check(whole.len == cut.len && memcmp(whole.data, cut.data, cut.len) == 0);
    check(whole.len <= fuzz_left(&in));
    check(fuzz_left(&in) > 4096 || whole.len == 0 ||
          memcmp(whole.data, in.at, whole.len) == 0);
    free(whole.data);
    free(cut.data);
    memset(&dir, 0, sizeof(dir));
    dir.fd = -1; /* no table is read in its place */
    file = in;
    listeners = taken = 0;
    (void)amgr_proc_each_listener(&dir, getpid(), &none, take_listener, NULL);
    return 0;
}
