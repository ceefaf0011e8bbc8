/* SPDX-License-Identifier: Apache-2.0
 *
 * The directives: names, grammar and the sentence an administrator reads when
 * a value is wrong.
 */
#ifndef AMGR_DIRECTIVES_H
#define AMGR_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec amgr_directives[];

#endif
