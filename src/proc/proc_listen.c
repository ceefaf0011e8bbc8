/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_listen.h.  Without the diagnostics (a sandbox that forbids netlink,
 * a kernel without inet_diag) and for other namespaces the tables are read.
 */
#include "proc/proc_listen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "proc/proc_internal.h"

/** A process has no more descriptors. */
#define DESCRIPTOR_MAX (1 << 30)

/** Descriptors between two looks at the clock. */
#define LOOK_EVERY 64

#define TCP_LISTEN_STATE 10

/** A datagram of the kernel's answer is no longer. */
#define ANSWER_LEN 32768

/** The kernel answers a dump by itself; this is for one that does not. */
#define ANSWER_US 500000

/** A walk over listeners. */
typedef struct walk_t {
    amgr_proc_listener_fn *fn;
    void *baton;
    int is_over; /**< the taker has enough */
} walk_t;

static apr_status_t open_descriptors(const amgr_proc_dir_t *dir, pid_t pid,
                                     DIR **out)
{
    char path[AMGR_PROC_PATH_LEN];
    int fd;

    if (!amgr_proc_make_path(path, sizeof(path), pid, "fd")) {
        return APR_EGENERAL;
    }
    fd = openat(dir->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return amgr_proc_status_of(errno);
    }
    *out = fdopendir(fd);
    if (*out == NULL) {
        close(fd);
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_proc_each_socket(amgr_proc_dir_t *dir, pid_t pid,
                                   const amgr_proc_budget_t *budget,
                                   amgr_proc_inode_fn *fn, void *baton)
{
    amgr_proc_target_t target;
    const struct dirent *entry;
    apr_status_t result;
    apr_status_t rv;
    int looked = 0;
    int number;
    DIR *fds = NULL;

    result = open_descriptors(dir, pid, &fds);
    if (fds == NULL) {
        return amgr_proc_note(dir, "fd", result);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has the stream */
    while ((entry = readdir(fds)) != NULL) {
        if (looked++ % LOOK_EVERY == 0 &&
            amgr_clock_monotonic_us() >= budget->mono_us) {
            result = APR_TIMEUP;
            break;
        }
        if (amgr_count_parse(entry->d_name, 0, DESCRIPTOR_MAX, &number) !=
            NULL) {
            continue;
        }
        rv = amgr_proc_read_target(dir, pid, number, &target);
        if (rv == APR_EACCES) {
            result = rv;
        }
        if (rv == APR_SUCCESS && target.kind == AMGR_TARGET_SOCKET &&
            fn(baton, target.inode)) {
            break;
        }
    }
    closedir(fds);
    return result;
}

static void give(walk_t *walk, const amgr_proc_socket_t *found)
{
    if (!walk->is_over) {
        walk->is_over = walk->fn(walk->baton, found) != 0;
    }
}

static void take_message(walk_t *walk, const struct inet_diag_msg *message)
{
    amgr_proc_socket_t found;
    struct in6_addr address;

    memset(&found, 0, sizeof(found));
    memcpy(&address, message->id.idiag_src, sizeof(address));
    if (message->idiag_state != TCP_LISTEN_STATE ||
        !amgr_proc_put_address(found.local, sizeof(found.local), &address,
                               message->idiag_family == AF_INET,
                               ntohs(message->id.idiag_sport))) {
        return;
    }
    found.inode = message->idiag_inode;
    found.kind = AMGR_SOCKET_TCP;
    found.state = message->idiag_state;
    found.listening = 1;
    found.uid = message->idiag_uid;
    give(walk, &found);
}

/* One datagram: APR_INCOMPLETE when more follow. */
static apr_status_t take_answer(walk_t *walk, const char *buf, ssize_t len)
{
    const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)buf;

    for (; NLMSG_OK(head, (unsigned int)len); head = NLMSG_NEXT(head, len)) {
        if (head->nlmsg_type == NLMSG_DONE) {
            return APR_SUCCESS;
        }
        if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
            head->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) {
            return APR_EGENERAL;
        }
        take_message(walk, NLMSG_DATA(head));
    }
    return APR_INCOMPLETE;
}

static apr_status_t ask_family(int fd, int family, walk_t *walk)
{
    _Alignas(struct nlmsghdr) char buf[ANSWER_LEN];
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request;
    struct sockaddr_nl kernel;
    struct sockaddr_nl from;
    socklen_t from_len;
    apr_status_t rv;
    ssize_t len;

    memset(&request, 0, sizeof(request));
    memset(&kernel, 0, sizeof(kernel));
    memset(&from, 0, sizeof(from));
    kernel.nl_family = AF_NETLINK;
    request.head.nlmsg_len = sizeof(request);
    request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = (__u8)family;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = 1U << TCP_LISTEN_STATE;
    if (sendto(fd, &request, sizeof(request), 0,
               (const struct sockaddr *)(const void *)&kernel,
               sizeof(kernel)) != (ssize_t)sizeof(request)) {
        return APR_ENOTIMPL;
    }
    do {
        from_len = sizeof(from);
        len = recvfrom(fd, buf, sizeof(buf), 0,
                       (struct sockaddr *)(void *)&from, &from_len);
        if (len <= 0) {
            return APR_ENOTIMPL;
        }
        /* Any process may send here; pid 0 is the kernel. */
        rv = from_len == sizeof(from) && from.nl_pid == 0
                 ? take_answer(walk, buf, len)
                 : APR_INCOMPLETE;
    } while (rv == APR_INCOMPLETE && !walk->is_over);
    return rv == APR_INCOMPLETE ? APR_SUCCESS : rv;
}

/* By the kernel's diagnostics, of this process's own namespace. */
static apr_status_t ask_kernel(walk_t *walk)
{
    struct timeval timeout = {0, ANSWER_US};
    apr_status_t rv;
    int fd;

    fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) {
        return APR_ENOTIMPL;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) !=
        0) {
        close(fd);
        return APR_ENOTIMPL;
    }
    rv = ask_family(fd, AF_INET, walk);
    if (rv == APR_SUCCESS && !walk->is_over) {
        rv = ask_family(fd, AF_INET6, walk);
    }
    close(fd);
    return rv;
}

