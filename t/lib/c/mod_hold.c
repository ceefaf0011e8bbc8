/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module with a lock in memory that all workers share,
 * as caches have it.  The lock is not robust: nobody is told when its holder
 * dies.
 *
 *   /hold?secs=N   takes the lock and keeps it for so long
 *   /hold          takes it and lets go, if it gets it within a minute
 *
 * Tells its process and thread before it tries, and "locked" once it has it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#define WAIT_SEC 60

static pthread_mutex_t *lock;

static int make_lock(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *s)
{
    pthread_mutexattr_t attr;
    int fd = memfd_create("held by a test", MFD_CLOEXEC);

    (void)pconf;
    (void)plog;
    (void)ptemp;
    (void)s;
    if (fd < 0 || ftruncate(fd, sizeof(*lock)) != 0) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    lock = mmap(NULL, sizeof(*lock), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (lock == MAP_FAILED || pthread_mutexattr_init(&attr) != 0) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return OK;
}

static int handle(request_rec *r)
{
    struct timespec until;
    unsigned int seconds = 0;

    if (strcmp(r->handler, "hold") != 0) {
        return DECLINED;
    }
    if (r->args != NULL && strncmp(r->args, "secs=", 5) == 0) {
        seconds = (unsigned int)strtoul(r->args + 5, NULL, 10);
    }
    ap_set_content_type(r, "text/plain");
    ap_rprintf(r, "pid=%d tid=%d\n", (int)getpid(), (int)syscall(SYS_gettid));
    ap_rflush(r);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SEC;
    if (pthread_mutex_timedlock(lock, &until) != 0) {
        ap_rputs("too late\n", r);
        return OK;
    }
    ap_rputs("locked\n", r);
    ap_rflush(r);
    sleep(seconds);
    pthread_mutex_unlock(lock);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(make_lock, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(hold) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
    AP_MODULE_FLAG_NONE
};
