/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the parsers of what threads are doing: system calls, links
 * of descriptors, lines of the tables of sockets and of maps.  Checked besides
 * memory: a failure leaves the output alone, and every string ends.
 */
#include "fuzz.h"

#include "proc/proc_maps.h"
#include "proc/proc_socket.h"
#include "proc/proc_task.h"

static void check_untouched(apr_status_t rv, const void *out, size_t len)
{
    const unsigned char *bytes = out;
    size_t i;

    check(rv == APR_SUCCESS || rv == APR_EGENERAL);
    for (i = 0; rv != APR_SUCCESS && i < len; i++) {
        check(bytes[i] == 0x5a);
    }
}

static void parse_call(const char *buf, size_t len)
{
    char name[AMGR_SYSCALL_NAME_LEN];
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    apr_status_t rv;

    memset(&call, 0x5a, sizeof(call));
    rv = amgr_proc_parse_syscall(buf, len, &call);
    check_untouched(rv, &call, sizeof(call));
    if (rv == APR_SUCCESS) {
        amgr_proc_syscall_name(&call, name, sizeof(name));
        check(name[0] != '\0' && strlen(name) < sizeof(name));
        check((call.number >= 0) == (call.state == AMGR_TASK_SYSCALL));
        check(amgr_proc_syscall_fd(&call) >= -1);
        check(!amgr_proc_syscall_futex(&call, &futex) ||
              futex.address == call.args[0]);
    }
}

static void parse_texts(const char *buf, size_t len)
{
    char wchan[8];
    amgr_proc_target_t target;
    apr_status_t rv;

    memset(wchan, 0x5a, sizeof(wchan));
    rv = amgr_proc_parse_wchan(buf, len, wchan, sizeof(wchan));
    check_untouched(rv, wchan, sizeof(wchan));
    check(rv != APR_SUCCESS || memchr(wchan, '\0', sizeof(wchan)) != NULL);
    memset(&target, 0x5a, sizeof(target));
    rv = amgr_proc_parse_target(buf, len, &target);
    check_untouched(rv, &target, sizeof(target));
    check(rv != APR_SUCCESS ||
          memchr(target.text, '\0', sizeof(target.text)) != NULL);
    check(rv != APR_SUCCESS || target.inode == 0 ||
          target.kind == AMGR_TARGET_SOCKET || target.kind == AMGR_TARGET_PIPE);
}

static void parse_socket(const char *buf, size_t len, int kind)
{
    amgr_proc_socket_t found;
    apr_status_t rv;

    memset(&found, 0x5a, sizeof(found));
    rv = kind == AMGR_SOCKET_UNIX
             ? amgr_proc_parse_unix(buf, len, &found)
             : amgr_proc_parse_inet(buf, len, kind, &found);
    check_untouched(rv, &found, sizeof(found));
    if (rv == APR_SUCCESS) {
        check(memchr(found.local, '\0', sizeof(found.local)) != NULL);
        check(memchr(found.peer, '\0', sizeof(found.peer)) != NULL);
        check(found.kind == kind && found.state >= 0 && found.state <= 255);
        check(!found.listening || kind != AMGR_SOCKET_UDP);
        check(kind == AMGR_SOCKET_UNIX || found.local[0] != '\0');
        check(amgr_proc_tcp_state_word(found.state)[0] != '\0');
    }
}

static void parse_mapping(const char *buf, size_t len)
{
    amgr_proc_mapping_t mapping;
    apr_status_t rv;

    memset(&mapping, 0x5a, sizeof(mapping));
    rv = amgr_proc_parse_mapping(buf, len, &mapping);
    check_untouched(rv, &mapping, sizeof(mapping));
    check(rv != APR_SUCCESS ||
          (mapping.start < mapping.end &&
           memchr(mapping.name, '\0', sizeof(mapping.name)) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *buf = (const char *)data;
    int kind;

    parse_call(buf, size);
    parse_texts(buf, size);
    for (kind = AMGR_SOCKET_TCP; kind < AMGR_SOCKET_KIND_COUNT; kind++) {
        parse_socket(buf, size, kind);
    }
    parse_mapping(buf, size);
    return 0;
}
