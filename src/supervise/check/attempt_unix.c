/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `unix`: somebody takes connections at a socket's path.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise/check/attempt.h"

/* 0, or an errno.  Where the queue is full it waits, as long as it may. */
static int connect_by(int type, const struct sockaddr_un *to)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0) {
        return errno;
    }
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0) {
        error = errno;
    }
    close(fd);
    return error;
}

int amgr_attempt_unix(amgr_attempt_t *attempt)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    const char *path = attempt->verify->target;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int error = EPROTOTYPE;
    apr_size_t i;

    if (path == NULL || path[0] != '/' || strlen(path) >= sizeof(to.sun_path)) {
        return amgr_attempt_fail(attempt, "its target is no path of a socket");
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    /* Its type is the server's affair. */
    for (i = 0; error == EPROTOTYPE && i < AMGR_COUNT(types); i++) {
        error = connect_by(types[i], &to);
    }
    return error == 0 ? 0 : amgr_attempt_fail_errno(attempt, NULL, error);
}
