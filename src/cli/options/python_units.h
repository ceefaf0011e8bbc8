/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and time spans as the Python tool took them on its command line and in
 * its files, with words and blanks.  Wider than what directives take
 * (base/units.h), and stricter than the original, which looked at the first
 * letter of a unit and at nothing behind it.
 *
 * Both return NULL on success, else a noun phrase of what was expected, and
 * leave their output on failure.  Nothing but zeros, in whatever unit, is
 * AMGR_LIMIT_OFF.
 */
#ifndef AMGR_PYTHON_UNITS_H
#define AMGR_PYTHON_UNITS_H

#include "base/units.h"

/** "50K", "50 KB", "1.5 GiB", "10 megabytes", "42": binary, whatever the
 * unit is called. */
const char *amgr_python_size_parse(const char *text, apr_int64_t *out_bytes);

/** "90", "1.5 h", "5m", "2 weeks": seconds without a unit; a year has 52
 * weeks. */
const char *amgr_python_span_parse(const char *text,
                                   apr_interval_time_t *out_us);

#endif
