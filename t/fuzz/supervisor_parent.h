/* SPDX-License-Identifier: Apache-2.0
 *
 * The httpd parent of a supervisor that is fuzzed: its configurations, and its
 * messages as it sends them.
 */
#ifndef AMGR_SUPERVISOR_PARENT_H
#define AMGR_SUPERVISOR_PARENT_H

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../unit/conf_words.h"
#include "supervise/supervisor.h"

#define CONFIGURATIONS 6

/** Sections, a line each; NAME begins one. */
static const char *const configurations[CONFIGURATIONS] = {
    "NAME db\nCommand /bin/db\nStopTimeout 2s\n"
    "NAME web\nCommand /bin/web\nAfter db\nStopTimeout 2s\n"
    "Verify tcp interval=1s timeout=1s retries=2 127.0.0.1:80\n"
    "Liveness tcp interval=1s timeout=1s retries=2 127.0.0.1:80\n",
    "NAME db\nCommand /bin/db\nStopTimeout 2s\n"
    "NAME migrate\nCommand /bin/migrate\nAfter db\nRestart never\n"
    "Verify exited 0\nStopTimeout 1s\n"
    "NAME web\nCommand /bin/web -x\nAfter migrate\nMaxMemory 3M\n"
    "Restart always\nRestartLimit 3 in 10s\nStopTimeout 1s\n",
    "NAME web\nCommand /bin/web\nVerify notify\nStartTimeout 5s\n"
    "Liveness notify timeout=2s\nStopTimeout 1s\n",
    "",
    "NAME a\nCommand /bin/a\nRestart on-failure\nSuccessExit 3\n"
    "RequireFree tcp://127.0.0.1:80\nStopTimeout 1s\n"
    "NAME b\nCommand /bin/b\nAfter a\nStartTimeout 2s\nStopTimeout 1s\n"
    "NAME c\nCommand /bin/c\nAfter a b\nOutput discard\nStopTimeout 1s\n",
    "NAME b\nCommand /bin/b\nStopTimeout 1s\n"
    "NAME a\nCommand /bin/a\nAfter b\nStopTimeout 1s\n",
};

static int parent_fd; /**< the parent's end; -1: closed */

static int knows_none(const char *name)
{
    (void)name; /* there are no other verifiers */
    return 0;
}

static amgr_spec_t *end_spec(amgr_spec_t *spec, apr_pool_t *pool)
{
    if (spec != NULL) {
        check(amgr_spec_finish(spec, pool) == NULL);
    }
    return spec;
}

/* Packed, for good. */
static fuzz_output_t pack(const char *text)
{
    apr_pool_t *pool = fuzz_pool();
    amgr_spec_t *specs[8];
    amgr_spec_t *spec = NULL;
    fuzz_output_t output = {NULL, 0};
    const char *argv[16];
    int count = 0;
    amgr_sink_t sink;
    char buf[256];
    char *line;
    char *rest;

    for (line = apr_strtok(apr_pstrdup(pool, text), "\n", &rest); line != NULL;
         line = apr_strtok(NULL, "\n", &rest)) {
        int argc = conf_split(line, argv, 16);

        if (strcmp(argv[0], "NAME") == 0) {
            end_spec(spec, pool);
            check(amgr_spec_create(argv[1], &spec, pool) == NULL);
            specs[count++] = spec;
            continue;
        }
        check(amgr_spec_add(spec, argv[0], argc - 1, argv + 1, knows_none,
                            pool) == NULL);
    }
    end_spec(spec, pool);
    fuzz_append(&output, "", 0);
    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    amgr_specs_pack((const amgr_spec_t *const *)specs, count, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    apr_pool_destroy(pool);
    return output;
}

/* As the parent does, with as many descriptors. */
static void send_message(const amgr_parent_message_t *message, size_t len,
                         int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {(void *)(uintptr_t)message, len};
    struct msghdr out;
    struct cmsghdr *header;

    if (parent_fd < 0) {
        return;
    }
    memset(&out, 0, sizeof(out));
    out.msg_iov = &part;
    out.msg_iovlen = 1;
    if (fd >= 0) {
        memset(control, 0, sizeof(control));
        out.msg_control = control;
        out.msg_controllen = sizeof(control);
        header = CMSG_FIRSTHDR(&out);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    (void)sendmsg(parent_fd, &out, MSG_DONTWAIT | MSG_NOSIGNAL); /* or full */
}

static amgr_parent_message_t make_message(int word)
{
    static apr_uint64_t number;
    amgr_parent_message_t message;

    memset(&message, 0, sizeof(message));
    message.version = AMGR_PARENT_VERSION;
    message.size = sizeof(message);
    message.word = word;
    message.number = ++number;
    return message;
}

static void configure(int which, int flags)
{
    static fuzz_output_t packed[CONFIGURATIONS];
    amgr_parent_message_t message = make_message(AMGR_PARENT_APPLY);
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (packed[which].data == NULL) {
        packed[which] = pack(configurations[which]);
    }
    check(fd >= 0 && pwrite(fd, packed[which].data, packed[which].len, 0) ==
                         (ssize_t)packed[which].len);
    message.bytes = packed[which].len;
    message.exit_when_done = flags & 1;
    message.start_in_order = flags >> 1 & 1;
    send_message(&message, sizeof(message), fd);
    close(fd);
}

#endif
