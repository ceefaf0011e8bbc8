/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: what the process forks that this was
 * loaded into has as many descriptors as it may have, however few that one has
 * itself.  A worker that cannot have those that it needs is an error httpd ends
 * for, and is not what is tested.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static pid_t self;

static void raise_limit(void)
{
    struct rlimit limit;

    if (getppid() == self && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

__attribute__((constructor)) static void begin(void)
{
    self = getpid();
    pthread_atfork(NULL, NULL, raise_limit);
}