/* They stand first; behind them nothing is looked for. */
static int take_line(void *baton, const char *line, apr_size_t len)
{
    walk_t *walk = baton;
    amgr_proc_socket_t found;

    if (amgr_proc_parse_inet(line, len, AMGR_SOCKET_TCP, &found) !=
        APR_SUCCESS) {
        return 0; /* the heading */
    }
    if (found.listening) {
        give(walk, &found);
    }
    return !found.listening || walk->is_over;
}

static apr_status_t read_tables(amgr_proc_dir_t *dir, pid_t pid,
                                const amgr_proc_budget_t *budget, walk_t *walk)
{
    static const char *const tables[] = {"net/tcp", "net/tcp6"};
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;
    apr_size_t i;
    int fd;

    for (i = 0; i < AMGR_COUNT(tables) && !walk->is_over; i++) {
        rv = amgr_proc_open(dir, pid, tables[i], &fd);
        if (rv == APR_SUCCESS) {
            rv = amgr_proc_each_line(fd, budget, take_line, walk);
            close(fd);
        }
        /* A kernel without IPv6 has one table. */
        if (rv != APR_SUCCESS && (rv != APR_NOTFOUND || i == 0)) {
            result = amgr_proc_note(dir, "net", rv);
        }
    }
    return result;
}

/* Beyond doubt. */
static int is_own_namespace(amgr_proc_dir_t *dir, pid_t pid)
{
    char own[64];
    char its[64];

    return pid == getpid() ||
           (amgr_proc_read_link(dir, pid, "ns/net", its, sizeof(its)) ==
                APR_SUCCESS &&
            amgr_proc_read_link(dir, getpid(), "ns/net", own, sizeof(own)) ==
                APR_SUCCESS &&
            strcmp(own, its) == 0);
}

apr_status_t amgr_proc_each_listener(amgr_proc_dir_t *dir, pid_t pid,
                                     const amgr_proc_budget_t *budget,
                                     amgr_proc_listener_fn *fn, void *baton)
{
    walk_t walk = {fn, baton, 0};

    if (is_own_namespace(dir, pid) && ask_kernel(&walk) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return walk.is_over ? APR_SUCCESS : read_tables(dir, pid, budget, &walk);
}
