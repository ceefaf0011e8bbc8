/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: what a program would tell syslog goes to
 * the file that AMGR_SYSLOG names, as "IDENT PRIORITY TEXT"; or, where that is
 * a socket, to it as libc would send it, which keeps a descriptor.  That socket
 * is /dev/log as well, for a program that does without libc.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char *ident = "-";
static int default_facility = LOG_USER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

void openlog(const char *name, int option, int facility)
{
    (void)option;
    default_facility = facility;
    ident = name;
}

static void to_file(const char *path, int priority, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd >= 0) {
        dprintf(fd, "%s %d %s\n", ident, priority, text);
        close(fd);
    }
}

void closelog(void)
{
    if (log_fd >= 0) {
        close(log_fd);
    }
    log_fd = -1;
}

static void connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(log_fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        closelog();
    }
}

static void to_socket(const char *path, int priority, const char *text)
{
    time_t now = time(NULL);
    char stamp[16];
    char line[4096];
    struct tm tm;

    strftime(stamp, sizeof(stamp), "%b %e %T", localtime_r(&now, &tm));
    snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s",
             priority | default_facility, stamp, ident, (int)getpid(), text);
    pthread_mutex_lock(&lock);
    /* What has this number by now is closed unseen, as libc does. */
    if (log_fd < 0 || send(log_fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
        closelog();
        connect_to(path);
        send(log_fd, line, strlen(line), MSG_NOSIGNAL);
    }
    pthread_mutex_unlock(&lock);
}

static void say(int priority, const char *format, va_list args)
{
    const char *path = getenv("AMGR_SYSLOG");
    char text[2048];
    struct stat st;

    vsnprintf(text, sizeof(text), format, args);
    if (path != NULL && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        to_socket(path, priority, text);
    }
    else if (path != NULL) {
        to_file(path, priority, text);
    }
}

void syslog(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(priority, format, args);
    va_end(args);
}

/* The same, of programs that are built with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    (void)flag; /* our formats are not for anybody to write */
    va_start(args, format);
    say(priority, format, args);
    va_end(args);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    const struct sockaddr_un *wanted = (const struct sockaddr_un *)address;
    const char *path = getenv("AMGR_SYSLOG");
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (path != NULL && address->sa_family == AF_UNIX &&
        strcmp(wanted->sun_path, "/dev/log") == 0) {
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
        address = (const struct sockaddr *)&to;
        length = sizeof(to);
    }
    return (int)syscall(SYS_connect, fd, address, length);
}
