/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module with a lock in memory that all workers share,
 * as caches have it.  The lock is not robust: nobody is told when its holder
 * dies.
 *
 *   /hold?secs=N        takes the lock and keeps it for so long
 *   /hold?secs=N&mb=M   the same; told to, it grows by so many megabytes
 *   /hold?secs=N&stay   the same; told to, it lets go, and is there still
 *   /hold               takes it and lets go, if it gets it within a minute
 *   /hold?tell          tells it to whoever holds the lock
 *
 * Tells its process and thread before it tries, and "locked" once it has it.
 * Signals do not wake it.
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

#define MB (1024 * 1024)
#define NAP_NS (20 * 1000 * 1000)

/* What the workers share. */
typedef struct stage_t {
    pthread_mutex_t lock;
    volatile int told;
} stage_t;

/* What one request wants. */
typedef struct wish_t {
    unsigned long seconds;
    unsigned long mb;
    int stay;
} wish_t;

static stage_t *stage;

static int make_lock(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *s)
{
    pthread_mutexattr_t attr;
    int fd = memfd_create("held by a test", MFD_CLOEXEC);

    (void)pconf;
    (void)plog;
    (void)ptemp;
    (void)s;
    if (fd < 0 || ftruncate(fd, sizeof(*stage)) != 0) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (stage == MAP_FAILED || pthread_mutexattr_init(&attr) != 0) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&stage->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return OK;
}

static void read_wish(const char *args, wish_t *wish)
{
    const char *mb;

    memset(wish, 0, sizeof(*wish));
    if (args == NULL || strncmp(args, "secs=", 5) != 0) {
        return;
    }
    wish->seconds = strtoul(args + 5, NULL, 10);
    mb = strstr(args, "&mb=");
    wish->mb = mb != NULL ? strtoul(mb + 4, NULL, 10) : 0;
    wish->stay = strstr(args, "&stay") != NULL;
}

/* Until then, or until told to. */
static void rest(time_t end, int until_told)
{
    const struct timespec nap = {0, NAP_NS};

    while (time(NULL) < end && !(until_told && stage->told)) {
        nanosleep(&nap, NULL);
    }
}

/* With the lock in hand. */
static void hold(const wish_t *wish)
{
    time_t end = time(NULL) + (time_t)wish->seconds;

    rest(end, wish->mb > 0 || wish->stay);
    if (wish->mb > 0) {
        /* Not malloc: who writes what nobody reads writes nothing. */
        void *memory = mmap(NULL, wish->mb * MB, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

        rest(end, 0);
        if (memory != MAP_FAILED) {
            munmap(memory, wish->mb * MB);
        }
    }
    pthread_mutex_unlock(&stage->lock);
    if (wish->stay) {
        rest(end, 0);
    }
}

static int handle(request_rec *r)
{
    struct timespec until;
    wish_t wish;

    if (strcmp(r->handler, "hold") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    if (r->args != NULL && strcmp(r->args, "tell") == 0) {
        stage->told = 1;
        ap_rputs("told\n", r);
        return OK;
    }
    read_wish(r->args, &wish);
    ap_rprintf(r, "pid=%d tid=%d\n", (int)getpid(), (int)syscall(SYS_gettid));
    ap_rflush(r);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SEC;
    if (pthread_mutex_timedlock(&stage->lock, &until) != 0) {
        ap_rputs("too late\n", r);
        return OK;
    }
    ap_rputs("locked\n", r);
    ap_rflush(r);
    hold(&wish);
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
