/* SPDX-License-Identifier: Apache-2.0
 *
 * See output.h.
 */
#include "supervise/guard/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/trusted_open.h"

#define CHUNK_LEN 65536

/** Chunks that are read before others are heard. */
#define CHUNKS_MAX 16

/** From the beginning of the last second of a flood until it is known to be
 * over. */
#define FLOOD_OVER_US (2 * APR_USEC_PER_SEC)

/** Between two attempts to open the file anew. */
#define REOPEN_US (5 * APR_USEC_PER_SEC)

/** Made by the administrator's server, for the administrator. */
#define FILE_MODE (S_IRUSR | S_IWUSR | S_IRGRP)

void amgr_output_escape(const char *bytes, apr_size_t len, char *out,
                        apr_size_t size)
{
    char piece[256];
    amgr_sink_t sink;
    apr_size_t take;

    amgr_sink_init_text(&sink, out, size);
    while (len > 0 && sink.status == APR_SUCCESS) {
        if (*bytes == '\0') {
            amgr_sink_puts(&sink, "\\x00");
            take = 1;
        }
        else {
            take =
                strnlen(bytes, len < sizeof(piece) ? len : sizeof(piece) - 1);
            /* No character is torn apart that is whole. */
            while (take < len && take > sizeof(piece) - 4 &&
                   ((unsigned char)bytes[take] & 0xC0) == 0x80) {
                take--;
            }
            memcpy(piece, bytes, take);
            piece[take] = '\0';
            amgr_escape_line(&sink, piece);
        }
        bytes += take;
        len -= take;
    }
    amgr_sink_text(&sink);
    if (sink.status != APR_SUCCESS) {
        take = strlen(out);
        while (take > 0 && ((unsigned char)out[take - 1] & 0xC0) == 0x80) {
            take--;
        }
        /* Whether it is whole is not looked at: it is one character less. */
        if (take > 0 && ((unsigned char)out[take - 1] & 0xC0) == 0xC0) {
            take--;
        }
        out[take] = '\0';
    }
}

/** A regular file of one name: whoever may write to its directory could give
 * any file another name there. */
static int check_file(int fd)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return errno;
    }
    if (!S_ISREG(info.st_mode)) {
        return S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    }
    return info.st_nlink > 1 ? EMLINK : 0;
}

/** To stand behind its path, where the errno alone would be a riddle. */
static const char *file_fault(const char *path, int error)
{
    struct stat info;

    switch (error) {
    case ELOOP:
        return lstat(path, &info) == 0 && S_ISLNK(info.st_mode)
                   ? ", which is a symbolic link"
                   : ", whose path has a symbolic link that not only root "
                     "can change";
    case EINVAL:
        return ", which is not a regular file";
    case EMLINK:
        return ", which has another name, too";
    default:
        return "";
    }
}

void amgr_output_fault_text(const amgr_spec_t *spec, int error, char *text,
                            apr_size_t size)
{
    if (spec->output != AMGR_OUTPUT_FILE) {
        snprintf(text, size, "pipe");
        return;
    }
    snprintf(text, size, "%s%s", spec->output_file,
             file_fault(spec->output_file, error));
}

/** Non-negative, or the negative of an errno. */
static int open_file(const char *path)
{
    int is_shared; /* by no link, and to a file of one name, we may there */
    int fd = amgr_trusted_open(path,
                               O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
                                   O_NONBLOCK | O_NOCTTY,
                               FILE_MODE, AMGR_SHARED_OPEN, &is_shared);
    int error = fd < 0 ? -fd : check_file(fd);

    if (error != 0 && fd >= 0) {
        close(fd);
    }
    return error != 0 ? -error : fd;
}

apr_status_t amgr_output_open(amgr_output_t *output, const amgr_spec_t *spec,
                              const amgr_teller_t *teller, int *out_write_fd)
{
    int ends[2];
    int error;

    memset(output, 0, sizeof(*output));
    output->spec = spec;
    output->teller = teller;
    output->read_fd = -1;
    output->file_fd = -1;
    *out_write_fd = -1;
    if (spec->output == AMGR_OUTPUT_DISCARD ||
        spec->output == AMGR_OUTPUT_INHERIT) {
        return APR_SUCCESS;
    }
    if (spec->output == AMGR_OUTPUT_FILE) {
        output->file_fd = open_file(spec->output_file);
        if (output->file_fd < 0) {
            error = -output->file_fd;
            output->file_fd = -1;
            return APR_FROM_OS_ERROR(error);
        }
    }
    if (pipe2(ends, O_CLOEXEC) != 0 ||
        fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        error = errno;
        amgr_output_close(output);
        return APR_FROM_OS_ERROR(error);
    }
    output->read_fd = ends[0];
    *out_write_fd = ends[1];
    return APR_SUCCESS;
}

