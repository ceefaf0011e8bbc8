/* SPDX-License-Identifier: Apache-2.0
 *
 * The text sink.  The buffer is only a batch: a piece larger than the room
 * left is cut into it, and one larger than the whole buffer goes to the flush
 * function directly, so no length of input needs more memory.
 */
#include "base/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void amgr_sink_init(amgr_sink_t *sink, char *buf, apr_size_t size,
                    amgr_sink_flush_fn *flush, void *baton)
{
    sink->buf = buf;
    sink->size = size;
    sink->used = 0;
    sink->total = 0;
    sink->flush = flush;
    sink->baton = baton;
    sink->status = APR_SUCCESS;
}

void amgr_sink_init_text(amgr_sink_t *sink, char *buf, apr_size_t size)
{
    amgr_sink_init(sink, buf, size > 0 ? size - 1 : 0, NULL, NULL);
    if (size > 0) {
        buf[0] = '\0';
    }
}

char *amgr_sink_text(amgr_sink_t *sink)
{
    if (sink->size > 0) {
        sink->buf[sink->used] = '\0';
    }
    return sink->buf;
}

static void flush_buffer(amgr_sink_t *sink)
{
    if (sink->used > 0 && sink->status == APR_SUCCESS) {
        sink->status = sink->flush(sink->baton, sink->buf, sink->used);
    }
    sink->used = 0;
}

void amgr_sink_put_over(amgr_sink_t *sink, const char *data, apr_size_t len)
{
    apr_size_t room = sink->size - sink->used;

    if (sink->status != APR_SUCCESS) {
        return;
    }
    if (room > 0) {
        memcpy(sink->buf + sink->used, data, room);
        sink->used += room;
        data += room;
        len -= room;
    }
    if (sink->flush == NULL) {
        sink->status = APR_ENOSPC;
        return;
    }
    flush_buffer(sink);
    if (sink->status != APR_SUCCESS) {
        return;
    }
    if (len >= sink->size) {
        sink->status = sink->flush(sink->baton, data, len);
        return;
    }
    memcpy(sink->buf, data, len);
    sink->used = len;
}

void amgr_sink_u64(amgr_sink_t *sink, apr_uint64_t value)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";
    char digits[20];
    apr_size_t at = sizeof(digits);

    if (value < 10) {
        amgr_sink_putc(sink, (char)('0' + value));
        return;
    }
    while (value >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value > 0) {
        digits[--at] = (char)('0' + value);
    }
    amgr_sink_put(sink, digits + at, sizeof(digits) - at);
}

void amgr_sink_i64(amgr_sink_t *sink, apr_int64_t value)
{
    if (value < 0) {
        amgr_sink_putc(sink, '-');
        /* Unsigned, because the smallest number has no positive twin. */
        amgr_sink_u64(sink, 0 - (apr_uint64_t)value);
        return;
    }
    amgr_sink_u64(sink, (apr_uint64_t)value);
}

void amgr_sink_printf(amgr_sink_t *sink, const char *format, ...)
{
    char text[1024];
    int len;
    va_list args;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0) {
        if (sink->status == APR_SUCCESS) {
            sink->status = APR_EGENERAL;
        }
        return;
    }
    if ((apr_size_t)len >= sizeof(text)) {
        len = (int)sizeof(text) - 1;
    }
    amgr_sink_put(sink, text, (apr_size_t)len);
}

apr_status_t amgr_sink_finish(amgr_sink_t *sink)
{
    if (sink->flush != NULL) {
        flush_buffer(sink);
    }
    return sink->status;
}
