/* SPDX-License-Identifier: Apache-2.0
 *
 * What a managed process writes to its standard output and error: one pipe,
 * which its guard reads and never lets fill up, whatever becomes of the bytes.
 * They go to a file, or line by line to the error log; where the guard only
 * lends the pipe to a logger it reads what no logger is there for.
 *
 * The bytes are hostile: lines are cut, escaped and rationed before they reach
 * the log, and memory is the same for a line of any length.  Runs in the
 * guard.
 */
#ifndef AMGR_OUTPUT_H
#define AMGR_OUTPUT_H

#include "supervise/say.h"
#include "supervise/spec/spec.h"

/** Of one line in the error log, with "process NAME: " before it. */
#define AMGR_OUTPUT_LINE_MAX 1000

/** Lines to the error log in one second; what is more is left out. */
#define AMGR_OUTPUT_LINES_A_SECOND 200

typedef struct amgr_output_t {
    const amgr_spec_t *spec;
    const amgr_teller_t *teller;
    int read_fd; /**< of the pipe, which does not block here; -1: its end has
                      come, or there is no pipe */
    int file_fd; /**< of FILE; else -1 */
    apr_uint64_t bytes;        /**< read */
    apr_uint64_t dropped;      /**< of these, kept by nobody */
    int has_trouble;           /**< the file takes nothing, and that was told */
    int is_left_open;          /**< it is the old one still, which was told */
    apr_time_t reopen_mono_us; /**< when the new one is tried again; 0: soon */
    apr_time_t second_mono_us; /**< when the lines began to be counted */
    int second_lines;          /**< told since then */
    int is_flooded;            /**< lines are being left out, which was told */
    apr_uint64_t left_lines;   /**< left out since then */
    apr_uint64_t left_bytes;
    apr_size_t line_len;    /**< of the line that has no end yet */
    apr_uint64_t line_more; /**< bytes of it that line[] has no room for */
    apr_size_t last_len;
    char line[AMGR_OUTPUT_LINE_MAX];
    char last[AMGR_MANAGED_TEXT_LEN]; /**< beginning of the last line that was
                                           not empty */
} amgr_output_t;

/**
 * Get ready.  *out_write_fd is the end for the process, to be closed by the
 * caller once it was handed on; -1: there is no pipe.  An errno, and where the
 * file is at fault nothing is left open.
 */
apr_status_t amgr_output_open(amgr_output_t *output, const amgr_spec_t *spec,
                              const amgr_teller_t *teller, int *out_write_fd);

/** What amgr_output_open() has failed with, for people; unescaped. */
void amgr_output_fault_text(const amgr_spec_t *spec, int error, char *text,
                            apr_size_t size);

/** Read what is there and put it where it belongs; a bounded amount, so that
 * the caller hears others too.  Non-zero when there may be more. */
int amgr_output_read(amgr_output_t *output, apr_time_t now_mono_us);

/** When amgr_output_look() has something to do; AMGR_NO_TIME: never. */
apr_time_t amgr_output_due(const amgr_output_t *output);

/** Tell what was left out of a flood of lines that is over, and open the file
 * anew where that has failed. */
void amgr_output_look(amgr_output_t *output, apr_time_t now_mono_us);

/** Read and forget, for a pipe whose logger cannot be had. */
void amgr_output_drop(amgr_output_t *output);

/** Whether there is nothing to read any more and nobody who could write;
 * without reading.  Then the pipe is closed. */
int amgr_output_is_over(amgr_output_t *output);

/** Open the file anew, after the old one was renamed.  The old one is kept
 * where that fails, until amgr_output_look() can. */
void amgr_output_reopen(amgr_output_t *output);

/** The last line, escaped, for people; empty when there was none. */
void amgr_output_last(const amgr_output_t *output, char *text, apr_size_t size);

/** It is over: tell the rest, close everything. */
void amgr_output_close(amgr_output_t *output);

/** @a len bytes, which may be any, as one line of text in @a out: escaped, cut
 * at the end of a character.  Always terminated. */
void amgr_output_escape(const char *bytes, apr_size_t len, char *out,
                        apr_size_t size);

#endif
