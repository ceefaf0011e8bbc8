/* SPDX-License-Identifier: Apache-2.0
 *
 * The few definitions every layer shares: the version, and the sentinels for
 * values that are not known.  Depends on nothing but APR's basic types.
 */
#ifndef AMGR_BASE_H
#define AMGR_BASE_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>

/** The one place that names the version; the Makefile reads it from here. */
#define AMGR_VERSION "0.1.0"

/** An amount (bytes, a count) that could not be measured; shown as "n/a". */
#define AMGR_UNKNOWN APR_UINT64_MAX

/** A time span or instant that is not known; shown as "n/a". */
#define AMGR_NO_TIME ((apr_time_t)-1)

/** Number of elements of a true array. */
#define AMGR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
