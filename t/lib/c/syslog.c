/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: what a program would tell syslog goes to
 * the file that AMGR_SYSLOG names, as "IDENT PRIORITY TEXT".
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

static const char *ident = "-";

void openlog(const char *name, int option, int facility)
{
    (void)option;
    (void)facility;
    ident = name;
}

void syslog(int priority, const char *format, ...)
{
    const char *path = getenv("AMGR_SYSLOG");
    char text[2048];
    va_list args;
    int fd;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fd = path == NULL
             ? -1
             : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) {
        dprintf(fd, "%s %d %s\n", ident, priority, text);
        close(fd);
    }
}
