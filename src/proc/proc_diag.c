/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_diag.h and sock_diag(7).
 */
#include "proc/proc_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_internal.h"

#define OWN_NAMESPACE "/proc/self/ns/net"

#define NAMESPACE_LEN 64

/** A datagram of the kernel's answer is no longer. */
#define ANSWER_LEN 32768

/** The kernel answers a dump by itself; this is for one that does not. */
#define ANSWER_US 500000

/** A walk over sockets. */
typedef struct walk_t {
    unsigned int states;
    apr_time_t until_us; /**< CLOCK_MONOTONIC */
    amgr_proc_socket_fn *fn;
    void *baton;
    int is_over; /**< the taker has enough */
} walk_t;

static int put_peer(amgr_proc_socket_t *found, const struct inet_diag_msg *from)
{
    struct in6_addr address;

    if (from->id.idiag_dport == 0) {
        return 1; /* not connected */
    }
    memcpy(&address, from->id.idiag_dst, sizeof(address));
    return amgr_proc_put_address(found->peer, sizeof(found->peer), &address,
                                 from->idiag_family == AF_INET,
                                 ntohs(from->id.idiag_dport));
}

static void take_message(walk_t *walk, const struct inet_diag_msg *message)
{
    amgr_proc_socket_t found;
    struct in6_addr address;

    memset(&found, 0, sizeof(found));
    memcpy(&address, message->id.idiag_src, sizeof(address));
    if (walk->is_over || message->idiag_state > 31 ||
        (walk->states & 1U << message->idiag_state) == 0 ||
        !amgr_proc_put_address(found.local, sizeof(found.local), &address,
                               message->idiag_family == AF_INET,
                               ntohs(message->id.idiag_sport)) ||
        !put_peer(&found, message)) {
        return;
    }
    found.inode = message->idiag_inode;
    found.kind = AMGR_SOCKET_TCP;
    found.state = message->idiag_state;
    found.listening = message->idiag_state == AMGR_TCP_LISTEN;
    found.uid = message->idiag_uid;
    walk->is_over = walk->fn(walk->baton, &found) != 0;
}

/* One datagram: APR_INCOMPLETE when more follow. */
static apr_status_t take_answer(walk_t *walk, const char *buf, ssize_t len)
{
    const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)buf;

    /* Behind a last one of an odd length there is less than nothing. */
    for (; len > 0 && NLMSG_OK(head, (unsigned int)len);
         head = NLMSG_NEXT(head, len)) {
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
    request.body.idiag_states = walk->states;
    if (sendto(fd, &request, sizeof(request), 0,
               (const struct sockaddr *)(const void *)&kernel,
               sizeof(kernel)) != (ssize_t)sizeof(request)) {
        return APR_ENOTIMPL;
    }
    do {
        if (amgr_clock_monotonic_us() >= walk->until_us) {
            return APR_TIMEUP;
        }
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
    return walk->is_over ? APR_SUCCESS : rv;
}

/** Beyond doubt. */
static int is_own_namespace(amgr_proc_dir_t *dir, pid_t pid)
{
    char its[NAMESPACE_LEN];
    char own[NAMESPACE_LEN];
    ssize_t len;

    if (amgr_proc_read_link(dir, pid, "ns/net", its, sizeof(its)) !=
        APR_SUCCESS) {
        return 0;
    }
    len = readlink(OWN_NAMESPACE, own, sizeof(own) - 1);
    if (len <= 0) {
        return 0;
    }
    own[len] = '\0';
    return strcmp(its, own) == 0;
}

apr_status_t amgr_proc_ask_tcp(amgr_proc_dir_t *dir, pid_t pid,
                               unsigned int states, apr_time_t until_us,
                               amgr_proc_socket_fn *fn, void *baton)
{
    walk_t walk = {states, until_us, fn, baton, 0};

    return is_own_namespace(dir, pid) ? ask_kernel(&walk) : APR_ENOTIMPL;
}
