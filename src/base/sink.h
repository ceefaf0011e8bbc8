/* SPDX-License-Identifier: Apache-2.0
 *
 * The text sink: where every writer of this project puts its bytes.  A small
 * buffer in the caller's storage that is handed to a flush function whenever
 * it is full, so that a page of any length needs constant memory.
 *
 * Invariant: once a flush has failed, the sink swallows everything and keeps
 * the first error; writers need no checks of their own and ask once, at
 * amgr_sink_finish().
 */
#ifndef AMGR_SINK_H
#define AMGR_SINK_H

#include <string.h>

#include "base/base.h"

/** Takes @a len bytes; anything but APR_SUCCESS stops the sink for good. */
typedef apr_status_t amgr_sink_flush_fn(void *baton, const char *data,
                                        apr_size_t len);

typedef struct amgr_sink_t {
    char *buf;                 /**< caller's storage */
    apr_size_t size;           /**< bytes in @c buf */
    apr_size_t used;           /**< bytes not flushed yet */
    apr_uint64_t total;        /**< bytes ever put, swallowed ones too */
    amgr_sink_flush_fn *flush; /**< NULL: a fixed buffer, full = APR_ENOSPC */
    void *baton;               /**< handed to @c flush */
    apr_status_t status;       /**< first error */
} amgr_sink_t;

/** Set up a sink over @a buf; @a flush may be NULL for a fixed buffer. */
void amgr_sink_init(amgr_sink_t *sink, char *buf, apr_size_t size,
                    amgr_sink_flush_fn *flush, void *baton);

/**
 * Set up a fixed sink over @a buf that keeps one byte for the NUL of
 * amgr_sink_text(); text that does not fit is cut and the status APR_ENOSPC.
 */
void amgr_sink_init_text(amgr_sink_t *sink, char *buf, apr_size_t size);

/** Terminate what amgr_sink_init_text() began; returns its buffer. */
char *amgr_sink_text(amgr_sink_t *sink);

/** What amgr_sink_put() does when the buffer is full, or has failed. */
void amgr_sink_put_over(amgr_sink_t *sink, const char *data, apr_size_t len);

/** Put bytes; @c total counts them even when they are swallowed, so that it
 * tells how much room a fixed sink would have needed.  Inline, since a page is
 * a million small pieces whose lengths the compiler knows. */
static inline void amgr_sink_put(amgr_sink_t *sink, const char *data,
                                 apr_size_t len)
{
    sink->total += len;
    if (len > sink->size - sink->used || sink->status != APR_SUCCESS) {
        amgr_sink_put_over(sink, data, len);
        return;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): never NULL */
    memcpy(sink->buf + sink->used, data, len);
    sink->used += len;
}

/** Room for @a len bytes, to be written at once and told of by the next; NULL
 * when they must be put.  For pieces that are made of smaller ones. */
static inline char *amgr_sink_reserve(amgr_sink_t *sink, apr_size_t len)
{
    return len > sink->size - sink->used || sink->status != APR_SUCCESS
               ? NULL
               : sink->buf + sink->used;
}

/** What of it was written, up to @a end. */
static inline void amgr_sink_commit(amgr_sink_t *sink, const char *end)
{
    apr_size_t len = (apr_size_t)(end - (sink->buf + sink->used));

    sink->total += len;
    sink->used += len;
}

static inline void amgr_sink_puts(amgr_sink_t *sink, const char *text)
{
    amgr_sink_put(sink, text, strlen(text));
}

static inline void amgr_sink_putc(amgr_sink_t *sink, char c)
{
    amgr_sink_put(sink, &c, 1);
}

void amgr_sink_u64(amgr_sink_t *sink, apr_uint64_t value);
void amgr_sink_i64(amgr_sink_t *sink, apr_int64_t value);

/** printf into the sink; one call's text is cut at 1,023 bytes. */
void amgr_sink_printf(amgr_sink_t *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Flush what is left; returns the first error of the sink's life. */
apr_status_t amgr_sink_finish(amgr_sink_t *sink);

#endif