/** The flood is over, or the output is. */
static void tell_left_out(amgr_output_t *output)
{
    if (!output->is_flooded) {
        return;
    }
    amgr_say(output->teller, AMGR_SAY_OUTPUT, AMGR_LEVEL_WARNING, 0,
             "process %s: %" APR_UINT64_T_FMT " lines of its output were left "
             "out, %" APR_UINT64_T_FMT " bytes",
             output->spec->name, output->left_lines, output->left_bytes);
    output->is_flooded = 0;
    output->left_lines = 0;
    output->left_bytes = 0;
}

apr_time_t amgr_output_due(const amgr_output_t *output)
{
    apr_time_t flood_us = output->second_mono_us + FLOOD_OVER_US;

    if (output->is_left_open &&
        (!output->is_flooded || output->reopen_mono_us < flood_us)) {
        return output->reopen_mono_us;
    }
    return output->is_flooded ? flood_us : AMGR_NO_TIME;
}

/** Returns 0, or an errno: the old one is kept. */
static int open_anew(amgr_output_t *output)
{
    int fd = open_file(output->spec->output_file);

    if (fd < 0) {
        return -fd;
    }
    close(output->file_fd);
    output->file_fd = fd;
    return 0;
}

/** Without another word where it fails again. */
static void try_again(amgr_output_t *output, apr_time_t now_mono_us)
{
    if (output->reopen_mono_us == 0 || output->file_fd < 0 ||
        open_anew(output) != 0) {
        output->reopen_mono_us = now_mono_us + REOPEN_US;
        return;
    }
    output->is_left_open = 0;
    amgr_say(output->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_NOTICE, 0,
             "process %s: %s is opened anew", output->spec->name,
             output->spec->output_file);
}

void amgr_output_look(amgr_output_t *output, apr_time_t now_mono_us)
{
    if (output->is_flooded &&
        now_mono_us >= output->second_mono_us + FLOOD_OVER_US) {
        tell_left_out(output);
    }
    if (output->is_left_open && now_mono_us >= output->reopen_mono_us) {
        try_again(output, now_mono_us);
    }
}

/** Whether this second has room for one line more. */
static int has_room(amgr_output_t *output, apr_time_t now_mono_us)
{
    if (output->second_lines == 0 ||
        now_mono_us - output->second_mono_us >= APR_USEC_PER_SEC) {
        if (output->second_lines < AMGR_OUTPUT_LINES_A_SECOND) {
            tell_left_out(output);
        }
        output->second_mono_us = now_mono_us;
        output->second_lines = 0;
    }
    if (output->second_lines < AMGR_OUTPUT_LINES_A_SECOND) {
        output->second_lines++;
        return 1;
    }
    if (!output->is_flooded) {
        output->is_flooded = 1;
        amgr_say(output->teller, AMGR_SAY_OUTPUT, AMGR_LEVEL_WARNING, 0,
                 "process %s: it writes more than %d lines in a second: the "
                 "rest is left out",
                 output->spec->name, AMGR_OUTPUT_LINES_A_SECOND);
    }
    return 0;
}

static void tell_line(amgr_output_t *output, apr_time_t now_mono_us)
{
    char text[AMGR_OUTPUT_LINE_MAX + 1];
    apr_size_t used;

    if (!has_room(output, now_mono_us)) {
        output->left_lines++;
        output->left_bytes += output->line_len + output->line_more;
        output->dropped += output->line_len + output->line_more;
        return;
    }
    snprintf(text, sizeof(text), "process %s: ", output->spec->name);
    used = strlen(text);
    amgr_output_escape(output->line, output->line_len, text + used,
                       sizeof(text) - used);
    output->dropped += output->line_more;
    output->teller->line(output->teller->baton, AMGR_SAY_OUTPUT,
                         AMGR_LEVEL_NOTICE, 0, text);
}

/** The line in hand is whole. */
static void end_line(amgr_output_t *output, apr_time_t now_mono_us)
{
    if (output->line_more == 0 && output->line_len > 0 &&
        output->line[output->line_len - 1] == '\r') {
        output->line_len--;
    }
    if (output->line_len > 0) {
        output->last_len = output->line_len < sizeof(output->last)
                               ? output->line_len
                               : sizeof(output->last);
        memcpy(output->last, output->line, output->last_len);
        if (output->spec->output == AMGR_OUTPUT_ERRORLOG) {
            tell_line(output, now_mono_us);
        }
    }
    output->line_len = 0;
    output->line_more = 0;
}

