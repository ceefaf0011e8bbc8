/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_socket.h.  A line is parsed strictly before its inode is looked at:
 * what does not look like the kernel's is skipped.
 */
#include "proc/proc_socket.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/sink.h"
#include "proc/proc_diag.h"
#include "proc/proc_internal.h"
#include "proc/proc_scan.h"

/** The longest path the kernel tells. */
#define LINK_LEN 4096

#define UNIX_ACCEPTS 0x10000u /* __SO_ACCEPTCON */

/** How a path is cut: the end tells more than the beginning. */
static const char cut_mark[] = "...";

/** A walk over the lines of a table. */
typedef struct walk_t {
    int kind; /**< of the table */
    amgr_proc_socket_t *sockets;
    int count;
} walk_t;

/* "socket:[N]" */
static int scan_inode(const char *buf, apr_size_t len, const char *prefix,
                      apr_uint64_t *out)
{
    apr_size_t prefix_len = strlen(prefix);
    scan_t s = {buf, buf + len};

    if (len < prefix_len || memcmp(buf, prefix, prefix_len) != 0) {
        return 0;
    }
    s.at += prefix_len;
    return scan_u64(&s, out) && scan_char(&s, ']') && s.at == s.end;
}

static void put_target(char *text, apr_size_t size, const char *buf,
                       apr_size_t len)
{
    amgr_sink_t sink;
    const char *nul = memchr(buf, '\0', len);

    if (nul != NULL) {
        len = (apr_size_t)(nul - buf);
    }
    amgr_sink_init_text(&sink, text, size);
    if (len > size - 1) {
        apr_size_t kept = size - 1 - (sizeof(cut_mark) - 1);

        amgr_sink_puts(&sink, cut_mark);
        buf += len - kept;
        len = kept;
    }
    amgr_sink_put(&sink, buf, len);
    (void)amgr_sink_text(&sink); /* terminates it in place */
}

