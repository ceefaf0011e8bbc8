/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping of untrusted text for one format each.  The text may hold any
 * bytes: raw bytes do reach the scoreboard.  Every function repairs invalid
 * UTF-8 (U+FFFD for each maximal bad run's byte), so the output is always
 * valid UTF-8 and always well-formed in its format.
 */
#ifndef AMGR_ESCAPE_H
#define AMGR_ESCAPE_H

#include "base/sink.h"

/** HTML text and double or single quoted attributes; control characters (tabs
 * and line ends too) and marks that turn the direction of writing become
 * U+FFFD. */
void amgr_escape_html(amgr_sink_t *sink, const char *text);

/** The inside of a JSON string; also escapes < > & U+2028 U+2029, so that the
 * result may stand inside HTML. */
void amgr_escape_json(amgr_sink_t *sink, const char *text);

/** One line of plain text: control characters, U+2028, U+2029, marks that
 * turn the direction of writing, backslash and invalid bytes as \\xHH for each
 * of their bytes, so that nothing can forge a second line, command a terminal
 * or rearrange what stands around it. */
void amgr_escape_line(amgr_sink_t *sink, const char *text);

/** Undo amgr_escape_line() in place, for who escapes what is to stand there as
 * one line himself; \\x00 stays as it is. */
void amgr_unescape_line(char *text);

/** How many characters at the beginning may stand as they are in each of these
 * formats. */
apr_size_t amgr_escape_plain_len(const char *text);

/** The value of a label in Prometheus's formats: as a line, with its
 * backslashes doubled and quotes escaped.  Different texts stay different, so
 * that no two series become one. */
void amgr_escape_label(amgr_sink_t *sink, const char *text);

#endif