static void take_lines(amgr_output_t *output, const char *bytes, apr_size_t len,
                       apr_time_t now_mono_us)
{
    const char *end;
    apr_size_t part;
    apr_size_t room;

    while (len > 0) {
        end = memchr(bytes, '\n', len);
        part = end != NULL ? (apr_size_t)(end - bytes) : len;
        room = sizeof(output->line) - output->line_len;
        room = part < room ? part : room;
        memcpy(output->line + output->line_len, bytes, room);
        output->line_len += room;
        output->line_more += part - room;
        if (end == NULL) {
            return;
        }
        end_line(output, now_mono_us);
        bytes = end + 1;
        len -= part + 1;
    }
}

static void note_trouble(amgr_output_t *output, int error)
{
    if (error == 0 && output->has_trouble) {
        amgr_say(output->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_NOTICE, 0,
                 "process %s: its output is written to %s again",
                 output->spec->name, output->spec->output_file);
    }
    if (error != 0 && !output->has_trouble) {
        amgr_say(output->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_ERR, error,
                 "process %s: its output cannot be written to %s and is lost",
                 output->spec->name, output->spec->output_file);
    }
    output->has_trouble = error != 0;
}

static void write_file(amgr_output_t *output, const char *bytes, apr_size_t len)
{
    ssize_t written;

    while (len > 0) {
        written = write(output->file_fd, bytes, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            output->dropped += len;
            note_trouble(output, written < 0 ? errno : EIO);
            return;
        }
        bytes += written;
        len -= (apr_size_t)written;
    }
    note_trouble(output, 0);
}

/** One chunk: its length, 0 when there is none now or any more. */
static apr_size_t read_chunk(amgr_output_t *output, char *chunk,
                             apr_size_t size)
{
    ssize_t len;

    if (output->read_fd < 0) {
        return 0;
    }
    do {
        len = read(output->read_fd, chunk, size);
    } while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN) {
        return 0;
    }
    if (len <= 0) {
        close(output->read_fd);
        output->read_fd = -1;
        return 0;
    }
    output->bytes += (apr_uint64_t)len;
    return (apr_size_t)len;
}

int amgr_output_read(amgr_output_t *output, apr_time_t now_mono_us)
{
    char chunk[CHUNK_LEN];
    apr_size_t len;
    int i;

    for (i = 0; i < CHUNKS_MAX; i++) {
        len = read_chunk(output, chunk, sizeof(chunk));
        if (len == 0) {
            return 0;
        }
        if (output->spec->output == AMGR_OUTPUT_FILE) {
            write_file(output, chunk, len);
        }
        take_lines(output, chunk, len, now_mono_us);
    }
    return 1;
}

void amgr_output_drop(amgr_output_t *output)
{
    char chunk[CHUNK_LEN];
    apr_size_t len = 1;
    int i;

    for (i = 0; i < CHUNKS_MAX && len > 0; i++) {
        len = read_chunk(output, chunk, sizeof(chunk));
        output->dropped += len;
    }
}

int amgr_output_is_over(amgr_output_t *output)
{
    struct pollfd row = {output->read_fd, POLLIN, 0};

    if (output->read_fd >= 0 && poll(&row, 1, 0) == 1 &&
        (row.revents & (POLLIN | POLLHUP)) == POLLHUP) {
        close(output->read_fd);
        output->read_fd = -1;
    }
    return output->read_fd < 0;
}

void amgr_output_reopen(amgr_output_t *output)
{
    int error;

    if (output->file_fd < 0) {
        return;
    }
    error = open_anew(output);
    output->is_left_open = error != 0;
    output->reopen_mono_us = 0;
    if (error != 0) {
        amgr_say(output->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_ERR, error,
                 "process %s: %s%s cannot be opened anew: its output goes to "
                 "the file that was open before, until it can",
                 output->spec->name, output->spec->output_file,
                 file_fault(output->spec->output_file, error));
    }
}

void amgr_output_last(const amgr_output_t *output, char *text, apr_size_t size)
{
    if (output->line_len > 0) {
        amgr_output_escape(output->line, output->line_len, text, size);
    }
    else {
        amgr_output_escape(output->last, output->last_len, text, size);
    }
}

void amgr_output_close(amgr_output_t *output)
{
    if (output->line_len > 0) {
        end_line(output, output->second_mono_us);
    }
    tell_left_out(output);
    if (output->read_fd >= 0) {
        close(output->read_fd);
        output->read_fd = -1;
    }
    if (output->file_fd >= 0) {
        close(output->file_fd);
        output->file_fd = -1;
    }
    output->is_left_open = 0;
}