apr_status_t amgr_proc_parse_target(const char *buf, apr_size_t len,
                                    amgr_proc_target_t *out)
{
    amgr_proc_target_t target;

    if (len == 0) {
        return APR_EGENERAL;
    }
    memset(&target, 0, sizeof(target));
    if (buf[0] == '/') {
        target.kind = AMGR_TARGET_PATH;
    }
    else if (scan_inode(buf, len, "socket:[", &target.inode)) {
        target.kind = AMGR_TARGET_SOCKET;
    }
    else if (scan_inode(buf, len, "pipe:[", &target.inode)) {
        target.kind = AMGR_TARGET_PIPE;
    }
    else {
        target.inode = 0;
    }
    put_target(target.text, sizeof(target.text), buf, len);
    *out = target;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_read_target(amgr_proc_dir_t *dir, pid_t pid, int fd,
                                   amgr_proc_target_t *out)
{
    char name[24];
    char link[LINK_LEN];
    amgr_sink_t sink;
    apr_status_t rv;

    amgr_sink_init_text(&sink, name, sizeof(name));
    amgr_sink_puts(&sink, "fd/");
    amgr_sink_i64(&sink, fd);
    rv = amgr_proc_read_link(dir, pid, amgr_sink_text(&sink), link,
                             sizeof(link));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return amgr_proc_parse_target(link, strlen(link), out);
}

int amgr_proc_put_address(char *out, apr_size_t size,
                          const struct in6_addr *address, int is_four,
                          apr_uint64_t port)
{
    const unsigned char *bytes = address->s6_addr;
    char text[INET6_ADDRSTRLEN];
    amgr_sink_t sink;

    if (!is_four && IN6_IS_ADDR_V4MAPPED(address)) {
        is_four = 1;
        bytes += 12;
    }
    if (inet_ntop(is_four ? AF_INET : AF_INET6, bytes, text, sizeof(text)) ==
        NULL) {
        return 0;
    }
    amgr_sink_init_text(&sink, out, size);
    amgr_sink_puts(&sink, is_four ? "" : "[");
    amgr_sink_puts(&sink, text);
    amgr_sink_puts(&sink, is_four ? ":" : "]:");
    amgr_sink_u64(&sink, port);
    (void)amgr_sink_text(&sink); /* terminates it in place */
    return sink.status == APR_SUCCESS;
}

/* "0100007F:0050" or four such words before the colon, each in the byte order
 * of this machine, so that in memory they are in the network's. */
static int scan_address(scan_t *s, char *out, apr_size_t size,
                        apr_uint64_t *out_port)
{
    apr_uint32_t words[4];
    struct in6_addr six;
    apr_uint64_t value;
    int count = 0;

    while (count < 4 && s->end - s->at > 8 && *s->at != ':') {
        scan_t word = {s->at, s->at + 8};

        if (!scan_hex_digits(&word, 8, &value)) {
            return 0;
        }
        words[count++] = (apr_uint32_t)value;
        s->at += 8;
    }
    if ((count != 1 && count != 4) || !scan_char(s, ':') ||
        !scan_hex_digits(s, 4, out_port)) {
        return 0;
    }
    memset(&six, 0, sizeof(six));
    memcpy(&six, words, (apr_size_t)count * sizeof(words[0]));
    return amgr_proc_put_address(out, size, &six, count == 1, *out_port);
}

apr_status_t amgr_proc_parse_inet(const char *buf, apr_size_t len, int kind,
                                  amgr_proc_socket_t *out)
{
    amgr_proc_socket_t found;
    scan_t s = {buf, buf + len};
    apr_uint64_t number;
    apr_uint64_t port;
    apr_uint64_t peer_port;
    apr_uint64_t state;
    apr_uint64_t uid;
    int i;

    memset(&found, 0, sizeof(found));
    scan_blanks(&s);
    if (!scan_u64(&s, &number) || !scan_char(&s, ':') || !scan_blanks(&s) ||
        !scan_address(&s, found.local, sizeof(found.local), &port) ||
        !scan_blanks(&s) ||
        !scan_address(&s, found.peer, sizeof(found.peer), &peer_port) ||
        !scan_blanks(&s) || !scan_hex_digits(&s, 2, &state) ||
        !scan_blanks(&s)) {
        return APR_EGENERAL;
    }
    /* Queues, timer, retransmits. */
    for (i = 0; i < 3; i++) {
        if (!scan_word(&s) || !scan_blanks(&s)) {
            return APR_EGENERAL;
        }
    }
    if (!scan_u64(&s, &uid) || uid > APR_UINT32_MAX || !scan_blanks(&s) ||
        !scan_word(&s) /* time-out */ || !scan_blanks(&s) ||
        !scan_u64(&s, &found.inode) || (s.at < s.end && *s.at != ' ')) {
        return APR_EGENERAL;
    }
    if (peer_port == 0) {
        found.peer[0] = '\0';
    }
    found.kind = kind;
    found.state = (apr_int32_t)state;
    found.uid = (apr_uint32_t)uid;
    found.listening = kind == AMGR_SOCKET_TCP && state == AMGR_TCP_LISTEN;
    *out = found;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_parse_unix(const char *buf, apr_size_t len,
                                  amgr_proc_socket_t *out)
{
    amgr_proc_socket_t found;
    scan_t s = {buf, buf + len};
    apr_uint64_t value;
    apr_uint64_t flags;

    memset(&found, 0, sizeof(found));
    /* Address, references, protocol, flags, type, state, inode, name. */
    if (!scan_hex(&s, &value) || !scan_char(&s, ':') || !scan_blanks(&s) ||
        !scan_hex_digits(&s, 8, &value) || !scan_blanks(&s) ||
        !scan_hex_digits(&s, 8, &value) || !scan_blanks(&s) ||
        !scan_hex_digits(&s, 8, &flags) || !scan_blanks(&s) ||
        !scan_hex_digits(&s, 4, &value) || !scan_blanks(&s) ||
        !scan_hex_digits(&s, 2, &value) || !scan_blanks(&s) ||
        !scan_u64(&s, &found.inode)) {
        return APR_EGENERAL;
    }
    if (s.at < s.end) {
        if (!scan_char(&s, ' ') || s.at == s.end) {
            return APR_EGENERAL;
        }
        put_target(found.local, sizeof(found.local), s.at,
                   (apr_size_t)(s.end - s.at));
    }
    found.kind = AMGR_SOCKET_UNIX;
    found.listening = (flags & UNIX_ACCEPTS) != 0;
    *out = found;
    return APR_SUCCESS;
}

static int are_all_found(const walk_t *walk)
{
    int i;

    for (i = 0; i < walk->count; i++) {
        if (walk->sockets[i].kind == AMGR_SOCKET_UNKNOWN) {
            return 0;
        }
    }
    return 1;
}

/* Take what is said of a socket that is looked for; nothing ends the walk over
 * the table of unix sockets, where one may come twice. */
static int take_socket(void *baton, const amgr_proc_socket_t *found)
{
    walk_t *walk = baton;
    int i;

    /* Connections that nobody owns any more have inode 0. */
    for (i = 0; i < walk->count && found->inode != 0; i++) {
        amgr_proc_socket_t *wanted = &walk->sockets[i];

        if (wanted->inode != found->inode) {
            continue;
        }
        if (wanted->kind == AMGR_SOCKET_UNKNOWN) {
            *wanted = *found;
        }
        else if (wanted->kind == AMGR_SOCKET_UNIX &&
                 strcmp(wanted->local, found->local) != 0) {
            wanted->local[0] = '\0';
            wanted->listening = 0;
        }
    }
    return 0;
}

static int take_line(void *baton, const char *line, apr_size_t len)
{
    walk_t *walk = baton;
    amgr_proc_socket_t found;
    apr_status_t rv;

    rv = walk->kind == AMGR_SOCKET_UNIX
             ? amgr_proc_parse_unix(line, len, &found)
             : amgr_proc_parse_inet(line, len, walk->kind, &found);
    return rv == APR_SUCCESS ? take_socket(walk, &found) : 0;
}

apr_status_t amgr_proc_find_sockets(amgr_proc_dir_t *dir, pid_t pid,
                                    const amgr_proc_budget_t *budget,
                                    amgr_proc_socket_t *sockets, int count)
{
    static const struct {
        const char *name;
        int kind;
    } tables[] = {{"net/tcp", AMGR_SOCKET_TCP},
                  {"net/tcp6", AMGR_SOCKET_TCP},
                  {"net/udp", AMGR_SOCKET_UDP},
                  {"net/udp6", AMGR_SOCKET_UDP},
                  /* The last, for its text can forge what was not found. */
                  {"net/unix", AMGR_SOCKET_UNIX}};
    walk_t walk = {0, sockets, count};
    apr_status_t worst = APR_NOTFOUND;
    apr_status_t rv;
    apr_size_t i;
    int is_tcp_told;
    int fd;

    for (i = 0; i < (apr_size_t)count; i++) {
        sockets[i].kind = AMGR_SOCKET_UNKNOWN;
    }
    is_tcp_told = amgr_proc_ask_tcp(dir, pid, AMGR_TCP_OWNED, budget->mono_us,
                                    take_socket, &walk) == APR_SUCCESS;
    for (i = 0; i < AMGR_COUNT(tables) && !are_all_found(&walk); i++) {
        if (is_tcp_told && tables[i].kind == AMGR_SOCKET_TCP) {
            continue;
        }
        rv = amgr_proc_open(dir, pid, tables[i].name, &fd);
        if (rv == APR_SUCCESS) {
            walk.kind = tables[i].kind;
            rv = amgr_proc_each_line(fd, budget, take_line, &walk);
            close(fd);
        }
        else if (rv == APR_NOTFOUND) {
            continue; /* a kernel without IPv6, or the process has ended */
        }
        if (rv == APR_TIMEUP) {
            worst = rv;
            break;
        }
        if (rv != APR_SUCCESS && worst == APR_NOTFOUND) {
            worst = rv;
        }
    }
    if (are_all_found(&walk)) {
        return APR_SUCCESS;
    }
    return amgr_proc_note(dir, "net", worst);
}

const char *amgr_proc_tcp_state_word(int state)
{
    static const char *const words[] = {
        "unknown",    "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
        "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
        "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING",
    };

    if (state < 0 || state >= (int)AMGR_COUNT(words)) {
        return words[0];
    }
    return words[state];
}
