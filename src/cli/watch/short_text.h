/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures for narrow columns.  Sizes are binary, as directives take them, so
 * that a figure can be held against its limit.
 *
 * Each returns @a buf, which has room for AMGR_SHORT_LEN, and writes "n/a"
 * for what is not known.
 */
#ifndef AMGR_SHORT_TEXT_H
#define AMGR_SHORT_TEXT_H

#include "base/units.h"

#define AMGR_SHORT_LEN 32

/** "0", "512B", "9.87M", "612M", "1.31G": at most five characters up to 10 TiB;
 * AMGR_UNKNOWN is not known. */
char *amgr_short_size(apr_uint64_t bytes, char *buf);

/** The same with its sign, "+1.5M", "-12M". */
char *amgr_short_growth(apr_int64_t bytes, char *buf);

/** "0s", "59s", "2m5s", "23h59m", "1d2h", "100d": at most six characters up to
 * 99,999 days; negative is not known. */
char *amgr_short_span(apr_interval_time_t span_us, char *buf);

/** The same with tenths below a minute: "3.2s". */
char *amgr_short_tenths(apr_interval_time_t span_us, char *buf);

/** "123456", "1.23M", "12.3G" in decimal units. */
char *amgr_short_count(apr_uint64_t count, char *buf);

/** Three digits that count, "0.12", "12.3", "512"; negative is not known. */
char *amgr_short_rate(double value, char *buf);

#endif
