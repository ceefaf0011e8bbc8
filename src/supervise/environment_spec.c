/* SPDX-License-Identifier: Apache-2.0
 *
 * See environment_spec.h.
 */
#include "supervise/environment_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define PATH_VALUE \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** What is being filled, and whom to tell why not. */
typedef struct filling_t {
    amgr_environment_t *environment;
    char *why;
    apr_size_t size;
} filling_t;

static apr_status_t set_variable(const filling_t *filling, const char *name,
                                 const char *value)
{
    if (amgr_environment_set(filling->environment, name, value) ==
        APR_SUCCESS) {
        return APR_SUCCESS;
    }
    apr_cpystrn(filling->why, name, filling->size);
    return E2BIG;
}

static apr_status_t set_user(const filling_t *filling,
                             const amgr_identity_t *user)
{
    const char *home = user->home[0] == '/' ? user->home : "/";
    const char *shell = user->shell[0] == '/' ? user->shell : "/bin/sh";
    apr_status_t rv = set_variable(filling, "PATH", PATH_VALUE);

    if (rv == APR_SUCCESS) {
        rv = set_variable(filling, "HOME", home);
    }
    if (rv == APR_SUCCESS) {
        rv = set_variable(filling, "SHELL", shell);
    }
    if (rv == APR_SUCCESS && user->name[0] != '\0') {
        rv = set_variable(filling, "USER", user->name);
    }
    if (rv == APR_SUCCESS && user->name[0] != '\0') {
        rv = set_variable(filling, "LOGNAME", user->name);
    }
    return rv;
}

static apr_status_t pass_on(const filling_t *filling,
                            const apr_array_header_t *names)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && names != NULL && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const char *value = getenv(name);

        if (value != NULL) {
            rv = set_variable(filling, name, value);
        }
    }
    return rv;
}

/* Each "NAME=value" of the configuration. */
static apr_status_t set_given(const filling_t *filling,
                              const apr_array_header_t *lines)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && lines != NULL && i < lines->nelts; i++) {
        const char *given = APR_ARRAY_IDX(lines, i, const char *);
        const char *value = strchr(given, '=');
        char name[256];

        if (value == NULL || (size_t)(value - given) >= sizeof(name)) {
            apr_cpystrn(filling->why, "Environment", filling->size);
            return EINVAL;
        }
        memcpy(name, given, (size_t)(value - given));
        name[value - given] = '\0';
        rv = set_variable(filling, name, value + 1);
    }
    return rv;
}

static apr_status_t read_files(const filling_t *filling,
                               const apr_array_header_t *files,
                               const amgr_identity_t *user)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && files != NULL && i < files->nelts; i++) {
        rv = amgr_environment_read(filling->environment,
                                   APR_ARRAY_IDX(files, i, const char *), user,
                                   filling->why, filling->size);
    }
    return rv;
}

/* What is said more specifically comes later and wins: a file of the
 * administrator over the configuration, as in systemd. */
apr_status_t amgr_environment_of_spec(amgr_environment_t *environment,
                                      const amgr_spec_t *spec,
                                      const amgr_identity_t *user, char *why,
                                      apr_size_t size)
{
    const filling_t filling = {environment, why, size};
    apr_status_t rv;

    amgr_environment_init(environment);
    rv = set_user(&filling, user);
    if (rv == APR_SUCCESS) {
        rv = pass_on(&filling, spec->pass_env);
    }
    if (rv == APR_SUCCESS) {
        rv = set_given(&filling, spec->environment);
    }
    if (rv == APR_SUCCESS) {
        rv = read_files(&filling, spec->environment_files, user);
    }
    return rv;
}
