/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment that a section asks for, of its process and of whatever is
 * run on behalf of that.
 */
#ifndef AMGR_ENVIRONMENT_SPEC_H
#define AMGR_ENVIRONMENT_SPEC_H

#include "supervise/environment.h"
#include "supervise/identity.h"
#include "supervise/spec/spec.h"

/**
 * Put it together, from nothing: who the user is, PassEnv, Environment and
 * EnvironmentFile, of which a later one wins.  With root's rights, since files
 * may be closed to the user, who is taken for a moment where he could lay hands
 * on them; may wait for the disk.  For a fork: PR_SET_PDEATHSIG is lost.  On
 * failure @a why tells more, and the answer is an errno, or APR_EGENERAL where
 * there is none.
 */
apr_status_t amgr_environment_of_spec(amgr_environment_t *environment,
                                      const amgr_spec_t *spec,
                                      const amgr_identity_t *user, char *why,
                                      apr_size_t size);

#endif
