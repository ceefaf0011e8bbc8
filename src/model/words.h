/* SPDX-License-Identifier: Apache-2.0
 *
 * The words by which enumerated values are known outside: in JSON, on the
 * page, in metrics and in the log alike.  A value out of range is "unknown".
 */
#ifndef AMGR_WORDS_H
#define AMGR_WORDS_H

#include "model/snapshot.h"

const char *amgr_kind_word(int kind);
const char *amgr_role_word(int role);
const char *amgr_state_word(int state);
const char *amgr_verdict_word(int verdict);
const char *amgr_cause_word(int cause);

#endif
